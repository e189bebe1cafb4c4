"""Stored facts: numbered without gaps, spread once to everyone concerned, whatever a plugin does."""

import threading
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import update
from sqlmodel import Session, func, select

from bitcart_core import attempts, outbox, registry
from bitcart_core.db import transaction
from bitcart_core.deliveries import Target
from bitcart_core.events import InvoiceEventKind
from bitcart_core.hookspecs import hookimpl
from bitcart_core.models import Delivery, Event
from bitcart_core.outbox import Announcement
from bitcart_core.plugin import Plugin
from bitcart_core.testing.plugins import Recording
from bitcart_core.testing.shop import Shop


class Asked(Plugin):
    """Says to whom events go, and counts how often it was asked."""

    targets = [Target(key="one"), Target(key="two")]  # noqa: RUF012 - read only

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.questions = []

    @hookimpl
    def delivery_targets(self, event, store):
        self.questions.append((event.kind, store.name))
        return self.targets

    @hookimpl
    def announced(self, event, store, target):
        pass


class Raising(Asked):
    """Fails to say so until it is mended."""

    is_mended = False

    @hookimpl
    def delivery_targets(self, event, store):
        self.questions.append((event.kind, store.name))
        if not self.is_mended:
            raise RuntimeError("out of order")
        return self.targets

    @hookimpl
    def announced(self, event, store, target):
        pass


class Completed(Plugin):
    """Hears of one kind only and names no target."""

    @hookimpl
    def invoice_completed(self, event, store, target):
        pass


class Deaf(Plugin):
    """Would name targets and hears of nothing."""

    @hookimpl
    def delivery_targets(self, event, store):
        return [Target(key="never")]


def deliveries(shop: Shop) -> list[tuple[str, str]]:
    with Session(shop.kernel.engine) as session:
        statement = select(Delivery.plugin, Delivery.target_key).order_by(Delivery.plugin, Delivery.target_key)
        return [tuple(row) for row in session.exec(statement)]


def stored_event(shop: Shop) -> Event:
    with Session(shop.kernel.engine) as session:
        return session.exec(select(Event).order_by(Event.seq.desc())).first()


def plugin(shop: Shop, name: str):
    return shop.kernel.registry.plugins[name].plugin


def make_due(shop: Shop) -> None:
    with transaction(shop.kernel.engine) as session:
        session.execute(update(Event).values(spread_due_at=func.now() - timedelta(seconds=1)))


def test_eight_announcers_at_once_leave_no_gap_in_the_numbers(shop: Shop, at_once):
    def sell_five():
        for _ in range(5):
            shop.sell("50")

    at_once(*[sell_five] * 8)

    assert [event.seq for event in shop.events()] == list(range(1, 41))


def test_what_is_rolled_back_leaves_no_gap(shop: Shop):
    case = shop.sell("50")
    announcement = Announcement(kind=InvoiceEventKind.PAID, invoice=case.view())
    with Session(shop.kernel.engine) as session:
        outbox.announce(session, shop.store.id, [announcement] * 3, now=datetime.now(UTC))
        session.rollback()
    shop.sell("50")

    assert [event.seq for event in shop.events()] == [1, 2]


def test_every_store_has_numbers_of_its_own(kernel, coin):
    green, brown = (Shop.open(kernel, coin, email=f"{name}@example.com") for name in ("green", "brown"))
    for shop in (green, brown, green):
        shop.sell("50")

    assert [[event.seq for event in shop.events()] for shop in (green, brown)] == [[1, 2], [1]]


def test_whoever_listens_is_woken_by_the_commit(shop: Shop):
    with outbox.listen(shop.kernel.settings.database_url) as connection:
        shop.sell("50")

        assert [notice.channel for notice in connection.notifies(timeout=30, stop_after=1)] == [outbox.CHANNEL]


def test_nothing_to_announce_wakes_nobody(shop: Shop):
    with outbox.listen(shop.kernel.settings.database_url) as connection:
        with transaction(shop.kernel.engine) as session:
            outbox.announce(session, shop.store.id, [], now=datetime.now(UTC))
        with psycopg.connect(shop.kernel.settings.database_url) as other:
            other.execute(f"notify {outbox.CHANNEL}, 'the only one'")

        assert [notice.payload for notice in connection.notifies(timeout=30, stop_after=1)] == ["the only one"]


def test_each_plugin_is_asked_once_for_each_event(shop_with):
    shop = shop_with(asked=Asked)
    shop.sell("50")
    for _ in range(3):
        outbox.spread(shop.kernel)

    assert plugin(shop, "asked").questions == [("invoice_created", "Green Bean")]
    assert deliveries(shop) == [("asked", "one"), ("asked", "two")]


def test_a_plugin_hears_of_what_it_has_a_hook_for(shop_with):
    shop = shop_with(completed=Completed, deaf=Deaf)
    case = shop.sell("50")
    shop.pay(case, "0.001")
    outbox.spread(shop.kernel)

    assert deliveries(shop) == [("completed", "plugin")]


def test_new_deliveries_are_claimed_for_their_first_attempt(shop_with):
    shop = shop_with(asked=Asked)
    shop.sell("50")
    claims = outbox.spread(shop.kernel)

    assert [(claim.attempt, claim.lane) for claim in claims] == [(1, "isolated")] * 2
    assert attempts.claim_due(shop.kernel) == []


