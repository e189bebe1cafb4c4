"""Decide which of the page's states an invoice is in, and on which method. Pure: no clock, no words, no HTML."""

from dataclasses import dataclass
from enum import StrEnum

from bitcart_checkout_page.invoice import ExceptionStatus, Invoice, Method, Status

PRESELECTED_UP_TO = 3
"""So many methods stand beside each other, the first one chosen; more are a list to choose from."""

LAST_SECONDS = 5 * 60
_SHORT_LIMIT_SECONDS = 15 * 60


class State(StrEnum):
    """What a buyer is told."""

    NO_METHOD = "no_method"
    CHOOSE = "choose"
    PENDING = "pending"
    ANY_AMOUNT = "any_amount"
    LAST_MINUTES = "last_minutes"
    CHECKING = "checking"
    PARTLY_PAID = "partly_paid"
    SEEN = "seen"
    CONFIRMING = "confirming"
    COMPLETE = "complete"
    OVERPAID = "overpaid"
    EXPIRED = "expired"
    EXPIRED_PARTLY = "expired_partly"
    PAID_LATE = "paid_late"
    UNCONFIRMED = "unconfirmed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


PAYABLE = frozenset({State.PENDING, State.ANY_AMOUNT, State.LAST_MINUTES, State.PARTLY_PAID})
"""Only these show a QR code, an address or a link to a wallet."""

CHANGING = PAYABLE | {State.CHECKING, State.SEEN, State.CONFIRMING}
"""These change by themselves: the buyer may look again, or let the page look."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Where a buyer stands.

    Attributes:
        method: The one shown: to pay on while payable, else the one that says most about the payment.
    """

    state: State
    method: Method | None


def find_situation(invoice: Invoice, wanted: str | None) -> Situation:
    """Return where the buyer of an invoice stands.

    Args:
        invoice: As the API shows it now.
        wanted: Id of the method the buyer chose, empty to choose again, None if nothing was said.
    """
    if invoice.status is Status.PENDING:
        return _while_pending(invoice, wanted)
    return Situation(state=_settled_state(invoice), method=_telling_method(invoice))


def _while_pending(invoice: Invoice, wanted: str | None) -> Situation:
    if invoice.time_left == 0:
        return Situation(state=State.CHECKING, method=_telling_method(invoice))
    if not invoice.payments:
        return Situation(state=State.NO_METHOD, method=None)
    method = _chosen(invoice, wanted)
    if method is None:
        return Situation(state=State.CHOOSE, method=None)
    return Situation(state=_payable_state(invoice, method), method=method)


def _payable_state(invoice: Invoice, method: Method) -> State:
    if invoice.any_amount:
        return State.ANY_AMOUNT
    if method.due == 0:  # paid in full, and not judged yet: never ask for nothing
        return State.CHECKING
    if invoice.paid_methods:
        return State.PARTLY_PAID
    return State.LAST_MINUTES if is_nearly_over(invoice) else State.PENDING


def is_nearly_over(invoice: Invoice) -> bool:
    """Tell whether the last minutes have begun: five, or the last third of a limit under fifteen."""
    limit = invoice.expiration_seconds
    return invoice.time_left <= (limit // 3 if limit < _SHORT_LIMIT_SECONDS else LAST_SECONDS)


def _chosen(invoice: Invoice, wanted: str | None) -> Method | None:
    """Return the method to show: the wanted one, else the one already paid on, else the first of a few."""
    if method := invoice.method(wanted):
        return method
    if wanted == "" and len(invoice.payments) > 1:
        return None
    if method := invoice.method(invoice.payment_id):
        return method
    return invoice.payments[0] if 0 < len(invoice.payments) <= PRESELECTED_UP_TO else None


def _settled_state(invoice: Invoice) -> State:
    is_over = invoice.exception_status is ExceptionStatus.PAID_OVER
    match invoice.status:
        case Status.PAID:
            return State.SEEN
        case Status.CONFIRMED:
            return State.CONFIRMING
        case Status.COMPLETE:
            return State.OVERPAID if is_over and invoice.paid_share > 1 else State.COMPLETE
        case Status.EXPIRED:
            return _expired_state(invoice)
        case Status.REFUNDED:
            return State.REFUNDED
        case _:
            is_dropped = invoice.exception_status is ExceptionStatus.FAILED_CONFIRM
            return State.UNCONFIRMED if is_dropped else State.CANCELLED


def _expired_state(invoice: Invoice) -> State:
    if invoice.exception_status is ExceptionStatus.PAID_LATE:
        return State.PAID_LATE
    return State.EXPIRED_PARTLY if invoice.paid_methods else State.EXPIRED


def _telling_method(invoice: Invoice) -> Method | None:
    """Return, of the methods with money on them, the one furthest from its confirmations."""
    paid = invoice.paid_methods
    if not paid:
        return invoice.method(invoice.payment_id)
    return min(paid, key=lambda method: method.confirmations - method.confirmations_required)
