"""Which requests are watched, by wallet and by address. A copy in memory of what the journal keeps; decides nothing."""

from collections import defaultdict
from collections.abc import Iterable

from bitcart_core import WatchedRequest


class WatchList:
    """The requests a daemon looks after, quick to find whatever their number."""

    def __init__(self) -> None:
        self._by_wallet: dict[str, dict[str, WatchedRequest]] = defaultdict(dict)
        self._by_address: dict[tuple[str, str], dict[str, WatchedRequest]] = defaultdict(dict)

    def add(self, request: WatchedRequest) -> None:
        """Watch one more."""
        self._by_wallet[request.wallet][request.lookup_key] = request
        self._by_address[request.wallet, request.address][request.lookup_key] = request

    def replace(self, requests: Iterable[WatchedRequest]) -> None:
        """Watch these and no others."""
        self._by_wallet.clear()
        self._by_address.clear()
        for request in requests:
            self.add(request)

    def holds(self, wallet: str, lookup_key: str) -> bool:
        """Return whether a request is watched."""
        return lookup_key in self._by_wallet.get(wallet, {})

    def keys(self) -> set[str]:
        """Return the lookup keys of all."""
        return {key for requests in self._by_wallet.values() for key in requests}

    def of(self, wallet: str) -> list[WatchedRequest]:
        """Return the requests of a wallet."""
        return list(self._by_wallet.get(wallet, {}).values())

    def at(self, wallet: str, address: str) -> list[WatchedRequest]:
        """Return the requests of a wallet that an address was handed out for."""
        return list(self._by_address.get((wallet, address), {}).values())

    def wallets(self) -> list[str]:
        """Return the wallets with watched requests; first those whose requests are open longest."""
        last = {name: max(map(_closes_at, requests.values())) for name, requests in self._by_wallet.items() if requests}
        return sorted(last, key=lambda name: last[name], reverse=True)


def _closes_at(request: WatchedRequest) -> float:
    return float("inf") if request.expires_at is None else request.expires_at.timestamp()
