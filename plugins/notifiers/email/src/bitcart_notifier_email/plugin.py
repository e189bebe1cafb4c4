"""The plugin: who is written to about an event, and one attempt to write. Retries are the kernel's."""

from urllib.parse import urlsplit

from pydantic import ValidationError

from bitcart_core import (
    DeliveryError,
    EmailSettings,
    HealthProblem,
    InvoiceEvent,
    InvoiceEventKind,
    InvoiceView,
    Outcome,
    Plugin,
    Rejected,
    StoreView,
    Target,
    Template,
    hookimpl,
)
from bitcart_notifier_email.messages import compose, parse_address
from bitcart_notifier_email.settings import EmailPluginSettings, EmailStoreSettings
from bitcart_notifier_email.smtp import Route, check, send
from bitcart_notifier_email.texts import MERCHANT_INVOICE, RECEIPT, TEMPLATES, variables

NAME = "email"
BUYER = Target(key="buyer", label="the buyer")
MERCHANT = Target(key="merchant", label="the merchant")


class Email(Plugin):
    """Send the buyer a receipt, and tell the merchant of money and of trouble with it."""

    Settings = EmailPluginSettings
    StoreSettings = EmailStoreSettings
    settings: EmailPluginSettings

    @hookimpl
    def register_templates(self) -> list[Template]:
        """Return `receipt` and `merchant_invoice`."""
        return list(TEMPLATES)

    @hookimpl
    def delivery_targets(self, event: InvoiceEvent, store: StoreView) -> list[Target]:
        """Name the buyer, the merchant, both or nobody; nobody if there is no mail server."""
        if self._server(store) is None:
            return []
        wanted, targets = _store_settings(store), []
        if wanted.is_receipt_sent and event.kind == InvoiceEventKind.COMPLETED and event.invoice.buyer_email:
            targets.append(BUYER)
        if wanted.is_merchant_told and store.merchant_email and concerns_merchant(event):
            targets.append(MERCHANT)
        return targets

    @hookimpl
    def invoice_completed(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Send the receipt, or tell the merchant to deliver."""
        return self._send(event, store, target)

    @hookimpl
    def invoice_expired(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Tell the merchant of an expired invoice that has money on it."""
        return self._send(event, store, target)

    @hookimpl
    def invoice_stepped_down(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Tell the merchant to look before delivering."""
        return self._send(event, store, target)

    @hookimpl
    def payment_received(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Tell the merchant of a late payment."""
        return self._send(event, store, target)

    @hookimpl
    def check_health(self) -> list[HealthProblem]:
        """Try the operator's own mail server."""
        if self.settings.smtp is None:
            return []
        server = self.settings.smtp.server
        try:
            check(server, self._route(is_checked=False))
        except DeliveryError as error:
            return [HealthProblem(subject=f"mail server {server.host}", message=str(error))]
        return []

    def _send(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Write to one target.

        Raises:
            Rejected: There is no mail server any more, the address is none, or the server will never take it.
            DeliveryError: The server did not take it now, or the text is broken.
        """
        server = self._server(store)
        if server is None:
            raise Rejected(f"store {store.id} has no mail server any more; enter one in its e-mail settings")
        is_buyer = target.key == BUYER.key
        text = self.context.render(
            RECEIPT if is_buyer else MERCHANT_INVOICE, variables(event, store), store_id=store.id
        )
        sender = parse_address(server.address, name=store.name)
        message = compose(
            text,
            sender=sender,
            recipient=parse_address(event.invoice.buyer_email if is_buyer else store.merchant_email),
            message_id=f"{event.id}.{target.key}@{sender.domain}",
            sent_at=event.created_at,
        )
        send(server, message, self._route(is_checked=server is store.email))
        return Outcome(summary=f"{server.host} took the message to {target.label}")

    def _server(self, store: StoreView) -> EmailSettings | None:
        if store.email.is_configured:
            return store.email
        return self.settings.smtp.server if self.settings.smtp else None

    def _route(self, *, is_checked: bool) -> Route:
        return Route(
            policy=self.settings.policy if is_checked else None,
            deadline_seconds=self.settings.deadline_seconds,
            own_name=urlsplit(self.context.public_url).hostname or "localhost",
            ca_file=self.settings.ca_file,
        )


def concerns_merchant(event: InvoiceEvent) -> bool:
    """Tell whether a merchant must hear of an event: money that is theirs, and money that needs a decision."""
    if event.kind == InvoiceEventKind.EXPIRED:
        return _has_money(event.invoice)
    if event.kind == InvoiceEventKind.PAYMENT_RECEIVED:
        return any(payment.is_late and not payment.is_replaced for payment in event.invoice.payments)
    return event.kind in {InvoiceEventKind.COMPLETED, InvoiceEventKind.STEPPED_DOWN}


def _has_money(invoice: InvoiceView) -> bool:
    return invoice.sent_amount > 0 or any(payment.amount > 0 for payment in invoice.payments if not payment.is_replaced)


def _store_settings(store: StoreView) -> EmailStoreSettings:
    try:
        return EmailStoreSettings.model_validate(store.plugin_settings.get(NAME, {}))
    except ValidationError as error:
        raise DeliveryError(f"the e-mail settings of store {store.id} are broken, save them again: {error}") from error
