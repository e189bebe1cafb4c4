"""One wallet that Electrum has open, in plain values."""

from collections.abc import Callable
from typing import Any

from bitcart_coin_electrum.adapter.library import Library
from bitcart_coin_electrum.standing import Output


class ElectrumWallet:
    """A wallet that follows the network.

    Args:
        library: Electrum.
        name: Under which its hints come.
        inner: Electrum's own object.
        is_connected: Tells whether a server answers.
    """

    def __init__(self, library: Library, name: str, inner: Any, *, is_connected: Callable[[], bool]) -> None:
        self._library = library
        self._is_connected = is_connected
        self.name = name
        self.inner = inner

    def is_synchronized(self) -> bool:
        """Return whether everything the server said was fetched and checked, and the server is still there."""
        addresses = self.inner.adb
        return bool(
            self.inner.is_up_to_date()
            and self._is_connected()
            # Electrum refreshes its own flag ten times a second; in between only these two tell the truth.
            and addresses.synchronizer is not None
            and addresses.synchronizer.is_up_to_date()
            and addresses.verifier.is_up_to_date()
        )

    def outputs(self, address: str) -> tuple[Output, ...]:
        """Return what pays an address by the server's account, with blocks only where their proof was checked.

        Transactions that the server does not list any more, such as replaced ones, are left out, and so are
        those that this wallet signed and nobody has seen yet.
        """
        found: list[Output] = []
        for txid, _ in self.inner.db.get_addr_history(address):
            proven = self.inner.db.get_verified_tx(txid)
            mined = (self._library.height_of(proven), proven.header_hash, proven.timestamp) if proven else (None,) * 3
            paid = self.inner.db.get_txo_addr(txid, address)
            found += [Output(txid, index, units, *mined) for index, (units, _) in paid.items()]
        return tuple(sorted(found, key=lambda output: (output.txid, output.index)))

    def paid_by(self, txid: str) -> tuple[str, ...]:
        """Return the addresses of this wallet that a transaction pays."""
        return tuple(self.inner.db.get_txo_addresses(txid))

    def is_used(self, address: str) -> bool:
        """Return whether any transaction touches an address, those included that nobody else has seen."""
        return bool(self.inner.adb.is_used(address) or self.inner.db.get_addr_history(address))

    def receiving_count(self) -> int:
        """Return how many receiving addresses the wallet knows."""
        return len(self.inner.get_receiving_addresses())

    def receiving_address(self, index: int) -> str:
        """Return a receiving address by its place."""
        if not self.can_derive():
            return str(self.inner.get_receiving_addresses()[index])
        return str(self.inner.get_receiving_addresses(slice_start=index, slice_stop=index + 1)[0])

    def can_derive(self) -> bool:
        """Return whether new addresses can be had; a wallet made of a list of addresses cannot."""
        return bool(self.inner.is_deterministic())

    def derive(self) -> str:
        """Return one more receiving address, beyond the gap limit if need be."""
        return str(self.inner.create_new_address(False))  # noqa: FBT003 - Electrum's own signature

    def label(self, address: str, text: str) -> None:
        """Name an address, so that the history of the wallet tells what was paid."""
        self.inner.set_label(address, text)

    def public_key(self) -> str | None:
        """Return the extended public key, or None for a list of addresses."""
        key = self.inner.get_master_public_key()
        return str(key) if key else None

    def balance(self) -> tuple[int, int, int]:
        """Return the confirmed, unconfirmed and unmatured balance in smallest units."""
        confirmed, unconfirmed, unmatured = self.inner.get_balance()
        return confirmed, unconfirmed, unmatured

    def has_transaction(self, txid: str) -> bool:
        """Return whether a transaction concerns this wallet."""
        return self.inner.db.get_transaction(txid) is not None

    def fee_of(self, txid: str) -> int | None:
        """Return what a transaction of this wallet paid to miners, in smallest units, or None if it is not known."""
        fee = self.inner.adb.get_tx_fee(txid)
        return None if fee is None else int(fee)

    def path(self) -> str:
        """Return the file, or an empty text for a wallet kept in memory."""
        return str(self.inner.storage.path) if self.inner.storage else ""
