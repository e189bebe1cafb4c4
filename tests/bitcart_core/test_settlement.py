"""What an invoice has become: every case a merchant may meet, as a table.

Minutes are counted from the expiry: -5 is five minutes before it. Shares are parts of the bill.
"""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial

import pytest

from bitcart_core.settlement import Marks, Policy, Receipt, Verdict, decide

EXPIRES_AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
SATOSHI = Fraction(1, 100_000)

MEMPOOL = {}
IN_A_BLOCK = {"is_confirmed": True}
BURIED = {"is_confirmed": True, "is_buried": True}
SETTLED = BURIED  # Lightning: final without any block
GONE = {"is_replaced": True}


def minutes(after_expiry):
    return EXPIRES_AT + timedelta(minutes=after_expiry)


def money(share, state=MEMPOOL, *, at=-5, method="btc", key=None, unit=SATOSHI):
    key = key or f"{method}:{share}:{at}:{sorted(state)}"
    return Receipt(key=key, method=method, share=Fraction(share), unit=unit, first_seen_at=minutes(at), **state)


def case(
    name, *receipts, now=-1, heard="all", tolerance=0, late="off", any_amount=False, verdict=None, refunded=False, to
):
    """One row: what was paid, when it is, how the store judges, and the status with its exception that must come out."""
    policy = Policy(
        expires_at=EXPIRES_AT, tolerance=Fraction(tolerance), accepts_late=late == "on", is_any_amount=any_amount,
        expiry_grace=timedelta(minutes=60),
    )  # fmt: skip
    heard_until = {"all": minutes(now), "never": None}.get(heard) if isinstance(heard, str) else minutes(heard)
    marks = Marks(verdict=verdict, is_refunded=refunded)
    decide_it = partial(decide, policy, receipts, marks, now=minutes(now), heard_until=heard_until)
    return pytest.param(decide_it, to, id=name)


