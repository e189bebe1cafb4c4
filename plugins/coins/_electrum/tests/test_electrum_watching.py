"""The watcher on its own: hints that do not come, journals that fail, wallets that are not settled."""

import asyncio
from dataclasses import dataclass, field

import pytest
from bitcart_coin_electrum import watch
from bitcart_coin_electrum.adapter import Hint, HintKind, Tip
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.standing import Output
from bitcart_coin_electrum.store import RequestStore, StoredRequest
from bitcart_coin_electrum.testing import MemoryJournal
from bitcart_coin_electrum.wallets import OpenWallet
from bitcart_coin_electrum.watch import Watcher

PROFILE = CoinProfile(code="btc", symbol="BTC", uri_scheme="bitcoin", default_port=5000, networks={})
REQUEST = StoredRequest("0123456789", "w", "address", 0, 100, "", 1_700_000_000, 0)


def paid(txid="tx", height=None):
    return Output(txid, 0, 100, height, height and f"hash-{height}", height and 1_700_000_000)


@dataclass
class Wallet:
    """What the watcher sees of Electrum's wallet."""

    paying: dict[str, tuple[Output, ...]] = field(default_factory=dict)
    is_settled: bool = True

    def outputs(self, address):
        return self.paying.get(address, ())

    def paid_by(self, txid):
        return [address for address, outputs in self.paying.items() if txid in {output.txid for output in outputs}]

    def is_synchronized(self):
        return self.is_settled


@dataclass
class Chain:
    """What the watcher sees of Electrum."""

    blocks: list[str] = field(default_factory=lambda: ["genesis", "one"])
    follows: bool = True

    def tip(self):
        return Tip(self.height(), self.blocks[-1], 1_700_000_000)

    def height(self):
        return len(self.blocks) - 1

    def block_hash(self, height):
        return self.blocks[height] if height < len(self.blocks) else None

    def is_synchronized(self):
        return self.follows


class Wallets(dict):
    """Open wallets by name."""

    def __iter__(self):
        return iter(list(self.values()))

    async def reopen(self, name):
        return self.get(name)


class Journal(MemoryJournal):
    """Fails as often as it is told to."""

    failures = 0

    def _stumble(self):
        if self.failures:
            self.failures -= 1
            raise OSError("no space left on device")

    def payments(self, *positional, **named):
        self._stumble()
        super().payments(*positional, **named)

    def block(self, event):
        self._stumble()
        super().block(event)

    def note(self, wallet, event):
        self._stumble()
        super().note(wallet, event)


class Scene:
    """A watcher with one wallet that has one request."""

    def __init__(self, folder):
        self.chain, self.wallet, self.journal = Chain(), Wallet(), Journal()
        self.open = OpenWallet("w", self.wallet, is_diskless=False, is_history=False)
        self.store = RequestStore(folder / "requests.sqlite")
        self.watcher = Watcher(self.chain, Wallets(w=self.open), self.store, self.journal, PROFILE)

    def request(self):
        self.store.add(REQUEST)
        self.watcher.add(REQUEST)

    def pay(self, *outputs):
        self.wallet.paying["address"] = outputs

    def hint(self, kind=HintKind.WALLET, wallet="w", **where):
        self.watcher.hint(Hint(kind, wallet, **where))

    def run(self, *steps):
        """Run the watcher; each step acts, or is a condition to wait for."""

        async def play():
            running = asyncio.create_task(self.watcher.run())
            try:
                async with asyncio.timeout(30):
                    for step in steps:
                        while step() is False:  # noqa: ASYNC110 - conditions of many kinds
                            await asyncio.sleep(0.001)
            finally:
                running.cancel()

        asyncio.run(play())

    @property
    def outputs(self):
        return self.journal.of(REQUEST.id)

    def has(self, *names):
        return lambda: [event["event"] for event in self.journal.events] == list(names)


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setattr(watch, "LOOK_AGAIN_SECONDS", 0.01)
    scene = Scene(tmp_path)
    yield scene
    scene.store.close()


def test_a_payment_is_found_without_any_hint(scene, monkeypatch):
    monkeypatch.setattr(watch, "COMPARE_SECONDS", 0.05)
    scene.request()
    scene.run(lambda: bool(scene.journal.events), lambda: scene.pay(paid()), lambda: bool(scene.outputs))


def test_a_hint_of_a_transaction_is_enough(scene):
    scene.request()
    scene.run(
        scene.has("new_block"),
        lambda: scene.pay(paid()),
        lambda: scene.hint(HintKind.TRANSACTION, txid="tx"),
        scene.has("new_block", "new_payment", "new_transaction"),
    )


