"""The plugin: who hears of an event, and one signed attempt to tell them. Retries are the kernel's."""

import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import ClassVar

import httpcore2 as httpcore
from pydantic import ValidationError

from bitcart_core import (
    DeliveryError,
    InputError,
    InvoiceEvent,
    Outcome,
    Plugin,
    PluginContext,
    Rejected,
    StoreView,
    Target,
    hookimpl,
    parse_web_address,
)
from bitcart_hook_webhook.answers import judge
from bitcart_hook_webhook.messages import changes_status, event_body, ipn_body
from bitcart_hook_webhook.sender import Sender
from bitcart_hook_webhook.settings import Endpoint, WebhookSettings, WebhookStoreSettings
from bitcart_hook_webhook.signing import sign

NAME = "webhook"
IPN = "ipn"
"""Key of the target that is an invoice's own notification URL."""


class Webhook(Plugin):
    """Send signed webhooks to a store's endpoints, and the plain IPN to an invoice's notification URL."""

    Settings = WebhookSettings
    StoreSettings = WebhookStoreSettings
    lane: ClassVar[str] = "inline"

    settings: WebhookSettings

    def __init__(self, settings: WebhookSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        self._user_agent = f"bitcart-webhook/{version('bitcart-hook-webhook')}"
        self._sender = Sender(settings.policy, deadline_seconds=settings.deadline_seconds, ca_file=settings.ca_file)

    @hookimpl
    def delivery_targets(self, event: InvoiceEvent, store: StoreView) -> list[Target]:
        """Name the endpoints that asked for this kind of event, and the invoice's notification URL."""
        targets = [
            Target(key=f"endpoint:{endpoint.key}", label=_label(endpoint.url))
            for endpoint in _endpoints(store)
            if endpoint.wants(event.kind)
        ]
        if event.invoice.notification_url and changes_status(event):
            targets.append(Target(key=IPN, label=_label(event.invoice.notification_url)))
        return targets

    @hookimpl
    def announced(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Make one attempt.

        Raises:
            Rejected: The address is refused, the endpoint is gone, or it answered 410.
            DeliveryError: Nothing was sent or taken; it is worth another try.
        """
        if target.key == IPN:
            return self._post(event.invoice.notification_url, ipn_body(event), event, store)
        return self._post(_endpoint(store, target).url, event_body(event), event, store)

    def _post(self, url: str, body: bytes, event: InvoiceEvent, store: StoreView) -> Outcome:
        headers = self._headers(event.id, body, store)
        try:
            address = parse_web_address(url)
            answer = self._sender.post(address, headers, body)
        except InputError as error:
            raise Rejected(str(error)) from error
        except httpcore.TimeoutException as error:
            limit = self.settings.deadline_seconds
            raise DeliveryError(f"{address.label} did not answer within {limit:g} seconds") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise DeliveryError(
                f"{address.label} could not be reached: {str(error) or type(error).__name__}"
            ) from error
        return judge(answer, label=address.label, now=datetime.now(UTC))

    def _headers(self, event_id: str, body: bytes, store: StoreView) -> dict[str, str]:
        timestamp = int(time.time())
        return {
            "content-type": "application/json",
            "user-agent": self._user_agent,
            "webhook-id": event_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(event_id, timestamp, body, secrets=store.signing_secrets),
        }


def _endpoints(store: StoreView) -> tuple[Endpoint, ...]:
    try:
        return WebhookStoreSettings.model_validate(store.plugin_settings.get(NAME, {})).endpoints
    except ValidationError as error:
        first = error.errors(include_input=False)[0]  # what was set may hold a password
        where = ".".join(map(str, first["loc"]))
        raise DeliveryError(
            f"the webhook settings of store {store.id} are broken, save them again: {where}: {first['msg']}"
        ) from None


def _endpoint(store: StoreView, target: Target) -> Endpoint:
    for endpoint in _endpoints(store):
        if target.key == f"endpoint:{endpoint.key}" and endpoint.is_enabled:
            return endpoint
    raise Rejected(f"the endpoint {target.label} was removed or disabled since the event")


def _label(url: str) -> str:
    try:
        return parse_web_address(url).label
    except InputError:
        return "an address that is refused"  # it may hold a password