PENDING = [
    case("nothing paid", to="pending none"),
    case("nothing paid, one second before the expiry", now=-1 / 60, to="pending none"),
    case("the only payment was replaced", money(1, GONE), to="pending none"),
    case("a replaced payment does not count beside a part", money(1, GONE), money("1/2"), to="pending paid_partial"),
    case("money that is nothing", money(0), to="pending none"),
]
PARTIAL = [
    case("half", money("1/2"), to="pending paid_partial"),
    case("half, deep in the chain", money("1/2", BURIED), to="pending paid_partial"),
    case("all but a satoshi", money(1 - SATOSHI), to="pending paid_partial"),
    case("two parts short of the whole", money("1/3"), money("1/2"), to="pending paid_partial"),
    case("a part, and the rest replaced", money("1/2"), money("1/2", GONE, at=-4), to="pending paid_partial"),
]
FULL = [
    case("in the mempool", money(1), to="paid none"),
    case("in a block", money(1, IN_A_BLOCK), to="confirmed none"),
    case("buried", money(1, BURIED), to="complete none"),
    case("Lightning settled", money(1, SETTLED, method="lightning"), to="complete none"),
    case("two halves", money("1/2"), money("1/2", at=-4), to="paid none"),
    case("three thirds", *(money("1/3", at=-at) for at in (2, 3, 4)), to="paid none"),
    case("two halves, one in a block", money("1/2", IN_A_BLOCK), money("1/2", at=-4), to="paid none"),
    case("two halves, one buried, one in a block", money("1/2", BURIED), money("1/2", IN_A_BLOCK), to="confirmed none"),
    case("two halves, both buried", money("1/2", BURIED), money("1/2", BURIED, at=-4), to="complete none"),
    case("a replaced payment paid again", money(1, GONE), money(1, at=-4), to="paid none"),
    case("paid at the last moment", money(1, at=-1 / 3600), now=5, to="paid none"),
    case("paid in time, buried after the expiry", money(1, BURIED), now=90, to="complete none"),
]
TWO_METHODS = [
    case("two coins add up exactly", money("1/3"), money("2/3", method="ltc"), to="paid none"),
    case("two coins fall short", money("1/3"), money("1/3", method="ltc"), to="pending paid_partial"),
    case("each by its own rule", money("1/2", BURIED), money("1/2", IN_A_BLOCK, method="ltc"), to="confirmed none"),
    case("chain and Lightning", money("1/2", BURIED), money("1/2", SETTLED, method="lightning"), to="complete none"),
    case("the rest, rounded up to a satoshi", money("1/3", unit=SATOSHI / 9),
         money(Fraction(2, 3) + SATOSHI / 2, method="ltc"), to="paid none"),
    case("a satoshi too much is too much", money("1/3", unit=SATOSHI / 9),
         money(Fraction(2, 3) + SATOSHI, method="ltc"), to="paid paid_over"),
]  # fmt: skip
OVER = [
    case("a satoshi too much", money(1 + SATOSHI), to="paid paid_over"),
    case("twice", money(1), money(1, at=-4), to="paid paid_over"),
    case("twice, buried", money(2, BURIED), to="complete paid_over"),
    case("enough is buried, the rest waits", money(1, BURIED), money(1, at=-4), to="complete paid_over"),
    case("too much, then replaced by enough", money(2, GONE), money(1, at=-4), to="paid none"),
    case("too much by a late payment", money(1, BURIED), money(1, at=5), now=10, to="complete paid_over"),
]
TOLERANCE = [
    case("exactly at the edge", money("99/100"), tolerance="1/100", to="paid none"),
    case("a satoshi below the edge", money(Fraction(99, 100) - SATOSHI), tolerance="1/100", to="pending paid_partial"),
    case("a missing part is not due any more", money("995/1000", BURIED), tolerance="1/100", to="complete none"),
    case("what is above the edge and below the price is not too much", money(1), tolerance="1/2", to="paid none"),
    case("the edge alone need be buried", money("9/10", BURIED), money("1/10"), tolerance="1/10", to="complete none"),
    case("the edge alone need be on time", money("9/10"), money("1/10", at=1), tolerance="1/10", now=5, to="paid none"),
]
EXPIRY = [
    case("at the very moment", now=0, to="expired none"),
    case("the daemon was heard of until just before", now=1, heard=-1 / 3600, to="pending none"),
    case("the daemon was heard of until the expiry", now=1, heard=0, to="expired none"),
    case("no daemon was ever heard of", now=30, heard="never", to="pending none"),
    case("no daemon, the grace is over", now=60, heard="never", to="expired none"),
    case("the daemon lags, the grace is over", now=60, heard=-30, to="expired none"),
    case("a part in time", money("1/2"), now=1, to="expired paid_partial"),
    case("a part in time, the daemon lags", money("1/2"), now=1, heard=-1, to="pending paid_partial"),
    case("never before its time, however far the daemon is", now=-1, heard=10, to="pending none"),
]
LATE = [
    case("at the moment of the expiry", money(1, at=0), now=5, to="expired paid_late"),
    case("a second late", money(1, at=1 / 60), now=5, to="expired paid_late"),
    case("a day and an hour late", money(1, BURIED, at=25 * 60), now=26 * 60, to="expired paid_late"),
    case("late before the daemon is heard of", money(1, at=1), now=5, heard=-1, to="pending paid_late"),
    case("the late rest of a part", money("1/2"), money("1/2", at=1), now=5, to="expired paid_late"),
    case("too little and late", money("1/2", at=1), now=5, to="expired paid_late"),
    case("accepted", money(1, at=1), now=5, late="on", to="paid paid_late"),
    case("accepted and buried", money(1, BURIED, at=1), now=5, late="on", to="complete paid_late"),
    case("accepted, the late rest of a part", money("1/2"), money("1/2", at=1), now=5, late="on", to="paid paid_late"),
    case("accepted, too little", money("1/2", at=1), now=5, late="on", to="expired paid_late"),
    case("accepted, too much", money(2, at=1), now=5, late="on", to="paid paid_over"),
    case("accepted, replaced", money(1, GONE, at=1), now=5, late="on", to="expired none"),
]
REPLACED = [
    case("all gone, while there is time", money(1, GONE), to="pending none"),
    case("all gone, the time is over", money(1, GONE), now=5, to="invalid failed_confirm"),
    case("all gone in two parts", money("1/2", GONE), money("1/2", GONE, at=-4), now=5, to="invalid failed_confirm"),
    case("all gone, the daemon lags", money(1, GONE), now=5, heard=-1, to="pending none"),
    case("a part is gone, it was never full", money("1/2", GONE), now=5, to="expired none"),
    case("replaced to another output of ours", money(1, GONE), money(1, at=-4), now=5, to="paid none"),
    case("replaced by less", money(1, GONE), money("1/2", at=-4), now=5, to="expired paid_partial"),
    case("replaced after a part", money("1/2"), money("1/2", GONE, at=-4), now=5, to="expired paid_partial"),
    case("replaced with a higher fee after the expiry", money(1, GONE), money(1, at=2), now=5, to="expired paid_late"),
    case("only a late one is gone", money(1, GONE, at=2), now=5, to="expired none"),
]
REORGANISED = [
    case("back in the mempool after complete", money(1), now=30, to="paid none"),
    case("in a block again, not deep enough any more", money(1, IN_A_BLOCK), now=30, to="confirmed none"),
    case("not mined again", money(1, GONE), now=30, to="invalid failed_confirm"),
    case("half is back in the mempool", money("1/2", BURIED), money("1/2", at=-4), now=30, to="paid none"),
]
ANY_AMOUNT = [
    case("nothing yet", any_amount=True, to="pending none"),
    case("something", money(1), any_amount=True, to="paid none"),
    case("something twice is not too much", money(1, BURIED), money(1, at=-4), any_amount=True, to="complete none"),
    case("something late", money(1, at=1), now=5, any_amount=True, to="expired paid_late"),
    case("nothing in time", now=5, any_amount=True, to="expired none"),
]
MARKS = [
    case("complete without money", verdict=Verdict.COMPLETE, to="complete none"),
    case("complete with a part", money("1/2"), verdict=Verdict.COMPLETE, to="complete paid_partial"),
    case("complete after the expiry", money(1, at=1), now=5, verdict=Verdict.COMPLETE, to="complete paid_late"),
    case("complete though all is gone", money(1, GONE), now=5, verdict=Verdict.COMPLETE, to="complete none"),
    case("invalid without money", verdict=Verdict.INVALID, to="invalid none"),
    case("invalid though it is paid", money(1, BURIED), verdict=Verdict.INVALID, to="invalid none"),
    case("invalid before it would expire", now=5, verdict=Verdict.INVALID, to="invalid none"),
    case("refunded", money(1, BURIED), refunded=True, to="refunded none"),
    case("refunded after too much", money(2, BURIED), refunded=True, to="refunded paid_over"),
    case(
        "refunded after complete by hand",
        money("1/2"),
        verdict=Verdict.COMPLETE,
        refunded=True,
        to="refunded paid_partial",
    ),
    case("refunded after invalid by hand", money(1), verdict=Verdict.INVALID, refunded=True, to="refunded none"),
]
TABLE = [
    *PENDING, *PARTIAL, *FULL, *TWO_METHODS, *OVER, *TOLERANCE, *EXPIRY, *LATE, *REPLACED, *REORGANISED, *ANY_AMOUNT, *MARKS,
]  # fmt: skip


