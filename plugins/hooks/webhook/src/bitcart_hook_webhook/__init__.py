"""Tell a merchant's machines what became of an invoice, by signed webhooks and by the plain IPN."""

from bitcart_hook_webhook.plugin import Webhook
from bitcart_hook_webhook.settings import Endpoint, WebhookSettings, WebhookStoreSettings

__all__ = ["Endpoint", "Webhook", "WebhookSettings", "WebhookStoreSettings"]
