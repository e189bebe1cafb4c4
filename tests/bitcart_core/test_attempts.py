"""Attempts: one at a time, on a schedule, each written down, and never repeated without end."""

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest
from sqlalchemy import update
from sqlmodel import Session, func, select

from bitcart_core import attempts, outbox
from bitcart_core.attempts import RETRY_AFTER, Conclusion
from bitcart_core.db import transaction
from bitcart_core.deliveries import Outcome, Target
from bitcart_core.errors import DeliveryError, Rejected
from bitcart_core.hookspecs import hookimpl
from bitcart_core.models import Delivery, DeliveryAttempt
from bitcart_core.plugin import Plugin
from bitcart_core.testing.shop import Shop


class Trying(Plugin):
    """Does what a test puts into `answers`: raises it or returns it; then takes everything."""

    def __init__(self, settings, context):
        super().__init__(settings, context)
        self.answers = []
        self.tried = []

    @hookimpl
    def announced(self, event, store, target):
        self.tried.append(target.key)
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        return answer


class ToTen(Trying):
    """Has ten targets for each event."""

    @hookimpl
    def delivery_targets(self, event, store):
        return [Target(key=f"{number:02}") for number in range(10)]

    @hookimpl
    def announced(self, event, store, target):
        return super().announced(event, store, target)


@pytest.fixture
def trying(shop_with) -> Shop:
    """A shop with one event on its way to one target."""
    shop = shop_with(trying=Trying)
    shop.sell("50")
    return shop


@pytest.fixture
def ten(shop_with) -> Shop:
    """A shop with one event on its way to ten targets."""
    shop = shop_with(trying=ToTen)
    shop.sell("50")
    return shop


def plugin(shop: Shop) -> Trying:
    return shop.kernel.registry.plugins["trying"].plugin


def row(shop: Shop) -> Delivery:
    with Session(shop.kernel.engine) as session:
        return session.exec(select(Delivery)).one()


def log(shop: Shop) -> list[DeliveryAttempt]:
    with Session(shop.kernel.engine) as session:
        return list(session.exec(select(DeliveryAttempt).order_by(DeliveryAttempt.attempt)))


def pass_time(shop: Shop, **values) -> None:
    """Let leases and waits be over."""
    past = func.now() - timedelta(seconds=1)
    with transaction(shop.kernel.engine) as session:
        session.execute(update(Delivery).values(due_at=past, locked_until=past, **values))


def pairs(claims) -> list[tuple[str, int]]:
    return [(claim.delivery_id, claim.attempt) for claim in claims]


def attempt(shop: Shop) -> None:
    attempts.make(shop.kernel, pairs(outbox.spread(shop.kernel) + attempts.claim_due(shop.kernel)))


def begin(shop: Shop, claims) -> list[str]:
    with transaction(shop.kernel.engine) as session:
        return [delivery.target_key for delivery, _ in attempts.begin(session, claims)]


# Claims


def test_what_is_held_is_nobody_elses(ten: Shop):
    assert len(outbox.spread(ten.kernel)) == 10
    assert attempts.claim_due(ten.kernel) == []


def test_what_is_held_too_long_is_free_again(ten: Shop):
    outbox.spread(ten.kernel)
    pass_time(ten)

    assert len(attempts.claim_due(ten.kernel)) == 10


def test_what_is_not_due_is_left_alone(ten: Shop):
    outbox.spread(ten.kernel)
    pass_time(ten)
    with transaction(ten.kernel.engine) as session:
        later = func.now() + timedelta(minutes=1)
        session.execute(update(Delivery).where(Delivery.target_key > "03").values(due_at=later))

    assert len(attempts.claim_due(ten.kernel)) == 4


def test_only_so_many_are_claimed_at_once(ten: Shop):
    outbox.spread(ten.kernel)
    pass_time(ten)

    assert [len(attempts.claim_due(ten.kernel, limit=4)) for _ in range(4)] == [4, 4, 2, 0]


def test_two_who_claim_at_once_never_get_the_same(ten: Shop, at_once):
    outbox.spread(ten.kernel)
    for _ in range(3):
        pass_time(ten)
        parts = at_once(*[partial(attempts.claim_due, ten.kernel, limit=3)] * 6)
        claimed = [claim.delivery_id for part in parts for claim in part]
        rest = [claim.delivery_id for claim in attempts.claim_due(ten.kernel)]

        assert len(claimed + rest) == len(set(claimed + rest)) == 10