@pytest.mark.parametrize(("decide_it", "to"), TABLE)
def test_an_invoice_becomes_what_was_paid_for_it(decide_it, to):
    decision = decide_it()

    assert f"{decision.status} {decision.exception_status}" == to


def judge(*receipts, now=-1, heard=None, late="off", **marks):
    policy = Policy(expires_at=EXPIRES_AT, accepts_late=late == "on")
    return decide(
        policy, receipts, Marks(**marks), now=minutes(now), heard_until=minutes(now) if heard is None else heard
    )


def test_the_bill_was_paid_when_the_money_that_filled_it_was_first_seen():
    decision = judge(money("1/2", at=-9), money("1/4", at=-7, method="ltc"), money("1/2", at=-6, method="xmr"))

    assert decision.paid_at == minutes(-6)
    assert decision.paid_method == "xmr"
    assert decision.due == 0


def test_an_unfilled_bill_names_the_first_method_and_what_is_missing():
    decision = judge(money("1/4", at=-7, method="ltc"), money("1/4", at=-9))

    assert decision.paid_at is None
    assert decision.paid_method == "btc"
    assert decision.due == Fraction(1, 2)


def test_without_money_no_method_is_named_and_all_is_due():
    assert judge().paid_method is None
    assert judge().due == 1


def test_money_seen_at_the_same_moment_is_counted_in_one_order():
    first, second = money(1, key="a", method="btc"), money(1, key="b", method="ltc")

    assert judge(first, second).paid_method == judge(second, first).paid_method == "btc"


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (judge(money(1)), ""),
        (judge(now=5), ""),
        (judge(verdict=Verdict.INVALID), "The store cancelled this invoice."),
        (judge(money(1, GONE), now=5), "The payment was replaced or dropped by the network before it was confirmed."),
        (judge(now=61, heard=minutes(-1)), "A coin's daemon has not been heard of since before the expiry."),
    ],
)
def test_what_the_status_does_not_say_is_said_in_a_sentence(decision, reason):
    assert decision.reason == reason


def test_the_merchants_word_is_told_from_the_networks():
    assert judge(verdict=Verdict.COMPLETE).is_by_hand
    assert not judge(money(1, BURIED)).is_by_hand
