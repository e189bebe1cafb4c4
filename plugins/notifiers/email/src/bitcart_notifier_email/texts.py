"""The built-in texts. The first line is the subject, an empty line follows, the rest is the message."""

from typing import Any

from bitcart_core import InvoiceEvent, StoreView, Template

RECEIPT = "receipt"
MERCHANT_INVOICE = "merchant_invoice"

_VARIABLES = {
    "event": "kind, reason, created_at",
    "invoice": "the invoice: id, order_id, price, currency, status, paid_currency, sent_amount, payments, ...",
    "store": "id, name, default_currency",
}

TEMPLATES = (
    Template(
        name=RECEIPT,
        purpose="E-mail to the buyer when an invoice is complete; the first line is the subject.",
        variables=_VARIABLES,
        text="""\
Your payment to {{ store.name }}

Thank you! {{ store.name }} has received your payment of {{ invoice.price }} {{ invoice.currency }}.

Invoice: {{ invoice.id }}
{% if invoice.order_id %}
Order:   {{ invoice.order_id }}
{% endif %}
{% if invoice.paid_currency %}
Paid:    {{ invoice.sent_amount }} {{ invoice.paid_currency }}
{% endif %}
{% for hash in invoice.tx_hashes %}
Payment: {{ hash }}
{% endfor %}
""",
    ),
    Template(
        name=MERCHANT_INVOICE,
        purpose="E-mail to the merchant about an invoice with money; the first line is the subject.",
        variables=_VARIABLES,
        text="""\
{% if event.kind == "invoice_completed" %}
{{ store.name }}: {{ invoice.price }} {{ invoice.currency }} received
{% elif event.kind == "invoice_expired" %}
{{ store.name }}: invoice {{ invoice.id }} expired with money on it
{% elif event.kind == "invoice_stepped_down" %}
{{ store.name }}: look at invoice {{ invoice.id }} before you deliver
{% else %}
{{ store.name }}: late payment for invoice {{ invoice.id }}
{% endif %}

{% if event.kind == "invoice_completed" %}
The invoice is complete: deliver the goods.
{% elif event.kind == "invoice_expired" %}
The time is over and the full amount was not seen. What arrived was recorded; accept or refund it.
{% elif event.kind == "invoice_stepped_down" %}
The invoice lost what it had reached: a block was orphaned or a payment replaced.
{% else %}
Money arrived after the time was over. It was recorded; accept or refund it.
{% endif %}
{% if event.reason %}
{{ event.reason }}
{% endif %}

Invoice: {{ invoice.id }}
{% if invoice.order_id %}
Order:   {{ invoice.order_id }}
{% endif %}
Price:   {{ invoice.price }} {{ invoice.currency }}
Status:  {{ invoice.status }}{% if invoice.exception_status != "none" %} ({{ invoice.exception_status }}){% endif %}

{% for payment in invoice.payments %}
Payment: {{ payment.amount }} {{ payment.symbol }}, {{ payment.confirmations }} confirmations, {{ payment.txid }}\
{% if payment.is_late %}, late{% endif %}{% if payment.is_replaced %}, gone again{% endif %}

{% endfor %}
""",
    ),
)


def variables(event: InvoiceEvent, store: StoreView) -> dict[str, Any]:
    """Return what a text may use: plain values, nothing secret."""
    return {
        "event": {"kind": event.kind, "reason": event.reason, "created_at": event.created_at},
        "invoice": event.invoice.to_json(),
        "store": {"id": store.id, "name": store.name, "default_currency": store.default_currency},
    }
