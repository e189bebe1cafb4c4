"""What a page says besides its state: small facts about the invoice, the actions offered, the ways to the store."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from bitcart_checkout_page import links
from bitcart_checkout_page.invoice import Invoice, Method, Store
from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.states import PAYABLE, Situation, State


@dataclass(frozen=True, kw_only=True)
class Fact:
    """A line of the details.

    Attributes:
        is_code: An id or a hash, written in full in a fixed width.
        href: Where it leads, if anywhere.
    """

    name: str
    value: str
    is_code: bool = False
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Action:
    """A button that leads somewhere.

    Attributes:
        where: The host behind it, when it leads away from here.
    """

    name: str
    href: str
    where: str = ""


def facts_of(invoice: Invoice, store: Store, situation: Situation, speech: Speech) -> Iterator[Fact]:
    """Say what belongs to the invoice, the most telling first."""
    writer = speech.writer
    if not invoice.any_amount:
        yield Fact(name=speech.label("price"), value=writer.money(invoice.price, invoice.currency))
    for paid in invoice.paid_methods:
        value = writer.coin(paid.received, paid.divisibility, paid.coin)
        yield Fact(name=speech.label("received"), value=value)
    method = situation.method
    if method is not None and situation.state is State.EXPIRED_PARTLY:
        yield Fact(name=speech.label("still_due"), value=writer.coin(method.due, method.divisibility, method.coin))
    explorer = _explorer(invoice)
    for txid in invoice.tx_hashes:
        href = links.transaction_link(explorer, txid)
        yield Fact(name=speech.label("transaction"), value=txid, is_code=True, href=href)
    for product, name in invoice.product_names.items():
        count = invoice.product_quantities.get(product, 1)
        yield Fact(name=speech.label("items"), value=f"{count} \u00d7 {name}")
    if method is not None and situation.state in PAYABLE:
        yield from _terms(invoice, method, speech)
    yield Fact(name=speech.label("store"), value=store.name)
    yield Fact(name=speech.label("invoice"), value=invoice.id, is_code=True)


def network_name(method: Method, speech: Speech) -> str:
    """Name the network of a method for a buyer; empty where the API does not tell."""
    if method.is_test:
        return speech.label("test_network", network=method.network)
    if method.lightning:
        return speech.label("lightning")
    return speech.label("mainnet") if method.network else ""


def actions_of(invoice: Invoice, store: Store, situation: Situation, speech: Speech) -> list[Action]:
    """Return what a buyer can do now, the first thing first; never a button that leads nowhere."""
    contact, back = _contact(invoice, store, speech), _back(invoice, store, speech)
    match situation.state:
        case State.SEEN | State.CONFIRMING:
            offered = [_transaction(invoice, speech), back]
        case State.COMPLETE:
            offered = [back]
        case State.OVERPAID:
            offered = [_refund(contact, speech), back]
        case State.EXPIRED:
            offered = [back, contact]
        case State.UNCONFIRMED:
            offered = [contact or back, _transaction(invoice, speech)]
        case State.NO_METHOD:
            offered = [Action(name=speech.label("try_again"), href=""), contact]
        case State.EXPIRED_PARTLY | State.PAID_LATE | State.CANCELLED | State.REFUNDED:
            offered = [contact or back]
        case _:
            offered = []
    return [action for action in offered if action is not None]


def rate_of(invoice: Invoice, method: Method, speech: Speech) -> Markup | None:
    """Say what one coin counts for, or None where that has no meaning."""
    if method.rate == Decimal(0) or method.coin == invoice.currency.upper():
        return None
    return speech.label("rate_of", coin=method.coin, rate=speech.writer.rate(method.rate, invoice.currency))


def _terms(invoice: Invoice, method: Method, speech: Speech) -> Iterator[Fact]:
    if rate := rate_of(invoice, method, speech):
        yield Fact(name=speech.label("rate"), value=rate)
    if network := network_name(method, speech):
        yield Fact(name=speech.label("network"), value=network)


def _contact(invoice: Invoice, store: Store, speech: Speech) -> Action | None:
    href = links.support_link(store.support, invoice)
    return Action(name=speech.label("contact"), href=href) if href else None


def _refund(contact: Action | None, speech: Speech) -> Action | None:
    return Action(name=speech.label("ask_for_refund"), href=contact.href) if contact else None


def _back(invoice: Invoice, store: Store, speech: Speech) -> Action | None:
    url = invoice.redirect_url or ""
    address = links.web_link(url)
    if address is None:
        return None
    return Action(
        name=speech.label("back_to", store=store.name), href=links.href(address, url), where=address.authority
    )


def _transaction(invoice: Invoice, speech: Speech) -> Action | None:
    if len(invoice.tx_hashes) != 1:
        return None
    href = links.transaction_link(_explorer(invoice), invoice.tx_hashes[0])
    return Action(name=speech.label("view_transaction"), href=href) if href else None


def _explorer(invoice: Invoice) -> Method | None:
    """Return the method whose explorer knows the transactions; with several paid on, nobody can tell which is whose."""
    paid = invoice.paid_methods
    return paid[0] if len({method.explorer_url for method in paid}) == 1 else None