def test_what_another_transaction_holds_is_passed_over_without_waiting(ten: Shop):
    outbox.spread(ten.kernel)
    pass_time(ten)
    with transaction(ten.kernel.engine) as session:
        held = session.exec(select(Delivery.id).where(Delivery.target_key < "03").with_for_update()).all()
        claimed = attempts.claim_due(ten.kernel)

    assert len(held) == 3
    assert len(claimed) == 7


# Beginning


def test_one_claim_is_begun_once(trying: Shop):
    claims = pairs(outbox.spread(trying.kernel))

    assert begin(trying, claims) == ["plugin"]
    assert begin(trying, claims) == []
    assert row(trying).attempt == 1


def test_eight_workers_with_one_claim_make_one_attempt(trying: Shop, at_once):
    claims = pairs(outbox.spread(trying.kernel))
    at_once(*[partial(attempts.make, trying.kernel, claims)] * 8)

    assert plugin(trying).tried == ["plugin"]


def test_what_is_done_is_not_begun_again(trying: Shop):
    claims = pairs(outbox.spread(trying.kernel))
    attempts.make(trying.kernel, claims)
    attempts.make(trying.kernel, claims)
    attempts.make(trying.kernel, [(claims[0][0], 2)])

    assert plugin(trying).tried == ["plugin"]


def test_an_unknown_delivery_is_nobodys(trying: Shop):
    assert begin(trying, [("nobody's", 1)]) == []


def test_a_claim_that_waited_long_in_its_queue_is_still_good_and_used_up_nothing(trying: Shop):
    first = pairs(outbox.spread(trying.kernel))
    for _ in range(20):  # claimed again and again while no worker was up
        pass_time(trying)
        assert pairs(attempts.claim_due(trying.kernel)) == first

    attempts.make(trying.kernel, first)
    assert plugin(trying).tried == ["plugin"]
    assert row(trying).attempt == 1


def test_attempts_that_break_off_without_a_word_end_after_the_tenth(trying: Shop, caplog):
    outbox.spread(trying.kernel)
    for number in range(1, len(RETRY_AFTER) + 1):
        pass_time(trying)
        [claim] = pairs(attempts.claim_due(trying.kernel))
        assert claim[1] == number
        assert begin(trying, [claim]) == ["plugin"]  # and the worker is killed
    pass_time(trying)
    attempt(trying)

    assert (row(trying).status, row(trying).attempt) == ("dead", 10)
    assert "broke off without a word" in row(trying).error
    assert "is dead" in caplog.text
    assert plugin(trying).tried == []


# Concluding


def conclude(shop: Shop, *conclusions: Conclusion) -> None:
    with transaction(shop.kernel.engine) as session:
        attempts.conclude(session, conclusions)


@pytest.mark.parametrize("error", [None, DeliveryError("no"), Rejected("never")])
def test_an_attempt_that_lost_its_hold_changes_nothing(trying: Shop, error):
    [first] = pairs(outbox.spread(trying.kernel))
    begin(trying, [first])
    pass_time(trying)
    [second] = pairs(attempts.claim_due(trying.kernel))
    begin(trying, [second])
    before = row(trying)
    conclude(trying, Conclusion(delivery_id=first[0], attempt=first[1], outcome=None, error=error, duration_ms=1))

    assert row(trying) == before
    assert log(trying) == []


def test_what_was_delivered_is_written_down(trying: Shop):
    plugin(trying).answers = [Outcome(summary="200 OK", detail={"status": 200})]
    attempt(trying)

    assert (row(trying).status, row(trying).locked_until, row(trying).error) == ("delivered", None, "")
    assert row(trying).done_at is not None
    [entry] = log(trying)
    assert (entry.attempt, entry.is_success, entry.summary, entry.detail) == (1, True, "200 OK", {"status": 200})
    assert entry.duration_ms >= 0


def test_what_failed_is_written_down_and_due_again(trying: Shop):
    plugin(trying).answers = [DeliveryError("503 from shop.example", detail={"status": 503})]
    attempt(trying)

    assert (row(trying).status, row(trying).error) == ("due", "503 from shop.example")
    [entry] = log(trying)
    assert (entry.is_success, entry.summary, entry.detail) == (False, "503 from shop.example", {"status": 503})

    pass_time(trying)
    attempt(trying)
    assert row(trying).status == "delivered"
    assert [(entry.attempt, entry.is_success) for entry in log(trying)] == [(1, False), (2, True)]


