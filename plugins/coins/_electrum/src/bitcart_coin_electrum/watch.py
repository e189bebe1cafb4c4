"""Turn Electrum's hints into the journal's truths. A hint says where to look; what is told is always looked up.

Every few minutes, at the start, when a server comes and after a reorganisation everything watched is compared,
so that no payment depends on a callback.
"""

import asyncio
import contextlib
import logging
import time
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from bitcart_coin_electrum import units
from bitcart_coin_electrum.adapter import Electrum, Hint, HintKind, Tip
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.standing import Output, Standing, stand
from bitcart_coin_electrum.store import RequestStore, StoredRequest
from bitcart_coin_electrum.wallets import OpenWallet, Wallets
from bitcart_core import BlockEvent, CoinRefused, DaemonJournal, PaymentEvent, WatchedRequest

log = logging.getLogger(__name__)

COMPARE_SECONDS = 180.0
LOOK_AGAIN_SECONDS = 1.0
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
        self._watched: dict[str, dict[str, WatchedRequest]] = defaultdict(dict)
        self._told: dict[str, tuple[Output, ...]] = {}
        self._tip: Tip | None = None
        self._is_tip_due = True
        self._due: set[str] = set()
        self._notes: deque[tuple[str, Mapping[str, object]]] = deque()
        self._wake = asyncio.Event()

    def hint(self, hint: Hint) -> None:
        """Take a hint; returns at once."""
        wallet = self._wallets.get(hint.wallet)
        if wallet is not None:
            self._due.add(wallet.name)
            self._take_note(wallet, hint)
        if hint.kind in (HintKind.TIP, HintKind.SERVER):
            self._is_tip_due = True
        if hint.kind is HintKind.SERVER:
            self._due.update(wallet.name for wallet in self._wallets)
        self._wake.set()

    def add(self, request: StoredRequest) -> None:
        """Watch a request; durable when this returns."""
        watched = WatchedRequest(
            lookup_key=request.id,
            wallet=request.wallet,
            address=request.address,
            amount=None if request.units is None else units.to_coins(request.units, self._profile.decimals),
            expires_at=None if request.expires_at is None else datetime.fromtimestamp(request.expires_at, UTC),
        )
        self._journal.watch(watched)
        self._watched[request.wallet][request.id] = watched
        self._told.setdefault(request.id, ())

    def is_watching(self, request: StoredRequest) -> bool:
        """Return whether a request is watched."""
        return request.id in self._watched.get(request.wallet, {})

    def is_watching_wallet(self, name: str) -> bool:
        """Return whether any request of a wallet is watched."""
        return bool(self._watched.get(name))

    def refresh(self) -> None:
        """Read again from the journal what is watched; what it gave up is forgotten here too."""
        watched: dict[str, dict[str, WatchedRequest]] = defaultdict(dict)
        for request in self._journal.watched():
            watched[request.wallet][request.lookup_key] = request
        self._watched = watched
        kept = {key for requests in watched.values() for key in requests}
        self._told = {key: outputs for key, outputs in self._told.items() if key in kept}

    def standing(self, request: StoredRequest) -> Standing:
        """Return how a request stands by what its wallet knows now."""
        wallet = self._wallets.get(request.wallet)
        # An address may serve again long after it expired unfunded; then its money is for the later request.
        is_latest = self._requests.latest_at(request.address) == request
        outputs = wallet.electrum.outputs(request.address) if wallet and is_latest else ()
        return stand(request, outputs, tip=self._electrum.height(), now=int(time.time()))

    async def keep_open(self) -> None:
        """Open the wallets of watched requests from their files, now and whenever one is missing, until cancelled."""
        without_file: set[str] = set()
        while True:
            try:
                self.refresh()
                for name in self._closed_but_watched() - without_file:
                    if not await self._reopen(name):
                        without_file.add(name)
            except Exception:
                log.exception("the list of watched requests could not be read; trying again")
            await asyncio.sleep(COMPARE_SECONDS)

    def _closed_but_watched(self) -> set[str]:
        return {name for name, requests in self._watched.items() if requests and self._wallets.get(name) is None}

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

    async def run(self) -> None:
        """Follow hints until cancelled."""
        loop = asyncio.get_running_loop()
        compare_at = loop.time() + COMPARE_SECONDS
        while True:
            # Not `wait_for`: in Python 3.11 it loses a cancellation that comes together with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(compare_at):
                    await self._wake.wait()
            self._wake.clear()
            if loop.time() >= compare_at:
                compare_at = loop.time() + COMPARE_SECONDS
                self._due.update(wallet.name for wallet in self._wallets)
            if not await self._turn():
                loop.call_later(LOOK_AGAIN_SECONDS, self._wake.set)

    async def _turn(self) -> bool:
        """Do what is due; return False if something is due again, because it failed or has not settled."""
        steps: list[tuple[str, Callable[[], Awaitable[bool]]]] = [("the best block", self._look_at_tip)]
        due, self._due = self._due, set()
        steps += [(f"wallet {name}", partial(self._look_at, name)) for name in due]
        steps += [("the notes", self._write_notes)]
        is_done = True
        for name, step in steps:
            try:
                is_done &= await step()
            except Exception:
                # Whatever it was, it stays due: nothing seen is ever dropped for an error.
                log.exception("%s could not be told to the journal; trying again", name)
                self._due |= due
                is_done = False
        return is_done

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
            self._due.update(wallet.name for wallet in self._wallets)
            self._wake.set()
        self._is_tip_due = False
        return True

    async def _look_at(self, name: str) -> bool:
        wallet = self._wallets.get(name)
        if wallet is None:
            return True
        if wallet.electrum.is_synchronized():
            wallet.is_history = False
            wallet.was_synchronized.set()
        is_complete = await self._compare(wallet)
        if not is_complete:
            self._due.add(name)
        return is_complete

    async def _compare(self, wallet: OpenWallet) -> bool:
        """Tell the journal what changed for a wallet; return False if something must wait until it is settled."""
        is_complete = True
        for place, request in enumerate(list(self._watched[wallet.name].values()), start=1):
            outputs, told = wallet.electrum.outputs(request.address), self._told.get(request.lookup_key)
            if outputs != told:
                if _only_adds(told, outputs) or wallet.electrum.is_synchronized():
                    self._tell(request, outputs)
                else:
                    is_complete = False
            if place % REQUESTS_PER_TURN == 0:
                await asyncio.sleep(0)
        return is_complete

    def _tell(self, request: WatchedRequest, outputs: tuple[Output, ...]) -> None:
        stored = self._requests.get(request.lookup_key)
        if stored is None:
            return
        now = datetime.now(UTC)
        standing = stand(stored, outputs, tip=self._electrum.height(), now=int(now.timestamp()))
        self._journal.payments(
            request, [self._event(request, output, now) for output in outputs], summary=self.summary(stored, standing)
        )
        self._told[request.lookup_key] = outputs

    def summary(self, request: StoredRequest, standing: Standing) -> Mapping[str, object]:
        """Return the contract's `new_payment` (section 3); its `address` is the id of the request."""
        return {
            "address": request.id,
            "status": int(standing.status),
            "status_str": standing.text,
            "tx_hashes": list(standing.txids),
            "sent_amount": units.padded(standing.units, self._profile.decimals),
        }

    def _event(self, request: WatchedRequest, output: Output, now: datetime) -> PaymentEvent:
        return PaymentEvent(
            lookup_key=request.lookup_key,
            address=request.address,
            txid=output.txid,
            output=str(output.index),
            amount=units.to_coins(output.units, self._profile.decimals),
            first_seen_at=now,
            height=output.height,
            block_hash=output.block_hash,
            block_time=output.mined_at(),
        )

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


def _only_adds(told: tuple[Output, ...] | None, outputs: tuple[Output, ...]) -> bool:
    """Return whether nothing told before is gone or out of its block again.

    Only a wallet in step with its server can say that money is gone; in between Electrum forgets and finds again.
    Before anything was told, nothing is known about what the journal holds.
    """
    if told is None:
        return False
    now = {(output.txid, output.index): output for output in outputs}
    kept = (now.get((before.txid, before.index)) for before in told)
    return all(
        after is not None and (before.height is None or after.height is not None)
        for before, after in zip(told, kept, strict=True)
    )
