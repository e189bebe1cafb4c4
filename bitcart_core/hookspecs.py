"""Every hook there is. Arguments may be added, never renamed; an implementation may accept fewer.

Three verbs, so that the name tells the contract. `register_*` is called once at boot and returns an iterable.
A plain verb is a question, asked now, under a deadline, on plain values. Past tense is an announcement: a stored
event, delivered by a job of its own to one plugin and one target, retried until taken; it may arrive twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pluggy

from bitcart_core.coins import Coin
from bitcart_core.deliveries import Outcome, StoreView, Target
from bitcart_core.devchains import DevchainFactory
from bitcart_core.events import InvoiceEvent
from bitcart_core.notifiers import Notifier
from bitcart_core.rates import RateSource
from bitcart_core.requisites import Requisite
from bitcart_core.ui import Mount

PROJECT = "bitcart"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A built-in text that merchants may replace by their own.

    Attributes:
        name: Unique in a deployment: `notification`, `receipt`.
        text: Jinja2 source.
        purpose: Shown beside the editor.
        variables: Names a text may use, with what they hold.
    """

    name: str
    text: str
    purpose: str
    variables: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class HealthProblem:
    """Something that keeps a plugin from working.

    Attributes:
        subject: What is ill: `smtp of store s_1`.
        message: What is wrong and the remedy.
    """

    subject: str
    message: str


@hookspec
def register_coins() -> Iterable[Coin]:
    """Return the coins this plugin brings. Two plugins with one coin code stop the boot."""
    raise NotImplementedError


@hookspec
def register_rate_sources() -> Iterable[RateSource]:
    """Return rate sources. They are asked in the order of `plugins.toml`."""
    raise NotImplementedError


@hookspec
def register_notifiers() -> Iterable[Notifier]:
    """Return notifiers. A merchant picks one by its name and fills in its target."""
    raise NotImplementedError


@hookspec
def register_routers() -> Iterable[Mount]:
    """Return applications to mount beside the REST API. Two plugins with one prefix stop the boot."""
    raise NotImplementedError


@hookspec
def register_templates() -> Iterable[Template]:
    """Return built-in texts. Two plugins with one template name stop the boot."""
    raise NotImplementedError


@hookspec
def register_devchains() -> Iterable[DevchainFactory]:
    """Return development chains, started by `bitcart devchain` and `bitcart demo`."""
    raise NotImplementedError


@hookspec
def register_requisites() -> Iterable[Requisite]:
    """Return what must be fetched before this plugin works; `bitcart setup` fetches it, `doctor` checks it."""
    raise NotImplementedError


@hookspec
def delivery_targets(event: InvoiceEvent, store: StoreView) -> Iterable[Target]:
    """Say to whom this event must be delivered by this plugin.

    Asked once per event after it is committed, under a deadline. No target, no delivery. A plugin that announces
    and does not implement this has one target, itself. Raising or hanging is retried and named to the operator.
    """
    raise NotImplementedError


@hookspec
def announced(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """Deliver an event of any kind; called after the kind's own hook. Raise `DeliveryError` to be tried again."""


@hookspec
def invoice_created(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """An invoice and its payment methods exist."""


@hookspec
def payment_received(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """Money was seen for an invoice, be it in part, in full, too much or too late."""


@hookspec
def payment_replaced(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """Money seen before is gone again: its transaction was replaced, dropped or double spent."""


@hookspec
def invoice_paid(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The full amount was seen; it may not be confirmed yet."""


@hookspec
def invoice_confirmed(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The full amount stands in blocks, at least one deep."""


@hookspec
def invoice_completed(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The full amount is as deep as the store asks for: deliver the goods."""


@hookspec
def invoice_expired(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The time is over and the full amount was not seen; late money is still recorded."""


@hookspec
def invoice_invalidated(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The merchant cancelled the invoice, or its payment was dropped by the network."""


@hookspec
def invoice_refunded(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """The money was sent back."""


@hookspec
def invoice_stepped_down(event: InvoiceEvent, store: StoreView, target: Target) -> Outcome | None:
    """An invoice lost what it had reached: a block was orphaned or a payment replaced. Look before you deliver."""


@hookspec
def check_health() -> Iterable[HealthProblem]:
    """Return what keeps this plugin from working; nothing if all is well. Asked by `bitcart doctor`."""
    raise NotImplementedError
