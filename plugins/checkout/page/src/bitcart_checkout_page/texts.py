"""Every word of the page, once, in English; marked for gettext and translated where it is shown.

A sentence's blanks are filled after its translation, each with a value that is safe HTML or is escaped.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bitcart_checkout_page.states import State


def N_(message: str) -> str:  # noqa: N802 - the name by which gettext's tools find what is translated later
    """Mark a message for translation, and leave it as it is."""
    return message


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """What a state says.

    Attributes:
        label: The status in a word or two, for the browser's tab.
        title: What happened.
        text: What it means and what to do now.
    """

    label: str
    title: str
    text: str


STATES: Mapping[State, Sentences] = {
    State.NO_METHOD: Sentences(
        label=N_("Waiting"),
        title=N_("No payment method is available"),
        text=N_("Your order is safe and nothing was charged. Please try again in a few minutes."),
    ),
    State.CHOOSE: Sentences(
        label=N_("Waiting"),
        title=N_("Choose how to pay"),
        text=N_("{price} to {store}. The price is fixed until {time}."),
    ),
    State.PENDING: Sentences(
        label=N_("Waiting"),
        title=N_("Waiting for payment"),
        text=N_("Send exactly {amount} to this address. Pay before {time}."),
    ),
    State.ANY_AMOUNT: Sentences(
        label=N_("Waiting"),
        title=N_("Send any amount"),
        text=N_("Send as much {coin} as you like to this address."),
    ),
    State.LAST_MINUTES: Sentences(
        label=N_("Waiting"),
        title=N_("Waiting for payment"),
        text=N_("{left} left at this price. If you already sent it, you need to do nothing."),
    ),
    State.CHECKING: Sentences(
        label=N_("Waiting"),
        title=N_("Checking for your payment"),
        text=N_("One moment, we are asking the network."),
    ),
    State.PARTLY_PAID: Sentences(
        label=N_("Partly paid"),
        title=N_("Part of the payment arrived"),
        text=N_(
            "We received {paid}. Please send the remaining {due} before {time}."
            " The code below now asks for the rest only."
        ),
    ),
    State.SEEN: Sentences(
        label=N_("Seen"),
        title=N_("Payment found"),
        text=N_("Your payment of {paid} is on its way. The network must confirm it first. You may close this page."),
    ),
    State.CONFIRMING: Sentences(
        label=N_("Confirming {n}/{m}"),
        title=N_("Confirming: {n} of {m}"),
        text=N_("Your payment is being confirmed. You may close this page."),
    ),
    State.COMPLETE: Sentences(
        label=N_("Complete"),
        title=N_("Payment complete"),
        text=N_("Thank you. {store} received {price}."),
    ),
    State.OVERPAID: Sentences(
        label=N_("Overpaid"),
        title=N_("Payment complete"),
        text=N_("You sent {extra} more than needed. The store can send the difference back."),
    ),
    State.EXPIRED: Sentences(
        label=N_("Expired"),
        title=N_("This invoice has expired"),
        text=N_(
            "No payment arrived before {time}. Please do not send money to the old address."
            " Already sent it? We still watch for it and will tell the store."
        ),
    ),
    State.EXPIRED_PARTLY: Sentences(
        label=N_("Expired, partly paid"),
        title=N_("Expired with part of the payment"),
        text=N_(
            "We received {paid_of_total}. The store can accept the rest or refund you. Please mention invoice {id}."
        ),
    ),
    State.PAID_LATE: Sentences(
        label=N_("Paid late"),
        title=N_("Payment arrived late"),
        text=N_(
            "It came after the time limit. {store} has been told and will accept it or refund you."
            " Please mention invoice {id}."
        ),
    ),
    State.UNCONFIRMED: Sentences(
        label=N_("Invalid"),
        title=N_("Payment was not confirmed"),
        text=N_(
            "The network dropped or replaced your transaction. It did not reach the store."
            " Please check your wallet before you pay again."
        ),
    ),
    State.CANCELLED: Sentences(
        label=N_("Invalid"),
        title=N_("This invoice was cancelled"),
        text=N_("{store} cancelled this invoice. Please do not pay it."),
    ),
    State.REFUNDED: Sentences(
        label=N_("Refunded"),
        title=N_("Payment refunded"),
        text=N_("{store} sent your payment back."),
    ),
}

RECEIVED_ANY = N_("Thank you. {store} received {paid}.")
"""Complete, where the buyer chose how much."""

ACCEPTED = N_("Thank you. {store} accepted your payment.")
"""Complete, though not all of the price arrived: a tolerance, or the merchant's own word."""

TOTAL = N_("{paid} of {total}")
"""A part of a bill."""

NOT_FOUND = Sentences(
    label=N_("Not found"),
    title=N_("Invoice not found"),
    text=N_("The link may be incomplete or the invoice was removed. Please open the link again from the shop."),
)
API_DOWN = Sentences(
    label=N_("Not available"),
    title=N_("We cannot load this invoice right now"),
    text=N_("Please try again in a minute. If you already paid, do not pay twice."),
)
TOO_MANY = Sentences(
    label=N_("Not available"),
    title=N_("Please wait a moment"),
    text=N_("You can try again in {n} seconds."),
)
BROKEN = Sentences(
    label=N_("Not available"),
    title=N_("Something went wrong on our side"),
    text=N_("If you already paid, do not pay twice. Code {code}."),
)

LABELS: Mapping[str, str] = {
    "address": N_("Address"),
    "amount": N_("Amount"),
    "any_amount": N_("Any amount"),
    "ask_for_refund": N_("Ask for a refund"),
    "back_to": N_("Back to {store}"),
    "check": N_("Check for payment"),
    "choose_another": N_("Choose another method"),
    "contact": N_("Contact the store"),
    "confirmation": N_("Confirmation {n} of {m}"),
    "copy_values": N_("Values to copy"),
    "details": N_("Details"),
    "help": N_("Need help?"),
    "help_ask": N_("Ask {store} and mention invoice {id}."),
    "help_mention": N_("Please mention invoice {id}."),
    "invoice": N_("Invoice"),
    "items": N_("Items"),
    "lightning": N_("Lightning network"),
    "lightning_invoice": N_("Lightning invoice"),
    "mainnet": N_("Main network"),
    "network": N_("Network"),
    "only_this_token": N_("Send only {coin} on the {network} network. Other networks cannot be recovered."),
    "open_wallet": N_("Open in wallet"),
    "pay_before": N_("Pay before {time}."),
    "pay_with": N_("Pay with"),
    "payment_link": N_("Payment link"),
    "price": N_("Price"),
    "qr": N_("QR code: pay {amount} to {store}"),
    "qr_any": N_("QR code: pay {store}"),
    "rate": N_("Rate"),
    "rate_of": N_("1 {coin} = {rate}"),
    "received": N_("Received"),
    "reload_off": N_("Stop reloading"),
    "reload_on": N_("Reload every 20 seconds"),
    "scan": N_("Scan with your wallet"),
    "skip": N_("Skip to the payment"),
    "still_due": N_("Still due"),
    "store": N_("Store"),
    "status": N_("Status"),
    "test_network": N_("{network}, test network"),
    "test_text": N_("Do not send real coins."),
    "test_title": N_("Test mode: no real money"),
    "transaction": N_("Transaction"),
    "try_again": N_("Try again"),
    "view_transaction": N_("View transaction"),
}