def test_what_fails_is_told_again_in_its_order(scene):
    scene.request()
    scene.journal.failures = 1
    scene.run(
        scene.has("new_block"),
        lambda: setattr(scene.journal, "failures", 3),
        lambda: scene.pay(paid()),
        lambda: scene.hint(HintKind.TRANSACTION, txid="tx"),
        scene.has("new_block", "new_payment", "new_transaction"),
    )
    assert scene.journal.failures == 0


def test_a_wallet_that_fails_does_not_silence_another(scene):
    scene.request()

    class Broken(Wallet):
        def is_synchronized(self):
            raise RuntimeError("broken")

    wallets = scene.watcher._wallets
    wallets["broken"] = OpenWallet("broken", Broken(), is_diskless=False, is_history=False)
    scene.pay(paid())
    scene.run(lambda: bool(scene.outputs))


def test_money_is_told_as_gone_only_by_a_settled_wallet(scene):
    scene.request()
    scene.pay(paid())
    scene.run(
        scene.hint,
        lambda: bool(scene.outputs),
        lambda: setattr(scene.wallet, "is_settled", False),
        scene.pay,
        scene.hint,
        lambda: setattr(scene.chain, "blocks", ["genesis", "one", "two"]),
        lambda: scene.hint(HintKind.TIP, wallet=""),
        scene.has("new_block", "new_payment", "new_block"),
        lambda: not scene.outputs[0].is_replaced,
        lambda: setattr(scene.wallet, "is_settled", True),
        lambda: scene.outputs[0].is_replaced,
    )


def test_after_a_reorganisation_every_wallet_is_compared(scene):
    scene.request()
    scene.pay(paid(height=1))
    scene.run(
        lambda: bool(scene.outputs),
        lambda: scene.pay(paid(height=2)),
        lambda: setattr(scene.chain, "blocks", ["genesis", "another one", "two"]),
        lambda: scene.hint(HintKind.TIP, wallet=""),
        lambda: scene.outputs[0].height == 2,
    )


def test_no_block_is_told_while_headers_are_still_read(scene):
    scene.chain.follows = False
    scene.run(
        lambda: scene.hint(HintKind.TIP, wallet=""),
        lambda: not scene.watcher._wake.is_set(),
        lambda: setattr(scene.chain, "blocks", ["genesis", "one", "two"]),
        lambda: setattr(scene.chain, "follows", True),
        scene.has("new_block"),
    )
    assert scene.journal.events[0]["height"] == 2


def test_a_wallet_that_is_read_for_the_first_time_makes_no_news(scene):
    scene.open.is_history, scene.wallet.is_settled = True, False
    scene.run(
        scene.has("new_block"),
        lambda: scene.hint(HintKind.TRANSACTION, txid="old"),
        lambda: setattr(scene.wallet, "is_settled", True),
        scene.hint,
        scene.open.was_synchronized.is_set,
        lambda: scene.hint(HintKind.VERIFIED, txid="new", height=1),
        scene.has("new_block", "verified_tx"),
    )


def test_a_big_wallet_leaves_time_for_others(scene):
    scene.request()
    scene.run(scene.hint, lambda: "w" in scene.watcher._rests_until, lambda: not scene.watcher._due)
    scene.watcher._rests_until["w"] = float("inf")
    scene.pay(paid())

    async def turn():
        scene.hint()
        first = await scene.watcher._turn(0)
        scene.hint(HintKind.TRANSACTION, txid="tx")
        await scene.watcher._turn(0)
        return first

    assert asyncio.run(turn()) == float("inf")
    assert scene.outputs, "a transaction's own requests do not wait"


def test_a_lost_journal_and_a_lost_store_fill_each_other(scene):
    scene.store.add(REQUEST)
    other = StoredRequest("abcdefabcd", "w", "other", 1, None, "", 1_700_000_000, 0)
    scene.watcher.add(other)
    scene.watcher.reconcile(live_after=1_700_000_000)
    assert {request.lookup_key for request in scene.journal.watched()} == {REQUEST.id, other.id}
    assert scene.store.get(other.id).address == "other"


def test_requests_that_ended_long_ago_are_not_watched_again(scene):
    ended = StoredRequest("abcdefabcd", "w", "other", 1, None, "", 1_700_000_000, 900)
    scene.store.add(ended)
    scene.watcher.reconcile(live_after=1_700_001_000)
    assert not scene.watcher.is_watching(ended)
    assert not scene.watcher.is_watching_wallet("w")