def test_a_plugin_that_fails_to_answer_silences_no_other_and_is_asked_again_later(shop_with):
    shop = shop_with(raising=Raising, asked=Asked)
    shop.sell("50")
    outbox.spread(shop.kernel)
    assert deliveries(shop) == [("asked", "one"), ("asked", "two")]
    assert stored_event(shop).spread_error == "raising: RuntimeError: out of order"

    outbox.spread(shop.kernel)
    assert len(plugin(shop, "raising").questions) == 1  # not before its time

    plugin(shop, "raising").is_mended = True
    make_due(shop)
    outbox.spread(shop.kernel)
    assert deliveries(shop) == [("asked", "one"), ("asked", "two"), ("raising", "one"), ("raising", "two")]
    assert stored_event(shop).spread_at is not None
    assert stored_event(shop).spread_error == ""


def test_a_plugin_that_never_answers_is_asked_less_and_less_often(shop_with):
    shop = shop_with(raising=Raising)
    shop.sell("50")
    waits = []
    for _ in range(4):
        make_due(shop)
        outbox.spread(shop.kernel)
        with Session(shop.kernel.engine) as session:
            waits.append(session.exec(select(Event.spread_due_at - func.now())).one().total_seconds())

    assert waits == sorted(waits)
    assert all(wait <= longest for wait, longest in zip(waits, [5, 30, 300, 1800], strict=True))
    assert waits[-1] > 300
    assert stored_event(shop).spread_attempts == 4


NONSENSE = {
    "no list": 17,
    "words": ["one"],
    "nothing in a list": [None],
    "what is no JSON": [Target(key="one", data={"object": object()})],
    "a key that is no text": [Target(key=17)],
}


@pytest.mark.parametrize("answer", NONSENSE.values(), ids=NONSENSE)
def test_a_plugin_that_answers_nonsense_is_named_and_silences_no_other(shop_with, answer):
    shop = shop_with(nonsense=type("Nonsense", (Asked,), {"targets": answer}), asked=Asked)
    shop.sell("50")
    outbox.spread(shop.kernel)

    assert deliveries(shop) == [("asked", "one"), ("asked", "two")]
    assert stored_event(shop).spread_error.startswith("nonsense: ")


def test_a_plugin_that_hangs_over_its_targets_is_named_and_silences_no_other(shop_with, monkeypatch):
    monkeypatch.setattr(registry, "ASK_SECONDS", 0.1)
    release = threading.Event()

    class Hanging(Asked):
        @hookimpl
        def delivery_targets(self, event, store):
            release.wait(timeout=60)

        @hookimpl
        def announced(self, event, store, target):
            pass

    shop = shop_with(hanging=Hanging, asked=Asked)
    shop.sell("50")
    outbox.spread(shop.kernel)
    release.set()

    assert deliveries(shop) == [("asked", "one"), ("asked", "two")]
    assert stored_event(shop).spread_error.startswith("hanging: TimeoutError")


def test_a_target_holds_text_from_strangers(shop_with):
    hostile = [Target(key="a\x00b", label="\ud800", data={"url\x00": ["\x00"]})]
    shop = shop_with(hostile=type("Hostile", (Asked,), {"targets": hostile}))
    shop.sell("50")
    outbox.spread(shop.kernel)

    assert deliveries(shop) == [("hostile", "a\ufffdb")]


def test_an_event_that_cannot_be_read_stands_before_no_other(shop_with):
    shop = shop_with(asked=Asked)
    shop.sell("50")
    with transaction(shop.kernel.engine) as session:
        session.execute(update(Event).values(payload={"kind": "of a later version"}))
    shop.sell("50")
    outbox.spread(shop.kernel)

    assert deliveries(shop) == [("asked", "one"), ("asked", "two")]
    with Session(shop.kernel.engine) as session:
        first = session.exec(select(Event).order_by(Event.seq)).first()
    assert first.spread_error.startswith("the event cannot be read")


def test_spreading_many_times_at_once_adds_nothing(shop_with, at_once):
    shop = shop_with(asked=Asked)
    for _ in range(5):
        shop.sell("50")
    claims = [claim for part in at_once(*[partial(outbox.spread, shop.kernel)] * 6) for claim in part]

    assert len(deliveries(shop)) == len(claims) == len({claim.delivery_id for claim in claims}) == 10


def test_money_without_an_invoice_concerns_no_plugin(shop_with):
    shop = shop_with(asked=Asked)
    shop.hear(shop.coin.pay("a stranger's request", "1"))
    outbox.spread(shop.kernel)

    assert plugin(shop, "asked").questions == []


def test_short_work_is_queued_in_batches_and_the_rest_one_by_one(shop_with):
    shop = shop_with(recording=Recording, asked=Asked)
    for _ in range(23):
        shop.sell("50")

    assert outbox.dispatch(shop.kernel) == 23 * 3
    inline, isolated = (shop.kernel.queue(lane).jobs for lane in ("inline", "isolated"))
    assert [len(job.args[0]) for job in inline] == [20, 3]
    assert [len(job.args[0]) for job in isolated] == [1] * 46
    assert outbox.dispatch(shop.kernel) == 0


def test_while_redis_is_away_nothing_is_held_and_nothing_is_lost(shop_with, monkeypatch):
    shop = shop_with(recording=Recording, asked=Asked)
    shop.sell("50")
    with monkeypatch.context() as patch:
        patch.setitem(shop.kernel.__dict__, "redis", Redis(port=1, retry=Retry(NoBackoff(), 0)))
        assert outbox.dispatch(shop.kernel) == 0

    assert outbox.dispatch(shop.kernel) == 3
