"""Open, hold and close the wallets of one daemon. A wallet is named by a digest; its key is never kept here."""

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from bitcart_coin_electrum import keys, spec
from bitcart_coin_electrum.adapter import Electrum, ElectrumWallet, NotAKey
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.store import RequestStore
from bitcart_core import CoinRefused, WalletKey

log = logging.getLogger(__name__)


@dataclass(eq=False)
class OpenWallet:
    """A wallet in use.

    Attributes:
        name: Its digest.
        electrum: The wallet itself.
        is_diskless: It has no file and is gone when the daemon stops.
        is_history: It is being read from the chain for the first time, so what it finds is no news.
        is_dismissed: A caller closed it; it stays open because requests are still watched.
        was_synchronized: Set once it has been in step with the server.
        next_free: Receiving addresses before this place were taken when last looked at.
        looked_at: Unix time at which they were.
    """

    name: str
    electrum: ElectrumWallet
    is_diskless: bool
    is_history: bool
    is_dismissed: bool = False
    was_synchronized: asyncio.Event = field(default_factory=asyncio.Event)
    next_free: int = 0
    looked_at: float = 0


class Wallets:
    """The wallets of one daemon.

    Args:
        electrum: Started.
        profile: Of the coin.
        network: Its name.
        requests: Tells how many addresses a wallet must know.
        sync_seconds: How long a call may wait for a wallet to come into step; 0 never waits.
    """

    def __init__(
        self,
        electrum: Electrum,
        profile: CoinProfile,
        network: str,
        *,
        requests: RequestStore,
        sync_seconds: float,
    ) -> None:
        self._electrum = electrum
        self._profile = profile
        self._network = network
        self._requests = requests
        self._sync_seconds = sync_seconds
        self._open: dict[str, OpenWallet] = {}
        self._opening: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.folder = electrum.data_dir / "wallets"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    def __iter__(self) -> Iterator[OpenWallet]:
        return iter(list(self._open.values()))

    def name_of(self, key: WalletKey) -> str:
        """Return the digest that a wallet is known by."""
        return keys.digest_of(key, self._network)

    def get(self, name: str) -> OpenWallet | None:
        """Return an open wallet by its name."""
        return self._open.get(name)

    async def use(self, key: WalletKey) -> OpenWallet:
        """Return the wallet of a key, opened if need be; two callers at once open it once.

        Raises:
            CoinRefused: It is no key of this network, or its file cannot be read.
        """
        if key.contract is not None:
            raise spec.not_loaded(f"NotImplementedError: {self._profile.symbol} has no tokens; leave 'contract' empty")
        name = self.name_of(key)
        async with self._opening.setdefault(name, asyncio.Lock()):
            wallet = self._open.get(name) or await self._open_by_key(name, key)
        wallet.is_dismissed = False
        return wallet

    async def reopen(self, name: str) -> OpenWallet | None:
        """Open a wallet from its file without its key, as after a restart; None if it has no file."""
        async with self._opening.setdefault(name, asyncio.Lock()):
            if name in self._open:
                return self._open[name]
            if not self.file_of(name).exists():
                return None
            return self._adopt(name, await self._read(name), is_diskless=False, is_history=False)

    async def synchronized(self, wallet: OpenWallet) -> None:
        """Wait until a wallet has been in step with the server once, up to the deadline.

        Raises:
            CoinRefused: It was not in time. It goes on in the background, so asking again may work.
        """
        if not self._sync_seconds or wallet.was_synchronized.is_set():
            return
        try:
            async with asyncio.timeout(self._sync_seconds):
                await wallet.was_synchronized.wait()
        except TimeoutError:
            state = "is still reading its history" if self._electrum.is_connected() else "has no Electrum server"
            raise spec.not_loaded(
                f"the wallet {state} after {self._sync_seconds:g} seconds; it goes on, so ask again later"
            ) from None

    async def close(self, name: str, *, is_watched: bool) -> bool:
        """Close a wallet for its caller; one whose requests are watched goes on unseen. False if it was not open."""
        wallet = self._open.get(name)
        if wallet is None or wallet.is_dismissed:
            return False
        if is_watched and not wallet.is_diskless:
            wallet.is_dismissed = True
            return True
        del self._open[name]
        await self._electrum.close_wallet(wallet.electrum)
        return True

    async def create(self, text: str) -> Path:
        """Make the file of a wallet that does not exist yet, and return it.

        Raises:
            CoinRefused: There is one already, or the text is no key of this network.
        """
        name = self.name_of(WalletKey(key=text))
        async with self._opening.setdefault(name, asyncio.Lock()):
            if self.file_of(name).exists() or name in self._open:
                raise CoinRefused("Remove the existing wallet first!", code=spec.WALLET_EXISTS)
            await self._restore(text, self.file_of(name))
        return self.file_of(name)

    def file_of(self, name: str) -> Path:
        """Return where a wallet is kept."""
        return self.folder / name

    async def _open_by_key(self, name: str, key: WalletKey) -> OpenWallet:
        if self.file_of(name).exists():
            return self._adopt(name, await self._read(name), is_diskless=False, is_history=False)
        is_diskless = bool(key.extra.get("diskless"))
        inner = await self._restore(key.key, None if is_diskless else self.file_of(name))
        return self._adopt(name, inner, is_diskless=is_diskless, is_history=True)

    async def _restore(self, text: str, file: Path | None) -> Any:
        text = keys.normalise(text)
        known = self._requests.addresses_taken(self.name_of(WalletKey(key=text)))
        try:
            return await asyncio.to_thread(self._electrum.restore, text, file, known)
        except NotAKey:
            reason = keys.why_refused(text, self._network, self._profile.networks)
        except Exception as error:  # noqa: BLE001 - Electrum raises what it likes, and its words may hold the key
            reason = f"{type(error).__name__} while making its wallet; see that {self.folder} can be written"
            log.error("a wallet could not be made: %s", reason)  # noqa: TRY400 - the trace may hold the key too
        raise spec.not_loaded(reason)

    async def _read(self, name: str) -> Any:
        known = self._requests.addresses_taken(name)
        try:
            return await asyncio.to_thread(self._electrum.read, self.file_of(name), known)
        except Exception as error:
            log.exception("the wallet file %s cannot be read", name)
            kind = type(error).__name__
        raise spec.not_loaded(f"the file wallets/{name} cannot be read ({kind}); see the daemon's log, or move it away")

    def _adopt(self, name: str, inner: Any, *, is_diskless: bool, is_history: bool) -> OpenWallet:
        electrum_wallet = self._electrum.open(name, inner)
        self._open[name] = wallet = OpenWallet(name, electrum_wallet, is_diskless, is_history)
        return wallet
