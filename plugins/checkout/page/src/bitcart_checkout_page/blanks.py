"""Work out what fills the blanks of the page's sentences: the amounts, times and names of one invoice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from markupsafe import Markup

from bitcart_checkout_page import texts
from bitcart_checkout_page.invoice import Invoice, Method, Store
from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.writing import minutes_and_seconds
from bitcart_core import money


@dataclass(frozen=True, kw_only=True)
class Blanks:
    """What a sentence may speak of. Empty where the invoice has no such thing: the state's sentence does not ask.

    Attributes:
        paid: Everything that arrived, on all methods.
        extra: What arrived beyond the bill.
        n: Confirmations so far.
        m: Confirmations asked for.
    """

    id: str
    store: str
    price: Markup
    time: Markup
    left: str
    coin: str
    amount: Markup
    due: Markup
    paid: Markup
    paid_of_total: Markup
    extra: Markup
    n: int
    m: int

    def as_values(self) -> dict[str, Any]:
        """Return the blanks by name."""
        return dict(vars(self))


def fill_blanks(invoice: Invoice, store: Store, method: Method | None, speech: Speech) -> Blanks:
    """Return what can be said of an invoice, and of the method shown."""
    writer = speech.writer
    paid = _paid(invoice, speech)
    required = max(1, method.confirmations_required) if method else 1
    return Blanks(
        id=invoice.id,
        store=store.name,
        price=speech.label("any_amount") if invoice.any_amount else writer.money(invoice.price, invoice.currency),
        time=writer.time(_to_the_minute(invoice.expires_at)),
        left=minutes_and_seconds(invoice.time_left),
        coin=method.coin if method else "",
        amount=_coin(method, method.amount, speech) if method else Markup(),
        due=_coin(method, method.due, speech) if method else Markup(),
        paid=paid,
        paid_of_total=_paid_of_total(invoice, paid, speech),
        extra=_extra(invoice, speech),
        n=min(max(1, method.confirmations), required) if method else 1,
        m=required,
    )


def _coin(method: Method, amount: Decimal, speech: Speech) -> Markup:
    return speech.writer.coin(amount, method.divisibility, method.coin)


def _to_the_minute(moment: datetime) -> datetime:
    """Cut the seconds off: whoever pays before the minute that is shown has paid in time."""
    return moment - timedelta(seconds=moment.second, microseconds=moment.microsecond)


def _paid(invoice: Invoice, speech: Speech) -> Markup:
    return speech.writer.all_of([_coin(method, method.received, speech) for method in invoice.paid_methods])


def _paid_of_total(invoice: Invoice, paid: Markup, speech: Speech) -> Markup:
    """Say `0.1 of 0.3 BTC`; of a bill paid in several coins there is no such total."""
    methods = invoice.paid_methods
    if len(methods) != 1 or methods[0].amount == 0:
        return paid
    (method,) = methods
    number = speech.writer.number(method.received, method.divisibility)
    return speech.say(texts.TOTAL, paid=number, total=_coin(method, method.amount, speech))


def _extra(invoice: Invoice, speech: Speech) -> Markup:
    surplus = invoice.paid_share - 1
    if surplus <= 0 or not invoice.paid_methods:
        return Markup()
    method = invoice.method(invoice.payment_id) or invoice.paid_methods[0]
    return _coin(method, _surplus_on(method, surplus), speech)


def _surplus_on(method: Method, surplus: Fraction) -> Decimal:
    """Return a surplus in the coin of a method; exact if all of it arrived there."""
    return money.part_of(method.amount, surplus, method.divisibility)
