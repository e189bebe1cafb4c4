"""Decide what an invoice has become. Pure: no database, no clock, no plugins, no previous status."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from bitcart_core.events import InvoiceEventKind


class Status(StrEnum):
    """What an invoice is, in the words of the REST API."""

    PENDING = "pending"
    PAID = "paid"
    CONFIRMED = "confirmed"
    COMPLETE = "complete"
    EXPIRED = "expired"
    INVALID = "invalid"
    REFUNDED = "refunded"


class ExceptionStatus(StrEnum):
    """What is unusual about it, in the words of the REST API; `paid_late` is ours."""

    NONE = "none"
    PAID_PARTIAL = "paid_partial"
    PAID_OVER = "paid_over"
    PAID_LATE = "paid_late"
    FAILED_CONFIRM = "failed_confirm"


class Verdict(StrEnum):
    """What the merchant said by hand; the last word counts."""

    COMPLETE = "mark_complete"
    INVALID = "mark_invalid"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How a store wants an invoice to be judged.

    Attributes:
        expires_at: Money first seen at or after this moment is late.
        tolerance: Part of the bill that may be missing, 0 to 1.
        accepts_late: Late money may complete the invoice without the merchant.
        is_any_amount: The buyer chooses how much; nothing can be missing or too much.
        expiry_grace: How long to wait for a daemon that lags before expiring all the same.
    """

    expires_at: datetime
    tolerance: Fraction = Fraction(0)
    accepts_late: bool = False
    is_any_amount: bool = False
    expiry_grace: timedelta = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Money seen arriving, as a part of the bill.

    Attributes:
        key: Tells two receipts apart and settles ties in time, so that no order of arrival matters.
        method: Id of the payment method it arrived on.
        share: The exact fraction of the bill it pays, so that two coins add up.
        unit: The smallest amount of its coin, as a fraction of the bill too. What is asked for after a part payment is
            rounded up to it, so an excess below it is nobody's money.
        first_seen_at: The earlier of the daemon's first sight and its block's time.
        is_confirmed: It stands in a block, or is final without one.
        is_buried: As deep as the store asks for on this method.
        is_replaced: Gone from the network: replaced, dropped, or orphaned and not mined again.
    """

    key: str
    method: str
    share: Fraction
    first_seen_at: datetime
    unit: Fraction = Fraction(0)
    is_confirmed: bool = False
    is_buried: bool = False
    is_replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What was done by hand.

    Attributes:
        verdict: The merchant's last word, if any.
        is_refunded: The money has been sent back.
    """

    verdict: Verdict | None = None
    is_refunded: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What everything received and done so far adds up to.

    Attributes:
        due: The part of the bill still to pay, 0 to 1.
        paid_method: The method of the receipt that filled the bill, or of the first one while it is not filled.
        paid_at: When that receipt was first seen, once the bill is filled.
        is_confirmed: The counted receipts that fill the bill all stand in blocks.
        is_by_hand: The merchant decided.
        reason: A sentence, where the status alone does not say why.
    """

    status: Status
    exception_status: ExceptionStatus
    due: Fraction
    paid_method: str | None = None
    paid_at: datetime | None = None
    is_confirmed: bool = False
    is_by_hand: bool = False
    reason: str = ""


def decide(
    policy: Policy, receipts: Sequence[Receipt], marks: Marks, *, now: datetime, heard_until: datetime | None
) -> Decision:
    """Return the status that everything received and done so far adds up to, whatever order it came in.

    Args:
        policy: The store's rules for this invoice.
        receipts: All money ever seen for it, also what is gone again.
        marks: What was done by hand.
        now: The present, by the database's clock.
        heard_until: Everything the daemons of its coins saw up to this moment is among the receipts; None if
            there is a daemon that never reported.
    """
    standing = sorted((r for r in receipts if not r.is_replaced), key=lambda r: (r.first_seen_at, r.key))
    counted = [r for r in standing if policy.accepts_late or r.first_seen_at < policy.expires_at]
    needed = 1 - policy.tolerance
    filled_by = _filling(counted, needed)
    is_confirmed = _share(r for r in counted if r.is_confirmed) >= needed
    decision = Decision(
        status=_status(counted, marks, needed, is_expired=_is_expired(policy, now=now, heard_until=heard_until)),
        exception_status=_exception(policy, standing, counted, needed),
        due=max(Fraction(0), 1 - _share(counted)) if filled_by is None else Fraction(0),
        paid_method=_method(filled_by, counted),
        paid_at=filled_by.first_seen_at if filled_by else None,
        is_confirmed=is_confirmed,
        is_by_hand=marks.verdict is not None,
    )
    return _explain(decision, policy, receipts, heard_until)


def announcements(before: Status, decision: Decision) -> list[InvoiceEventKind]:
    """Return what must be announced when an invoice goes from one status to another, in order.

    A climb of several rungs at once announces each rung it passes, `invoice_confirmed` only if it was.
    """
    after = decision.status
    if after == before:
        return []
    if after in _ENDS:
        fell = _rank(before) > 0 and not decision.is_by_hand and after is not Status.REFUNDED
        return [InvoiceEventKind.STEPPED_DOWN, _ENDS[after]] if fell else [_ENDS[after]]
    if decision.is_by_hand and after is Status.COMPLETE:
        return [InvoiceEventKind.COMPLETED]
    if _rank(after) <= _rank(before) or after is Status.PENDING:
        return [InvoiceEventKind.STEPPED_DOWN]
    climbed = _RUNGS[_rank(before) + 1 : _rank(after) + 1]
    return [
        kind for status, kind in climbed if status is not Status.CONFIRMED or decision.is_confirmed or after is status
    ]


def _status(counted: Sequence[Receipt], marks: Marks, needed: Fraction, *, is_expired: bool) -> Status:
    if marks.is_refunded:
        return Status.REFUNDED
    if marks.verdict is not None:
        return Status.COMPLETE if marks.verdict is Verdict.COMPLETE else Status.INVALID
    if counted and _share(counted) >= needed:
        if _share(r for r in counted if r.is_buried) >= needed:
            return Status.COMPLETE
        confirmed = _share(r for r in counted if r.is_confirmed)
        return Status.CONFIRMED if confirmed >= needed else Status.PAID
    return Status.EXPIRED if is_expired else Status.PENDING


def _is_expired(policy: Policy, *, now: datetime, heard_until: datetime | None) -> bool:
    """Time is over, and whatever was paid in time has been heard of or waited for long enough."""
    if now < policy.expires_at:
        return False
    has_heard = heard_until is not None and heard_until >= policy.expires_at
    return has_heard or now >= policy.expires_at + policy.expiry_grace


def _exception(
    policy: Policy, standing: Sequence[Receipt], counted: Sequence[Receipt], needed: Fraction
) -> ExceptionStatus:
    total = _share(standing)
    is_late = any(r.first_seen_at >= policy.expires_at for r in standing)
    if counted and _share(counted) >= needed:
        if total > 1 and total - 1 >= max(r.unit for r in standing) and not policy.is_any_amount:
            return ExceptionStatus.PAID_OVER
        on_time = _share(r for r in counted if r.first_seen_at < policy.expires_at)
        return ExceptionStatus.PAID_LATE if on_time < needed else ExceptionStatus.NONE
    if is_late:
        return ExceptionStatus.PAID_LATE
    return ExceptionStatus.PAID_PARTIAL if total > 0 else ExceptionStatus.NONE


def _explain(decision: Decision, policy: Policy, receipts: Sequence[Receipt], heard_until: datetime | None) -> Decision:
    """Turn an expiry whose payment the network dropped into `invalid`, and say why where that is not plain."""
    if decision.status is Status.INVALID:
        return replace(decision, exception_status=ExceptionStatus.NONE, reason="The store cancelled this invoice.")
    if decision.status is not Status.EXPIRED:
        return decision
    in_time = [r for r in receipts if r.first_seen_at < policy.expires_at]
    is_all_gone = bool(in_time) and all(r.is_replaced for r in receipts)
    if is_all_gone and _share(in_time) >= 1 - policy.tolerance:
        return replace(
            decision,
            status=Status.INVALID,
            exception_status=ExceptionStatus.FAILED_CONFIRM,
            reason="The payment was replaced or dropped by the network before it was confirmed.",
        )
    if heard_until is None or heard_until < policy.expires_at:
        return replace(decision, reason="A coin's daemon has not been heard of since before the expiry.")
    return decision


def _filling(counted: Iterable[Receipt], needed: Fraction) -> Receipt | None:
    """Return the receipt with which the bill became full, in order of first sight."""
    total = Fraction(0)
    for receipt in counted:
        total += receipt.share
        if total >= needed:
            return receipt
    return None


def _method(filled_by: Receipt | None, counted: Sequence[Receipt]) -> str | None:
    if filled_by is not None:
        return filled_by.method
    return counted[0].method if counted else None


def _share(receipts: Iterable[Receipt]) -> Fraction:
    """Sum the parts of the bill that these receipts pay, so that two coins add up."""
    return sum((r.share for r in receipts), Fraction(0))


_RUNGS = [
    (Status.PENDING, InvoiceEventKind.CREATED),
    (Status.PAID, InvoiceEventKind.PAID),
    (Status.CONFIRMED, InvoiceEventKind.CONFIRMED),
    (Status.COMPLETE, InvoiceEventKind.COMPLETED),
]
_ENDS = {
    Status.EXPIRED: InvoiceEventKind.EXPIRED,
    Status.INVALID: InvoiceEventKind.INVALIDATED,
    Status.REFUNDED: InvoiceEventKind.REFUNDED,
}


def _rank(status: Status) -> int:
    return next((rank for rank, (rung, _) in enumerate(_RUNGS) if rung is status), 0)
