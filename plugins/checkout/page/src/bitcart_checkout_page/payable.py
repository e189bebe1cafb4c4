"""Put together what to send and where: amount, QR code, link to a wallet, address, and the methods to choose from."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from bitcart_checkout_page import links, qr
from bitcart_checkout_page.blanks import Blanks
from bitcart_checkout_page.facts import network_name, rate_of
from bitcart_checkout_page.invoice import Invoice, Method
from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.visit import Visit
from bitcart_checkout_page.writing import address_groups, digit_groups


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A method in the list of methods.

    Attributes:
        network: Empty where the API does not tell.
        amount: None if the buyer chooses how much.
    """

    name: str
    network: str
    amount: Markup | None
    href: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True)
class Payable:
    """What to send, and where. Exists only in states in which to send is right.

    Attributes:
        amount: As plain digits, the same that are shown and coded; None if any amount is welcome.
        amount_groups: The same digits, split where the eye wants a gap.
        wallet: A link that opens a wallet, or None if the scheme is not known.
        address_groups: The address in fours, each with what to emphasize.
        warning: Of a token that other networks have too.
    """

    coin: str
    amount: str | None
    amount_groups: Sequence[str]
    rate: Markup | None
    uri: str
    code: qr.QrCode
    code_label: Markup
    wallet: str | None
    address: str
    address_name: Markup
    address_groups: Sequence[Sequence[tuple[str, bool]]]
    hint: str
    warning: Markup | None


def payable(
    invoice: Invoice, method: Method, blanks: Blanks, *, speech: Speech, wallet_schemes: frozenset[str]
) -> Payable:
    """Return what to send on a method: what is still due, not a unit more.

    Args:
        invoice: The invoice.
        method: The method chosen.
        blanks: What is said of the invoice.
        speech: How to speak to the buyer.
        wallet_schemes: URI schemes that may open a wallet.
    """
    digits = None if invoice.any_amount else speech.writer.coin_digits(method.due, method.divisibility)
    uri = links.payment_uri(method, digits)
    return Payable(
        coin=method.coin,
        amount=digits,
        amount_groups=digit_groups(digits or ""),
        rate=rate_of(invoice, method, speech),
        uri=uri,
        code=qr.draw(qr.qr_text(uri)),
        code_label=speech.label("qr", amount=blanks.due, store=blanks.store)
        if digits
        else speech.label("qr_any", store=blanks.store),
        wallet=links.wallet_link(uri, wallet_schemes),
        address=method.payment_address,
        address_name=speech.label("lightning_invoice" if method.lightning else "address"),
        address_groups=address_groups(method.payment_address),
        hint=method.hint or "",
        warning=speech.label("only_this_token", coin=method.coin, network=method.currency.upper())
        if method.contract
        else None,
    )


def choices(invoice: Invoice, chosen: Method | None, visit: Visit, speech: Speech) -> list[Choice]:
    """Return every method of an invoice, each as a link that works without any script."""
    return [
        Choice(
            name=method_name(method),
            network=network_name(method, speech),
            amount=None if invoice.any_amount else speech.writer.coin(method.due, method.divisibility, method.coin),
            href=visit.link(method=method.id, is_reloading=visit.is_reloading),
            is_chosen=method == chosen,
        )
        for method in invoice.payments
    ]


def method_name(method: Method) -> str:
    """Return a method's name as the API gives it, with a word in place of Lightning's sign."""
    return method.name.replace("(\u26a1)", "Lightning")
