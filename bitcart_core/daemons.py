"""What a coin's daemon supplies and what it is given; loaded by the daemon host only.

A `Daemon` is built inside `bitcart daemon NAME` and nowhere else. It reports what it sees to a `DaemonJournal`
and answers JSON-RPC methods. It needs no database, no Redis and no other host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from bitcart_core.coins import WalletKey
from bitcart_core.events import BlockEvent, PaymentEvent


@dataclass(frozen=True, kw_only=True)
class WatchedRequest:
    """A payment request that a daemon keeps an eye on, also after a restart.

    Attributes:
        lookup_key: As in the events.
        wallet: Name of the wallet it belongs to; a digest, never the key itself.
        address: Where its money arrives.
        amount: In whole coins, or None for any.
        expires_at: When the request stops being on time; None for never.
    """

    lookup_key: str
    wallet: str
    address: str
    amount: Decimal | None
    expires_at: datetime | None


class DaemonJournal(Protocol):
    """Where a coin's daemon writes what it sees; kept by the daemon host, durable when a call returns.

    Calls may be repeated: what is known already is not written again, so a coin reports whole truths (all outputs
    of a request) on any hint and keeps no memory of its own.
    """

    def watch(self, request: WatchedRequest) -> None:
        """Remember a request before its address is handed out."""

    def watched(self, wallet: str | None = None) -> Sequence[WatchedRequest]:
        """Return the requests still watched, of one wallet or of all."""

    def payments(self, request: WatchedRequest, outputs: Sequence[PaymentEvent], *, summary: Mapping[str, Any]) -> None:
        """Tell all outputs that pay a request now; outputs told before and missing now are marked replaced.

        Args:
            request: The watched request.
            outputs: Everything the wallet knows; an output's first `first_seen_at` is kept.
            summary: The fields of the contract's `new_payment` event (daemon contract, section 3).
        """

    def block(self, event: BlockEvent) -> None:
        """Tell the new best block."""

    def note(self, wallet: str | None, event: Mapping[str, Any]) -> None:
        """Write an event of the contract that moves no money of ours (`new_transaction`, `verified_tx`)."""


class Daemon(Protocol):
    """A coin's heavy half, driven by the daemon host: started, asked, stopped; all in one asyncio loop.

    Found by entry point in the group `bitcart.daemon`, under the name of its plugin: a class, or any callable,
    that takes `DaemonSettings` and `DaemonJournal` and returns this.
    """

    @property
    def code(self) -> str:
        """The coin, lower case: `btc`."""

    @property
    def default_port(self) -> int:
        """Where it listens unless told otherwise (daemon contract, section 1)."""

    @property
    def version(self) -> str:
        """Of the wallet library inside; asked after `start`."""

    async def start(self) -> None:
        """Connect to the network. Returns once calls can be answered; synchronising may go on.

        Raises:
            ConfigError: A setting is wrong, or the wallet library is missing; says the remedy.
        """

    async def stop(self) -> None:
        """Close wallets and connections; everything reported so far is in the journal."""

    async def call(
        self, method: str, params: Mapping[str, Any], positional: Sequence[Any], key: WalletKey | None
    ) -> Any:
        """Answer one JSON-RPC call.

        Args:
            method: As the client named it; `get_updates` is answered by the host.
            params: Arguments by name, without `xpub`. Numbers with a point arrive as decimals.
            positional: Arguments by place.
            key: What `xpub` said, or None.

        Returns:
            JSON types, decimals and dates.

        Raises:
            CoinRefused: With a code: answered with just that code and text, such as -32601 "Procedure not found".
            Exception: Anything else; answered as `module.Class: text`, with the code that `spec` gives that text.
        """

    def wallet_name(self, key: WalletKey) -> str:
        """Return the digest under which a wallet is kept and its events are filed."""

    def spec(self) -> Mapping[str, Any]:
        """Return the body of `GET /spec` (daemon contract, section 2)."""

    def state(self) -> Mapping[str, Any]:
        """Return `height`, `is_synchronized` and `server` for health checks and heartbeats. Cheap: asked often.

        `is_synchronized` is a promise that the host passes on: the daemon follows the tip of the network, and since it
        connected everything watched was compared with it, so no older payment is still to be told.
        """


@runtime_checkable
class LoadsWallets(Protocol):
    """A daemon that can be told to watch a wallet without being asked anything of it: polling clients need that."""

    async def load(self, key: WalletKey) -> None:
        """Load a wallet, so that its events are told from now on.

        Raises:
            Exception: As `Daemon.call` does for a key that is no key.
        """


@dataclass(frozen=True, kw_only=True)
class DaemonSettings:
    """What the daemon host hands to a coin.

    Attributes:
        network: mainnet, testnet, regtest ...
        data_dir: A folder of this coin and network alone, created 0700: `BITCART_DATA/plugins/NAME/NETWORK`.
        bitcart_data: `BITCART_DATA` itself, where requisites are found.
        server: One server to use, `HOST:PORT:t` or `:s`; empty for the coin's own choice.
        options: What else the command line or the environment set, such as `LIGHTNING`, by lower-case name.
    """

    network: str
    data_dir: Path
    bitcart_data: Path
    server: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


class DaemonFactory(Protocol):
    """What the entry point names: the class of a daemon, or a callable that carries the same two names itself.

    The host must know `code` before it can read the settings: environment variables are called after it.
    """

    @property
    def code(self) -> str:
        """The coin, as in `Daemon.code`."""

    @property
    def default_port(self) -> int:
        """Where the daemon listens unless told otherwise."""

    def __call__(self, settings: DaemonSettings, journal: DaemonJournal) -> Daemon:
        """Build the daemon; nothing starts before `Daemon.start`."""
