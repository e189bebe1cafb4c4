"""A store's notification targets: which of them hear of an event, and telling one of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from sqlmodel import Session, col, select

from bitcart_core import templates
from bitcart_core.deliveries import Outcome, StoreView, Target
from bitcart_core.errors import Rejected
from bitcart_core.events import InvoiceEvent, InvoiceEventKind
from bitcart_core.hookspecs import Template
from bitcart_core.models import NotificationTarget, StoreNotification
from bitcart_core.notifiers import Notification

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

KINDS = frozenset({InvoiceEventKind.COMPLETED, InvoiceEventKind.STEPPED_DOWN})
"""What the people of a store are told of: money that is theirs, and money that is theirs no more."""

TEMPLATE = "notification"
_PREFIX = "notification:"

BUILT_IN = Template(
    name=TEMPLATE,
    purpose="Sent to a store's notification targets; the first line is the title.",
    variables={"event": "kind, reason, created_at", "invoice": "the invoice", "store": "id, name, default_currency"},
    text="""\
{% if event.kind == "invoice_completed" %}{{ store.name }}: {{ invoice.price }} {{ invoice.currency }} received\
{% else %}{{ store.name }}: look at invoice {{ invoice.id }} before you deliver{% endif %}

Invoice {{ invoice.id }}{% if invoice.order_id %}, order {{ invoice.order_id }}{% endif %} is {{ invoice.status }}.
{% if event.reason %}{{ event.reason }}
{% endif %}
""",
)
"""The text that is used where a store has none of its own."""


def targets(kernel: "Kernel", session: Session, store_ids: Sequence[str]) -> dict[str, list[tuple[str, Target]]]:
    """Return, for each store, its notification targets with the plugin that can tell them."""
    statement = (
        select(StoreNotification.store_id, NotificationTarget)
        .join(NotificationTarget, col(NotificationTarget.id) == col(StoreNotification.notification_id))
        .where(col(StoreNotification.store_id).in_(store_ids))
    )
    found: dict[str, list[tuple[str, Target]]] = {}
    for store_id, row in session.exec(statement):
        if plugin := kernel.registry.notifier_plugins.get(row.notifier):
            target = Target(key=f"{_PREFIX}{row.id}", label=row.name, data={"notification_id": row.id})
            found.setdefault(store_id, []).append((plugin, target))
    return found


def is_notification(target: Target) -> bool:
    """Tell a notification target from a plugin's own."""
    return target.key.startswith(_PREFIX)


def send(kernel: "Kernel", target: Target, event: InvoiceEvent, store: StoreView) -> Outcome:
    """Tell one target of an event.

    Raises:
        DeliveryError: The channel did not take it now.
        Rejected: It never will, or the target is gone or no longer right.
    """
    with Session(kernel.engine) as session:
        row = session.get(NotificationTarget, target.data["notification_id"])
    if row is None:
        raise Rejected(f"notification target {target.label!r} was deleted")
    notifier = kernel.registry.notifiers.get(row.notifier)
    if notifier is None:
        raise Rejected(f"notifier {row.notifier!r} is not loaded; add its plugin to plugins.toml")
    try:
        recipient = notifier.target_model.model_validate(row.data)
    except ValidationError as error:
        raise Rejected(f"notification target {row.name!r} is not right: {error.errors()[0]['msg']}") from None
    text = templates.render_named(kernel, TEMPLATE, variables(event, store), store_id=store.id)
    title, _, body = text.partition("\n")
    notifier.send(recipient, Notification(title=title, body=body.strip(), idempotency_key=f"{event.id}:{row.id}"))
    return Outcome(summary=f"told {row.name} by {row.notifier}")


def variables(event: InvoiceEvent, store: StoreView) -> dict[str, Any]:
    """Return what a text about an event may use: `event`, `invoice` and `store`, plain values only."""
    return {
        "event": {"kind": event.kind, "reason": event.reason, "created_at": event.created_at},
        "invoice": event.invoice.to_json(),
        "store": {"id": store.id, "name": store.name, "default_currency": store.default_currency},
    }
