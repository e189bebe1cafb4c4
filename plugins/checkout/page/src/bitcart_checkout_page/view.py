"""Put together what the template shows of an invoice. Decides nothing about money and writes no HTML of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bitcart_checkout_page import links, texts
from bitcart_checkout_page.blanks import Blanks, fill_blanks
from bitcart_checkout_page.facts import Action, Fact, actions_of, facts_of
from bitcart_checkout_page.invoice import ExceptionStatus, Invoice, Method, Store
from bitcart_checkout_page.payable import Choice, Payable, choices, method_name, payable
from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.states import CHANGING, PAYABLE, PRESELECTED_UP_TO, State, find_situation
from bitcart_checkout_page.visit import Visit

LOOKS = {
    State.NO_METHOD: ("hourglass", "neutral"),
    State.CHOOSE: ("hollow", "neutral"),
    State.PENDING: ("hollow", "neutral"),
    State.ANY_AMOUNT: ("hollow", "neutral"),
    State.LAST_MINUTES: ("hollow", "neutral"),
    State.CHECKING: ("hollow", "neutral"),
    State.PARTLY_PAID: ("half", "warning"),
    State.SEEN: ("dot", "info"),
    State.CONFIRMING: ("ring", "info"),
    State.COMPLETE: ("check", "success"),
    State.OVERPAID: ("check-plus", "warning"),
    State.EXPIRED: ("hourglass", "neutral"),
    State.EXPIRED_PARTLY: ("hourglass", "warning"),
    State.PAID_LATE: ("clock", "warning"),
    State.UNCONFIRMED: ("cross", "error"),
    State.CANCELLED: ("cross", "error"),
    State.REFUNDED: ("return", "neutral"),
}
"""Shape and tone of each state: never colour alone."""

_WITH_DEADLINE = frozenset({State.ANY_AMOUNT, State.LAST_MINUTES})
"""Payable states whose sentence does not name the time."""


@dataclass(frozen=True, kw_only=True)
class View:
    """All that the template shows.

    Attributes:
        note: A second sentence, if there is more to say.
        progress: Confirmations so far and asked for, while they are counted.
        choices: Every method; the template shows them while one may still be chosen.
        rechoose: Link to the list of methods, where they are too many to stand beside each other.
        support: Link to the people of the store, if they gave one.
        check: Link that looks again, while something may still change.
        reload: Link that turns reloading on or off.
    """

    state: State
    icon: str
    tone: str
    label: Markup
    title: Markup
    text: Markup
    note: Markup | None
    deadline: Markup | None
    store: str
    price: Markup
    method: str
    is_test: bool
    progress: tuple[int, int] | None
    choices: Sequence[Choice]
    rechoose: str | None
    payable: Payable | None
    actions: Sequence[Action]
    facts: Sequence[Fact]
    support: str | None
    help: Markup
    check: str | None
    reload: str | None
    is_reloading: bool


def view_of(invoice: Invoice, store: Store, visit: Visit, *, speech: Speech, wallet_schemes: frozenset[str]) -> View:
    """Return what to show to the buyer of an invoice.

    Args:
        invoice: As the API shows it now.
        store: Whose invoice it is.
        visit: What the buyer asked of the page.
        speech: How to speak to the buyer.
        wallet_schemes: URI schemes that may open a wallet.
    """
    situation = find_situation(invoice, visit.method)
    state, method = situation.state, situation.method
    blanks = fill_blanks(invoice, store, method, speech)
    values = blanks.as_values()
    support = links.support_link(store.support, invoice)
    icon, tone = LOOKS[state]
    is_changing = state in CHANGING
    is_reloading = is_changing and visit.is_reloading
    is_payable = method is not None and state in PAYABLE
    return View(
        state=state,
        icon=icon,
        tone=tone,
        label=speech.say(texts.STATES[state].label, **values),
        title=speech.say(texts.STATES[state].title, **values),
        text=speech.say(_sentence(invoice, state), **values),
        note=_note(invoice, state, blanks, speech),
        deadline=speech.label("pay_before", **values) if state in _WITH_DEADLINE else None,
        store=store.name,
        price=blanks.price,
        method=method_name(method) if method else "",
        is_test=_is_test(invoice, method),
        progress=(blanks.n, blanks.m) if state is State.CONFIRMING else None,
        choices=choices(invoice, method, visit, speech) if is_payable or state is State.CHOOSE else [],
        rechoose=visit.link(method="") if is_payable and len(invoice.payments) > PRESELECTED_UP_TO else None,
        payable=payable(invoice, method, blanks, speech=speech, wallet_schemes=wallet_schemes)
        if method is not None and is_payable
        else None,
        actions=actions_of(invoice, store, situation, speech),
        facts=list(facts_of(invoice, store, situation, speech)),
        support=support,
        help=speech.label("help_mention" if support else "help_ask", **values),
        check=visit.link(is_reloading=is_reloading) if is_changing else None,
        reload=visit.link(is_reloading=not is_reloading) if is_changing else None,
        is_reloading=is_reloading,
    )


def _sentence(invoice: Invoice, state: State) -> str:
    if state is not State.COMPLETE:
        return texts.STATES[state].text
    if invoice.any_amount and invoice.paid_methods:
        return texts.RECEIVED_ANY
    return texts.STATES[state].text if invoice.paid_share >= 1 else texts.ACCEPTED


def _note(invoice: Invoice, state: State, blanks: Blanks, speech: Speech) -> Markup | None:
    """Say besides that too much was sent, while the money is not confirmed yet."""
    is_over = invoice.exception_status is ExceptionStatus.PAID_OVER and bool(blanks.extra)
    if is_over and state in (State.SEEN, State.CONFIRMING):
        return speech.say(texts.STATES[State.OVERPAID].text, **blanks.as_values())
    return None


def _is_test(invoice: Invoice, method: Method | None) -> bool:
    """Tell whether only play money is spoken of: on the method shown, else on all of them."""
    shown = [method] if method else invoice.paid_methods or invoice.payments
    return bool(shown) and all(each.is_test for each in shown)
