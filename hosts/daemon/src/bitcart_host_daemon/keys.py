"""Remember, in memory only, which key belongs to which wallet name.

The journal files events under a digest, since a key on disk or in a log tells everyone what its owner receives.
Clients of the contract know a wallet by its key and nothing else: `APIManager` of the official SDK listens unscoped
and finds its coin by the `wallet` of a frame. So the keys that clients used since the start are kept here. For a
wallet that nobody has named since then the digest goes out instead: it still tells wallets apart, and nobody who
could make use of the key is listening for it.
"""

from collections import OrderedDict
from collections.abc import Callable

from bitcart_core.coins import WalletKey

MOST_KEYS = 100_000


class WalletKeys:
    """The wallet keys used since the start, the least recently used forgotten first.

    Args:
        name_of: Returns the digest of a key: `Daemon.wallet_name`.
    """

    def __init__(self, name_of: Callable[[WalletKey], str]) -> None:
        self._name_of = name_of
        self._keys: OrderedDict[str, str] = OrderedDict()

    def remember(self, key: WalletKey) -> str:
        """Note that a client used this key; return the name of its wallet."""
        name = self._name_of(key)
        self._keys[name] = wallet_text(key)
        self._keys.move_to_end(name)
        if len(self._keys) > MOST_KEYS:
            self._keys.popitem(last=False)
        return name

    def find(self, name: str | None) -> str | None:
        """Return what clients call the wallet, its digest if nobody named it, None for no wallet."""
        return None if name is None else self._keys.get(name, name)


def wallet_text(key: WalletKey) -> str:
    """Return the wallet key of the contract: the key, with the contract of a token after it."""
    return f"{key.key}_{key.contract}" if key.contract else key.key
