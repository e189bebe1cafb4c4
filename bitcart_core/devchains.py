"""A development chain: a real network of one coin on loopback, that mines, pays and misbehaves on request."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from bitcart_core.events import Value


@dataclass(frozen=True, kw_only=True)
class RunningChain(Value):
    """A development chain that runs, and how to reach it; printed by `bitcart devchain --json`.

    Attributes:
        rpc_url: JSON-RPC of the node.
        rpc_user: For basic auth.
        rpc_password: For basic auth.
        server: What the coin's daemon connects to, in the daemon's own notation.
    """

    coin: str
    network: str
    rpc_url: str
    rpc_user: str
    rpc_password: str
    server: str


class Devchain(Protocol):
    """A real chain for development and tests: starts processes, mines, pays and misbehaves on request."""

    coin: str

    def start(self, folder: Path) -> RunningChain:
        """Bring the chain up with spendable coins.

        Args:
            folder: For logs and data; exists and is empty or was used by this before.

        Raises:
            ConfigError: Something it needs is not installed; says the remedy.
        """

    def stop(self) -> None:
        """End every process that `start` began."""

    def failed(self) -> str | None:
        """Return what went wrong if a process ended by itself, else None."""


class ChainTools(Protocol):
    """What can be done to a running development chain, from any process."""

    def height(self) -> int:
        """Return the height of the best block."""

    def mine(self, blocks: int) -> list[str]:
        """Mine blocks now; return their hashes."""

    def pay(self, address: str, amount: Decimal) -> str:
        """Send coins from the chain's own wallet; return the txid once the node has it in its mempool."""

    def replace(self, txid: str, address: str | None) -> str:
        """Replace an unconfirmed transaction by one that pays `address`, or the wallet itself; return the new txid."""

    def reorg(self, depth: int, *, keep_transactions: bool = True) -> int:
        """Throw away the last blocks and mine one more than were lost; return the new height."""

    def confirmations(self, txid: str) -> int:
        """Return how many blocks stand on a transaction, 0 for the mempool.

        Raises:
            CoinRefused: The node does not know it.
        """


class DevchainFactory(Protocol):
    """What a coin registers: how to start its chain, and how to reach one that runs."""

    coin: str

    def create(self, data_dir: Path) -> Devchain:
        """Return a chain that is not started yet.

        Args:
            data_dir: `BITCART_DATA`, where requisites are found.
        """

    def tools(self, chain: RunningChain) -> ChainTools:
        """Return the tools for a running chain."""

    def fresh_key(self, chain: RunningChain) -> str:
        """Return a new receiving key for the demo's wallet, such as an extended public key."""
