"""What Electrum calls back with, as hints: something changed, look there. No hint is a fact by itself."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bitcart_coin_electrum.adapter.library import Library


class HintKind(StrEnum):
    """What changed."""

    WALLET = "wallet"
    TRANSACTION = "transaction"
    VERIFIED = "verified"
    TIP = "tip"
    SERVER = "server"


@dataclass(frozen=True)
class Hint:
    """Something changed.

    Attributes:
        kind: What it was.
        wallet: Name of the wallet it concerns; empty if it concerns them all.
        txid: The transaction, where there is one.
        height: The block it was proven to stand in, for `VERIFIED`.
    """

    kind: HintKind
    wallet: str = ""
    txid: str = ""
    height: int = 0


class Hints:
    """Electrum's callbacks while a daemon runs.

    Args:
        library: Electrum.
        name_of: Names one of Electrum's wallets; None for one that is not open any more.
        tell: Called in Electrum's loop; must neither block nor raise.
    """

    def __init__(self, library: Library, name_of: Callable[[Any], str | None], tell: Callable[[Hint], None]) -> None:
        self._library = library
        self._name_of = name_of
        self._tell = tell
        # Kept here, since newer versions of Electrum keep only weak references to what it calls.
        self._callbacks: dict[str, Callable[..., None]] = {
            "wallet_updated": self._on_wallet,
            "new_transaction": self._on_transaction,
            "verified": self._on_verified,
            "blockchain_updated": self._on_tip,
            "default_server_changed": self._on_server,
        }

    def begin(self) -> None:
        """Listen."""
        for event, callback in self._callbacks.items():
            self._library.util.register_callback(callback, [event])

    def end(self) -> None:
        """Listen no more."""
        for callback in self._callbacks.values():
            self._library.util.unregister_callback(callback)

    def _on_wallet(self, inner: Any, *_: object) -> None:
        self._of_wallet(inner, HintKind.WALLET)

    def _on_transaction(self, inner: Any, transaction: Any, *_: object) -> None:
        self._of_wallet(inner, HintKind.TRANSACTION, txid=transaction.txid())

    def _on_verified(self, inner: Any, txid: str, block: Any, *_: object) -> None:
        self._of_wallet(inner, HintKind.VERIFIED, txid=txid, height=self._library.height_of(block))

    def _on_tip(self, *_: object) -> None:
        self._tell(Hint(HintKind.TIP))

    def _on_server(self, *_: object) -> None:
        self._tell(Hint(HintKind.SERVER))

    def _of_wallet(self, inner: Any, kind: HintKind, *, txid: str = "", height: int = 0) -> None:
        name = self._name_of(inner)
        if name is not None:
            self._tell(Hint(kind, name, txid, height))
