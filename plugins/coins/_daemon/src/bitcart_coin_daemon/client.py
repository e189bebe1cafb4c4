"""The client of a coin's daemon: the kernel's questions, put in the words of the daemon contract."""

from collections.abc import AsyncIterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bitcart_coin_daemon.answers import read_balance, read_request, read_snapshot, read_state, write_key
from bitcart_coin_daemon.calls import Caller
from bitcart_coin_daemon.endpoint import Locator
from bitcart_coin_daemon.settings import DaemonClientSettings
from bitcart_coin_daemon.stream import follow
from bitcart_core import (
    CoinRefused,
    CoinUnreachable,
    DaemonState,
    InputError,
    PaymentRequest,
    PaymentsSnapshot,
    Position,
    StreamItem,
    WalletKey,
)

KEYS_PER_CALL = 5000
"""How many requests one bulk call asks for; keeps a call below the daemon's limit of 1 MiB."""
_KEY_ERRORS = frozenset({"LoadingWalletError", "InvalidKeyProvidedError", "WalletVersionMismatchError"})


class DaemonClient:
    """Speaks to the daemon of one coin on one network; implements `CoinClient` and `HasBalance`.

    Nothing is opened before the first call. Safe to use from several threads and after a fork.

    Args:
        settings: Where the daemon is, unless it runs on this machine.
        folder: The daemon's data folder on this machine: the plugin's own, then the network.
        name: What to call the coin in errors: `bitcoin on regtest`.
        key_hint: What a good key looks like, for the merchant who gave a bad one.
        expiry_field: What the coin calls the life of a request (contract, section 1).
    """

    def __init__(
        self,
        settings: DaemonClientSettings,
        *,
        folder: Path,
        name: str,
        key_hint: str = "an extended public key",
        expiry_field: str = "expiry",
    ) -> None:
        self._locator = Locator(settings, folder=folder, name=name)
        self._caller = Caller(self._locator, name=name)
        self._timeout_seconds = settings.timeout_seconds
        self._name = name
        self._key_hint = key_hint
        self._expiry_field = expiry_field

    @property
    def is_remote(self) -> bool:
        """The operator named a daemon, so none needs to be started here."""
        return self._locator.is_remote

    def check_key(self, key: WalletKey) -> None:
        """Make sure the coin can receive with this key; see `CoinClient`."""
        try:
            is_good = self._call("validatekey", {"key": key.key, **key.extra})
        except CoinRefused as refusal:
            if self._caller.error_name(refusal) not in _KEY_ERRORS:
                raise _without_key(refusal, key) from None
            is_good = False
        if is_good is not True:
            raise InputError(f"this key cannot receive {self._name}; give {self._key_hint}", field="key")

    def create_request(
        self,
        key: WalletKey,
        *,
        amount: Decimal | None,
        memo: str,
        expires_in_seconds: int | None,
        timeout_seconds: float,
    ) -> PaymentRequest:
        """Ask for a way to be paid; see `CoinClient`."""
        params = {
            "amount": None if amount is None else format(amount, "f"),
            "memo": memo,
            self._expiry_field: expires_in_seconds,
            "force": True,  # an address beyond the gap limit rather than none
        }
        result = self._ask(key, "add_request", params, timeout_seconds=timeout_seconds)
        try:
            return read_request(result)
        except (KeyError, AttributeError) as error:
            raise CoinRefused(f"the daemon of {self._name} made no payment request: {error!r}") from error

    def payments_of(self, lookup_keys: Sequence[str], *, after: Position | None = None) -> PaymentsSnapshot:
        """Tell all that is known of many requests; see `CoinClient`."""
        since = after.to_json() if after else None
        chunks = [lookup_keys[i : i + KEYS_PER_CALL] for i in range(0, len(lookup_keys), KEYS_PER_CALL)] or [[]]
        parts = [
            read_snapshot(self._call("payments_of", {"requests": list(chunk), "after": since})) for chunk in chunks
        ]
        first = parts[0]
        if any(part.position.epoch != first.position.epoch for part in parts):
            raise CoinUnreachable(f"the daemon of {self._name} began a new journal while it was asked; ask again")
        # The first answer is the oldest: later ones may hold more, none holds less.
        payments = tuple(payment for part in parts for payment in part.payments)
        return PaymentsSnapshot(position=first.position, height=parts[-1].height, payments=payments)

    def state(self) -> DaemonState:
        """Tell how the daemon is doing; see `CoinClient`."""
        return read_state(self._call("state", {}))

    def balance(self, key: WalletKey) -> Mapping[str, Decimal]:
        """Return what a wallet holds; see `HasBalance`."""
        return read_balance(self._ask(key, "getbalance", {}, timeout_seconds=self._timeout_seconds))

    def stream(self, after: Position | None) -> AsyncIterator[StreamItem]:
        """Follow the journal from a place; see `CoinClient`. Close it (`contextlib.aclosing`) when you stop early."""
        return follow(self._locator.find(), after, name=self._name, timeout_seconds=self._timeout_seconds)

    def _call(self, method: str, params: Mapping[str, Any]) -> Any:
        return self._caller.call(method, params, timeout_seconds=self._timeout_seconds)

    def _ask(self, key: WalletKey, method: str, params: Mapping[str, Any], *, timeout_seconds: float) -> Any:
        try:
            return self._caller.call(method, params, timeout_seconds=timeout_seconds, xpub=write_key(key))
        except CoinRefused as refusal:
            raise _without_key(refusal, key) from None


def _without_key(refusal: CoinRefused, key: WalletKey) -> CoinRefused:
    """Return the same refusal in words that may be logged."""
    return CoinRefused(str(refusal).replace(key.key, "…") if key.key else str(refusal), code=refusal.code)
