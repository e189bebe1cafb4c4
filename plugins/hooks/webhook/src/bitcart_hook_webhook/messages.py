"""Write the two bodies: the event for endpoints, and the IPN's id and status. Pure, and the same over retries."""

import json

from bitcart_core import InvoiceEvent, InvoiceEventKind
from bitcart_hook_webhook.settings import event_type

_STATUS_KINDS = frozenset(InvoiceEventKind) - {
    InvoiceEventKind.CREATED,
    InvoiceEventKind.PAYMENT_RECEIVED,
    InvoiceEventKind.PAYMENT_REPLACED,
}


def changes_status(event: InvoiceEvent) -> bool:
    """Tell whether the IPN is due (contract section 9): a new status, or a payment that leaves it pending."""
    is_partial = event.kind == InvoiceEventKind.PAYMENT_RECEIVED and event.invoice.status == "pending"
    return is_partial or event.kind in _STATUS_KINDS


def event_body(event: InvoiceEvent) -> bytes:
    """Return the body for endpoints: `type`, `timestamp` and `data` (Standard Webhooks, payload structure)."""
    told = event.to_json()
    data = {"seq": event.seq, "reason": event.reason, **told["invoice"]}
    return _dump({"type": event_type(event.kind), "timestamp": told["created_at"], "data": data})


def ipn_body(event: InvoiceEvent) -> bytes:
    """Return the IPN: id and status and nothing more (contract section 9)."""
    return _dump({"id": event.invoice.id, "status": event.invoice.status})


def _dump(body: dict[str, object]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
