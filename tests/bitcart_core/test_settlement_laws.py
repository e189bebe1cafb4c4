"""What holds for every invoice: order never matters, money never harms, and each step is told once."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bitcart_core.settlement import (
    Decision,
    ExceptionStatus,
    Marks,
    Policy,
    Receipt,
    Status,
    Verdict,
    announcements,
    decide,
)

EXPIRES_AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
RUNGS = [Status.PENDING, Status.PAID, Status.CONFIRMED, Status.COMPLETE]
LEGAL = {
    "pending": {"none", "paid_partial", "paid_late"},
    "paid": {"none", "paid_over", "paid_late"},
    "confirmed": {"none", "paid_over", "paid_late"},
    "complete": {"none", "paid_over", "paid_late"},
    "expired": {"none", "paid_partial", "paid_late"},
    "invalid": {"none", "failed_confirm"},
    "refunded": {"none", "paid_partial", "paid_over", "paid_late"},
}
BY_HAND = LEGAL | {"complete": LEGAL["complete"] | {"paid_partial"}}

moments = st.integers(-30, 90).map(lambda after: EXPIRES_AT + timedelta(minutes=after))
depths = st.sampled_from([(False, False), (True, False), (True, True)])
shares = st.sampled_from([Fraction(n, 12) for n in (1, 3, 4, 6, 8, 12, 18)])


@st.composite
def receipts(draw):
    is_confirmed, is_buried = draw(depths)
    return Receipt(
        key=str(draw(st.integers(0, 10**9))), method=draw(st.sampled_from(["btc", "ltc", "lightning"])),
        share=draw(shares), unit=Fraction(1, draw(st.sampled_from([10**8, 10**5]))), first_seen_at=draw(moments),
        is_confirmed=is_confirmed, is_buried=is_buried, is_replaced=draw(st.booleans()),
    )  # fmt: skip


policies = st.builds(
    Policy,
    expires_at=st.just(EXPIRES_AT),
    tolerance=st.sampled_from([Fraction(0), Fraction(1, 100), Fraction(1, 3)]),
    accepts_late=st.booleans(),
    is_any_amount=st.booleans(),
)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """All that `decide` hears, so that a law can change one thing of it."""

    policy: Policy
    receipts: list[Receipt]
    marks: Marks
    now: datetime
    heard_until: datetime | None

    def decide(self, **changes):
        trial = replace(self, **changes)
        return decide(trial.policy, trial.receipts, trial.marks, now=trial.now, heard_until=trial.heard_until)

    def undisturbed(self):
        return replace(self, marks=Marks())


trials = st.builds(
    Trial,
    policy=policies,
    receipts=st.lists(receipts(), max_size=5, unique_by=lambda receipt: receipt.key),
    marks=st.builds(Marks, verdict=st.none() | st.sampled_from(Verdict), is_refunded=st.booleans()),
    now=moments,
    heard_until=st.none() | moments,
)


@given(trials, st.data())
def test_no_order_of_arrival_matters(trial, data):
    shuffled = data.draw(st.permutations(trial.receipts))

    assert trial.decide(receipts=shuffled) == trial.decide()


@given(trials, receipts())
def test_money_that_is_gone_never_helps(trial, receipt):
    trial, gone = trial.undisturbed(), replace(receipt, is_replaced=True)
    without, with_it = trial.decide(), trial.decide(receipts=[*trial.receipts, gone])

    assert (with_it.due, with_it.paid_at, with_it.paid_method) == (without.due, without.paid_at, without.paid_method)
    if with_it.status != without.status:
        assert (without.status, with_it.status) == (Status.EXPIRED, Status.INVALID)
    else:
        assert with_it.exception_status == without.exception_status


@given(trials, receipts(), st.integers(1, 30))
def test_more_money_never_lowers_the_status_while_there_is_time(trial, receipt, minutes_left):
    trial = replace(trial.undisturbed(), now=EXPIRES_AT - timedelta(minutes=minutes_left))
    less, more = trial.decide(), trial.decide(receipts=[*trial.receipts, replace(receipt, is_replaced=False)])

    assert RUNGS.index(more.status) >= RUNGS.index(less.status)
    assert more.due <= less.due


@given(trials, st.integers(0, 10**6))
def test_time_alone_takes_nothing_that_was_reached(trial, seconds):
    first, second = trial.decide(), trial.decide(now=trial.now + timedelta(seconds=seconds))

    assert first.status in (second.status, Status.PENDING)


@given(trials)
def test_status_and_exception_stand_together_only_where_they_make_sense(trial):
    decision = trial.decide()

    assert decision.exception_status in (BY_HAND if decision.is_by_hand else LEGAL)[decision.status]


@given(trials)
def test_what_is_due_is_a_part_of_the_bill_and_nothing_once_it_is_filled(trial):
    decision = trial.decide()

    assert 0 <= decision.due <= 1
    assert decision.due == 0 or decision.paid_at is None


TOLD = {
    "pending": {"paid": "paid", "confirmed": "paid confirmed", "complete": "paid confirmed completed",
                "expired": "expired", "invalid": "invalidated", "refunded": "refunded"},
    "paid": {"pending": "stepped_down", "confirmed": "confirmed", "complete": "confirmed completed",
             "expired": "stepped_down expired", "invalid": "stepped_down invalidated", "refunded": "refunded"},
    "confirmed": {"pending": "stepped_down", "paid": "stepped_down", "complete": "completed",
                  "expired": "stepped_down expired", "invalid": "stepped_down invalidated", "refunded": "refunded"},
    "complete": {"pending": "stepped_down", "paid": "stepped_down", "confirmed": "stepped_down",
                 "expired": "stepped_down expired", "invalid": "stepped_down invalidated", "refunded": "refunded"},
    "expired": {"pending": "stepped_down", "paid": "paid", "confirmed": "paid confirmed",
                "complete": "paid confirmed completed", "invalid": "invalidated", "refunded": "refunded"},
    "invalid": {"pending": "stepped_down", "paid": "paid", "confirmed": "paid confirmed",
                "complete": "paid confirmed completed", "expired": "expired", "refunded": "refunded"},
    "refunded": {"pending": "stepped_down", "paid": "paid", "confirmed": "paid confirmed",
                 "complete": "paid confirmed completed", "expired": "expired", "invalid": "invalidated"},
}  # fmt: skip


def become(status, *, is_confirmed=True, is_by_hand=False):
    return Decision(
        status=Status(status), exception_status=ExceptionStatus.NONE, due=Fraction(0),
        is_confirmed=is_confirmed, is_by_hand=is_by_hand,
    )  # fmt: skip


def told(before, decision):
    words = [kind.removeprefix("invoice_") for kind in announcements(Status(before), decision)]
    return " ".join(words)


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(TOLD, 2)))
def test_every_rung_that_is_passed_is_told_in_order(before, after):
    assert told(before, become(after)) == TOLD[before][after]


@pytest.mark.parametrize("status", TOLD)
@pytest.mark.parametrize("is_by_hand", [False, True])
def test_nothing_is_told_when_nothing_changed(status, is_by_hand):
    assert told(status, become(status, is_by_hand=is_by_hand)) == ""


@pytest.mark.parametrize("before", ["pending", "expired", "invalid"])
def test_an_invoice_complete_without_any_confirmation_was_never_confirmed(before):
    assert told(before, become("complete", is_confirmed=False)) == "paid completed"


@pytest.mark.parametrize("before", [status for status in TOLD if status != "complete"])
def test_complete_by_hand_is_only_that(before):
    assert told(before, become("complete", is_confirmed=False, is_by_hand=True)) == "completed"


@pytest.mark.parametrize("before", [status for status in TOLD if status != "invalid"])
def test_cancelled_by_hand_is_no_step_down(before):
    assert told(before, become("invalid", is_by_hand=True)) == "invalidated"
