"""What every host knows of a coin: its description and the client that speaks to its daemon.

The other half of a coin, the daemon itself, is described in `daemons`; only the daemon host loads that.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, runtime_checkable

from bitcart_core.events import BlockEvent, PaymentEvent, Position, Value


@dataclass(frozen=True, kw_only=True)
class WalletKey:
    """What a merchant gives to receive a coin: an extended public key, or whatever the coin takes in its place.

    Attributes:
        key: The key itself. Never logged: `repr` hides it.
        contract: Token contract, or None for the coin itself.
        extra: Further fields the coin asks for, such as Monero's `address`.
    """

    key: str = field(repr=False)
    contract: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, kw_only=True)
class PaymentRequest(Value):
    """What a coin answers when asked for a way to be paid.

    Attributes:
        lookup_key: What its events will be found by.
        address: Where to send; on Lightning the invoice text.
        uri: For a wallet to open (BIP 21), or the address where the coin has none.
        is_lightning: The request is a Lightning invoice.
        payment_hash: Lightning only.
        node_id: Lightning only: the node that will be paid.
    """

    lookup_key: str
    address: str
    uri: str
    is_lightning: bool = False
    payment_hash: str | None = None
    node_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class DaemonState(Value):
    """How a daemon is doing.

    Attributes:
        height: Its best block, or None before it has one.
        is_synchronized: It follows the tip of the network.
        position: The last entry of its journal.
        version: Of the wallet library inside.
        at: When the daemon said so, by its own clock.
    """

    height: int | None
    is_synchronized: bool
    position: Position
    version: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class PaymentsSnapshot(Value):
    """The answer to the bulk question, and the place in the journal that it is true for.

    Attributes:
        position: Every journal entry up to here is contained in `payments`.
        height: The daemon's best block.
        payments: All outputs the daemon knows of the requests asked for, replaced ones included.
    """

    position: Position
    height: int | None
    payments: tuple[PaymentEvent, ...]


@dataclass(frozen=True, kw_only=True)
class StreamItem:
    """One thing a daemon's stream says.

    Attributes:
        position: Of the journal entry, or of the head for a heartbeat.
        at: By the daemon's clock.
        events: What the entry holds; empty for a heartbeat and for entries the kernel has no use for.
        height: The daemon's best block at that moment.
        is_caught_up: Nothing older than this is still to come.
    """

    position: Position
    at: datetime
    events: tuple[PaymentEvent | BlockEvent, ...]
    height: int | None
    is_caught_up: bool


class CoinClient(Protocol):
    """How the other hosts speak to a coin's daemon. Blocking but for `stream`; safe to call from several threads."""

    def check_key(self, key: WalletKey) -> None:
        """Make sure the coin can receive with this key.

        Raises:
            InputError: The key is malformed, or of another network; says which form is expected.
            CoinError: The daemon could not tell.
        """

    def create_request(
        self,
        key: WalletKey,
        *,
        amount: Decimal | None,
        memo: str,
        expires_in_seconds: int | None,
        timeout_seconds: float,
    ) -> PaymentRequest:
        """Ask for a way to be paid.

        Args:
            key: The merchant's key; the daemon loads the wallet if it has not yet.
            amount: In whole coins, or None for any amount.
            memo: Shown by some wallets.
            expires_in_seconds: From now, or None for never.
            timeout_seconds: After this, `CoinUnreachable`.

        Raises:
            CoinError: No request was made, or it is not known whether one was; one that was made does no harm.
        """

    def payments_of(self, lookup_keys: Sequence[str], *, after: Position | None = None) -> PaymentsSnapshot:
        """Tell all that is known of many requests, in one call.

        Args:
            lookup_keys: Unknown ones are left out of the answer.
            after: Leave out requests that did not change after this place of the journal.

        Raises:
            CoinError: The daemon could not tell.
        """

    def state(self) -> DaemonState:
        """Tell how the daemon is doing.

        Raises:
            CoinError: It did not answer.
        """

    def stream(self, after: Position | None) -> AsyncIterator[StreamItem]:
        """Follow the journal from a place, first what is stored, then what happens; heartbeats in between.

        Args:
            after: The last entry already stored by the caller; None begins at the head.

        Raises:
            CoinError: The connection ended; call again from the last position.
        """


@runtime_checkable
class HasBalance(Protocol):
    """A client whose coin can tell what a wallet holds."""

    def balance(self, key: WalletKey) -> Mapping[str, Decimal]:
        """Return `confirmed`, `unconfirmed`, `unmatured` and `lightning`, in whole coins.

        Raises:
            CoinError: The daemon could not tell.
        """


@runtime_checkable
class UsesDaemon(Protocol):
    """A client that speaks to a daemon process, and knows whether that process is ours to run."""

    @property
    def is_remote(self) -> bool:
        """The operator named a daemon elsewhere, so none needs to be started here."""


@dataclass(frozen=True, kw_only=True)
class Coin:
    """A currency on one network, as every host knows it.

    Attributes:
        code: Lower case, unique in a deployment: `btc`.
        name: `Bitcoin`.
        symbol: `BTC`.
        decimals: Of the smallest unit: 8.
        network: mainnet, testnet, regtest or simulated.
        client: Speaks to the daemon.
        key_name: What the merchant is asked for: `Xpub`.
        explorer_url: Page of a transaction, with `{txid}`; empty where there is none.
    """

    code: str
    name: str
    symbol: str
    decimals: int
    network: str
    client: CoinClient = field(repr=False)
    key_name: str = "Xpub"
    explorer_url: str = ""
