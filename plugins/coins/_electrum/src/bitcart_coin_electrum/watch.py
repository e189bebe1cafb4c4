"""Turn Electrum's hints into the journal's truths. A hint says where to look; what is told is always looked up.

Every few minutes, at the start, when a server comes and after a reorganisation everything watched is compared,
so that no payment depends on a callback.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from bitcart_coin_electrum import telling
from bitcart_coin_electrum.adapter import Electrum, Hint, HintKind, Tip
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.standing import Output, Standing, stand
from bitcart_coin_electrum.store import RequestStore, StoredRequest
from bitcart_coin_electrum.wallets import OpenWallet, Wallets
from bitcart_coin_electrum.watchlist import WatchList
from bitcart_core import BlockEvent, CoinRefused, DaemonJournal, WatchedRequest

log = logging.getLogger(__name__)

COMPARE_SECONDS = 180.0
LOOK_AGAIN_SECONDS = 1.0
REST = 20
"""A wallet rests for so many times what comparing it took, so that a big one takes a twentieth of a processor."""
REQUESTS_PER_TURN = 200
"""After so many the loop serves others; a look at a request takes some microseconds."""


class Watcher:
    """Watches the requests of one daemon.

    Args:
        electrum: Where the hints come from.
        wallets: The open wallets.
        requests: What was asked for.
        journal: Where truths go.
        profile: Of the coin.
    """

    def __init__(
        self, electrum: Electrum, wallets: Wallets, requests: RequestStore, journal: DaemonJournal, profile: CoinProfile
    ) -> None:
        self._electrum = electrum
        self._wallets = wallets
        self._requests = requests
        self._journal = journal
        self._profile = profile
        self._watched = WatchList()
        self._told: dict[str, tuple[Output, ...]] = {}
        self._tip: Tip | None = None
        self._is_tip_due = True
        self._touched: deque[tuple[str, str]] = deque()
        self._due: set[str] = set()
        self._awaited: set[str] | None = None
        self._rests_until: dict[str, float] = {}
        self._notes: deque[tuple[str, Mapping[str, object]]] = deque()
        self._wake = asyncio.Event()

    # What others ask

    def hint(self, hint: Hint) -> None:
        """Take a hint; returns at once."""
        wallet = self._wallets.get(hint.wallet)
        if wallet is not None:
            if hint.txid:
                self._touched.append((wallet.name, hint.txid))
                self._take_note(wallet, hint)
            else:
                self._due.add(wallet.name)
        if hint.kind in (HintKind.TIP, HintKind.SERVER):
            self._is_tip_due = True
        if hint.kind is HintKind.SERVER:
            self._awaited = None if self._awaited is None else set(self._watched.wallets())
            self._compare_all()
        self._wake.set()

    def add(self, request: StoredRequest) -> None:
        """Watch a request; durable when this returns."""
        watched = telling.watched(request, self._profile)
        self._journal.watch(watched)
        self._watched.add(watched)
        self._told.setdefault(request.id, ())

    def is_caught_up(self) -> bool:
        """Return whether everything watched when the server came was compared with it since.

        Until then an older payment may still be to tell. A wallet that is opened later for the first time has none.
        """
        return self._awaited is not None and not self._awaited and not self._touched

    def is_watching(self, request: StoredRequest) -> bool:
        """Return whether a request is watched."""
        return self._watched.holds(request.wallet, request.id)

    def is_watching_wallet(self, name: str) -> bool:
        """Return whether any request of a wallet is watched."""
        return bool(self._watched.of(name))

    def standing(self, request: StoredRequest) -> Standing:
        """Return how a request stands by what its wallet knows now."""
        wallet = self._wallets.get(request.wallet)
        # An address may serve again long after it expired unfunded; then its money is for the later request.
        is_latest = self._requests.latest_at(request.address) == request
        outputs = wallet.electrum.outputs(request.address) if wallet and is_latest else ()
        return stand(request.units, request.expires_at, outputs, tip=self._electrum.height(), now=int(time.time()))

    def reconcile(self, live_after: int) -> None:
        """Make the journal and the store know the same requests, should one of the two files have been lost.

        Args:
            live_after: Unix time in seconds; requests that expired before are of no interest any more.
        """
        self._refresh()
        for name in self._watched.wallets():
            for request in self._watched.of(name):
                if self._requests.get(request.lookup_key) is None:
                    self._requests.add(telling.stored(request, self._profile, now=int(time.time())))
        for known in self._requests.expired_after(live_after):
            if not self.is_watching(known):
                self._journal.watch(telling.watched(known, self._profile))
                self._watched.add(telling.watched(known, self._profile))

    # What runs in the background

    async def keep_open(self) -> None:
        """Open the wallets of watched requests from their files, now and whenever one is missing, until cancelled."""
        without_file: set[str] = set()
        self._refresh()
        self._awaited = set(self._watched.wallets())
        while True:
            for name in self._watched.wallets():
                if name in without_file or self._wallets.get(name) is not None:
                    continue
                if await self._reopen(name):
                    self._due.add(name)
                    self._wake.set()
                else:
                    without_file.add(name)
                    self._awaited.discard(name)
            await asyncio.sleep(COMPARE_SECONDS)
            self._refresh()

    async def run(self) -> None:
        """Follow hints until cancelled."""
        loop = asyncio.get_running_loop()
        compare_at = loop.time()
        wake_at: float | None = None
        while True:
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(min(compare_at, wake_at or compare_at)):
                    await self._wake.wait()
            self._wake.clear()
            if loop.time() >= compare_at:
                compare_at = loop.time() + COMPARE_SECONDS
                self._compare_all()
            wake_at = await self._turn(loop.time())

    def _compare_all(self) -> None:
        self._due.update(wallet.name for wallet in self._wallets)

    def _refresh(self) -> None:
        """Read again from the journal what is watched; what it gave up is forgotten here too."""
        self._watched.replace(self._journal.watched())
        kept = self._watched.keys()
        self._told = {key: outputs for key, outputs in self._told.items() if key in kept}

    async def _reopen(self, name: str) -> bool:
        """Open a wallet from its file; return False if it has none and only its key can bring it back."""
        try:
            if await self._wallets.reopen(name) is not None:
                return True
        except CoinRefused as error:
            log.error("payments to wallet %s are not seen: %s", name, error)  # noqa: TRY400 - logged with its cause
            return True
        log.warning("wallet %s was kept in memory only; payments to it are seen once it is used again", name)
        return False

    async def _turn(self, now: float) -> float | None:
        """Do what is due; return when to go on with what failed, has not settled, or rests. None if nothing does."""
        resting = {name for name in self._due if self._rests_until.get(name, 0) > now}
        awake, self._due = self._due - resting, set(resting)
        steps: list[tuple[str, Callable[[], Awaitable[bool]]]] = [
            ("the best block", self._look_at_tip),
            ("a transaction", self._look_at_transactions),
            *((f"wallet {name}", partial(self._look_at, name)) for name in awake),
        ]
        done = [await self._attempt(name, step) for name, step in steps]
        # Notes come after the payments they go with, also when those had to be told twice.
        if None not in done:
            done.append(await self._attempt("the notes", self._write_notes))
        if None in done:
            self._due |= awake
        is_done = all(done)
        times = [self._rests_until[name] for name in resting] + ([] if is_done else [now + LOOK_AGAIN_SECONDS])
        return min(times, default=None)

    async def _attempt(self, name: str, step: Callable[[], Awaitable[bool]]) -> bool | None:
        """Return what a step returns, or None if it failed; it stays due, for nothing seen is dropped for an error."""
        try:
            return await step()
        except Exception:
            log.exception("%s could not be told to the journal; trying again", name)
            return None

    async def _look_at_tip(self) -> bool:
        """Tell a new best block; after a reorganisation everything is compared."""
        if not self._is_tip_due:
            return True
        tip, last = self._electrum.tip(), self._tip
        if tip is None or not self._electrum.is_synchronized():
            return False
        if tip != last:
            block_time = datetime.fromtimestamp(tip.time, UTC)
            self._journal.block(BlockEvent(height=tip.height, block_hash=tip.hash, block_time=block_time))
            self._tip = tip
        if last is not None and self._electrum.block_hash(last.height) != last.hash:
            self._compare_all()
            self._wake.set()
        self._is_tip_due = False
        return True

    async def _look_at_transactions(self) -> bool:
        """Look at the requests that the transactions of the hints pay; the rest of their wallets comes later."""
        while self._touched:
            name, txid = self._touched[0]
            wallet = self._wallets.get(name)
            if wallet is not None:
                paid = [r for address in wallet.electrum.paid_by(txid) for r in self._watched.at(name, address)]
                told = [self._look_at_request(wallet, request) for request in paid]
                if not all(told):
                    self._due.add(name)
            self._touched.popleft()
        return True

    async def _look_at(self, name: str) -> bool:
        """Compare all requests of a wallet; return False if something must wait until it is settled."""
        wallet = self._wallets.get(name)
        if wallet is None:
            return True
        loop = asyncio.get_running_loop()
        began_at, is_complete = loop.time(), True
        if wallet.electrum.is_synchronized():
            wallet.is_history = False
            wallet.was_synchronized.set()
        for place, request in enumerate(self._watched.of(name), start=1):
            is_complete &= self._look_at_request(wallet, request)
            if place % REQUESTS_PER_TURN == 0:
                await asyncio.sleep(0)
        self._rests_until[name] = loop.time() + REST * (loop.time() - began_at)
        is_awaited = self._awaited is not None and name in self._awaited
        if is_awaited and self._awaited and is_complete and wallet.electrum.is_synchronized():
            self._awaited.discard(name)
            is_awaited = False
        if is_awaited or not is_complete:
            self._due.add(name)
        return is_complete and not is_awaited

    def _look_at_request(self, wallet: OpenWallet, request: WatchedRequest) -> bool:
        """Tell what changed for a request; return False if it must wait until the wallet is settled."""
        outputs, told = wallet.electrum.outputs(request.address), self._told.get(request.lookup_key)
        if outputs == told:
            return True
        if not telling.only_adds(told, outputs) and not wallet.electrum.is_synchronized():
            return False
        now = datetime.now(UTC)
        expires_at = None if request.expires_at is None else int(request.expires_at.timestamp())
        standing = stand(
            telling.wanted_units(request, self._profile),
            expires_at,
            outputs,
            tip=self._electrum.height(),
            now=int(now.timestamp()),
        )
        self._journal.payments(
            request,
            telling.events(request, outputs, self._profile, now=now),
            summary=telling.summary(request, standing, self._profile),
        )
        self._told[request.lookup_key] = outputs
        return True

    def _take_note(self, wallet: OpenWallet, hint: Hint) -> None:
        """Keep an event that moves no money of ours; what a wallet's first reading finds is no news."""
        if wallet.is_history:
            return
        if hint.kind is HintKind.TRANSACTION:
            self._notes.append((wallet.name, {"event": "new_transaction", "tx": hint.txid}))
        elif hint.kind is HintKind.VERIFIED:
            self._notes.append((wallet.name, {"event": "verified_tx", "tx": hint.txid, "height": hint.height}))

    async def _write_notes(self) -> bool:
        while self._notes:
            self._journal.note(*self._notes[0])
            self._notes.popleft()
        return True