def test_what_the_recipient_will_never_take_is_dead_at_once(trying: Shop):
    plugin(trying).answers = [Rejected("410: it wants no more")]
    attempt(trying)
    pass_time(trying)
    attempt(trying)

    assert (row(trying).status, row(trying).error) == ("dead", "410: it wants no more")
    assert len(log(trying)) == 1


def test_after_the_tenth_failure_it_is_dead_and_all_ten_are_written_down(trying: Shop):
    plugin(trying).answers = [DeliveryError(f"failure {number}") for number in range(1, 20)]
    for _ in range(12):
        attempt(trying)
        pass_time(trying)

    assert (row(trying).status, row(trying).error) == ("dead", "failure 10")
    assert [entry.summary for entry in log(trying)] == [f"failure {number}" for number in range(1, 11)]


UNEXPECTED = [
    ValueError("a bug"), KeyError("key"), RecursionError("too deep"), MemoryError(), AssertionError(), StopIteration(),
    ExceptionGroup("several", [ValueError(), OSError()]), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
    ValueError("a\x00b\ud800"), ValueError("x" * 10**6), DeliveryError("\x00", detail={"\x00": ["\ud800", float("nan")]}),
    DeliveryError("what is no JSON", detail={"amount": Decimal("1.5"), "body": b"\x00", "object": object()}),
]  # fmt: skip


@pytest.mark.parametrize("error", UNEXPECTED, ids=[f"{type(e).__name__} {str(e)[:12]!a}" for e in UNEXPECTED])
def test_whatever_a_plugin_raises_is_a_failure_that_is_tried_again(
    trying: Shop, caplog: pytest.LogCaptureFixture, error
):
    caplog.set_level("CRITICAL")  # a lone surrogate in a captured log cannot cross from one test process to another
    plugin(trying).answers = [error]
    attempt(trying)

    assert row(trying).status == "due"
    [entry] = log(trying)
    assert not entry.is_success
    assert entry.summary
    assert len(entry.summary) <= 2000


HANDED_BACK = {
    "nothing": (None, ""),
    "a word": ("done", ""),
    "an outcome": (Outcome(summary="sent"), "sent"),
    "text no database can hold": (Outcome(summary="a\x00b", detail={"body": "\x00"}), "a\ufffdb"),
    "what is no JSON": (Outcome(summary="sent", detail={"body": b"\xff", "times": (Decimal(1), float("inf"))}), "sent"),
    "no text": (Outcome(summary=17), "17"),
}


@pytest.mark.parametrize(("answer", "summary"), HANDED_BACK.values(), ids=HANDED_BACK)
def test_whatever_a_plugin_hands_back_the_delivery_is_done(trying: Shop, answer, summary):
    plugin(trying).answers = [answer]
    attempt(trying)

    assert row(trying).status == "delivered"
    assert [entry.summary for entry in log(trying)] == [summary]


def test_a_failing_target_does_not_silence_those_behind_it(ten: Shop):
    plugin(ten).answers = [ValueError("a bug")]
    attempt(ten)

    assert len(plugin(ten).tried) == 10
    with Session(ten.kernel.engine) as session:
        assert session.exec(select(Delivery.status, func.count()).group_by(Delivery.status)).all() == [
            ("delivered", 9), ("due", 1),
        ]  # fmt: skip


def test_a_plugin_that_is_not_loaded_any_more_leaves_its_deliveries_for_when_it_is(trying: Shop, monkeypatch):
    outbox.spread(trying.kernel)
    pass_time(trying)
    with monkeypatch.context() as patch:
        patch.delitem(trying.kernel.registry.plugins, "trying")
        attempt(trying)
    assert row(trying).error == "plugin trying is not loaded; add it to plugins.toml"

    pass_time(trying)
    attempt(trying)
    assert row(trying).status == "delivered"


def test_what_a_slow_batch_does_not_get_to_is_given_back_untouched(ten: Shop, monkeypatch):
    monkeypatch.setattr(attempts, "PATIENCE", timedelta(seconds=-1))
    attempt(ten)
    assert len(plugin(ten).tried) == 1

    claims = attempts.claim_due(ten.kernel)
    assert [claim.attempt for claim in claims] == [1] * 9


def test_the_wish_of_a_recipient_is_what_the_row_waits_for(trying: Shop):
    plugin(trying).answers = [DeliveryError("429", retry_after_seconds=3600)]
    attempt(trying)

    with Session(trying.kernel.engine) as session:
        left = session.exec(select(Delivery.due_at - func.now())).one()
    assert timedelta(minutes=50) < left <= timedelta(hours=1)
