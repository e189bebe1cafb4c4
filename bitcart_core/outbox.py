"""Stored facts and whom they concern: announced in the caller's transaction, then spread to targets.

Nothing here sends anything; `attempts` does. A row says what is due; queues only say that a row is.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import psycopg
from sqlalchemy import func, update
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from bitcart_core import attempts, notifications
from bitcart_core.attempts import LEASE, RETRY_AFTER, Claim
from bitcart_core.db import storable, transaction
from bitcart_core.deliveries import StoreView, Target
from bitcart_core.events import InvoiceEvent, InvoiceEventKind, InvoiceView
from bitcart_core.models import Delivery, DeliveryStatus, Event, Store
from bitcart_core.models.base import new_id
from bitcart_core.stores import store_views

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

CHANNEL = "bitcart_events"
"""PostgreSQL channel that wakes the dispatcher when events are committed."""

BATCH = {"inline": 20, "isolated": 1}
"""Deliveries in one job: an isolated one shares its process with nobody."""


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """What to announce of one invoice."""

    kind: InvoiceEventKind
    invoice: InvoiceView
    reason: str = ""


def announce(session: Session, store_id: str, announcements: Sequence[Announcement], *, now: datetime) -> None:
    """Write events in the caller's transaction, numbered without gaps within their store.

    Locks the store's row; the caller holds locks on invoices only, so that locks are always taken in that order.
    """
    if not announcements:
        return
    last = session.exec(
        update(Store)
        .where(col(Store.id) == store_id)
        .values(event_seq=col(Store.event_seq) + len(announcements))
        .returning(col(Store.event_seq))
    ).scalar_one()
    first = last - len(announcements) + 1
    for seq, item in enumerate(announcements, first):
        event = InvoiceEvent(
            id=new_id(), kind=item.kind, seq=seq, created_at=now, invoice=item.invoice, reason=item.reason
        )
        session.add(
            Event(
                id=event.id, store_id=store_id, seq=seq, kind=item.kind, invoice_id=item.invoice.id,
                payload=event.to_json(), created_at=now, spread_due_at=now,
            )
        )  # fmt: skip
    wake(session)


def wake(session: Session) -> None:
    """Wake the dispatchers once this transaction commits."""
    session.execute(select(func.pg_notify(CHANNEL, "")))


def spread(kernel: "Kernel", *, limit: int = 200) -> list[Claim]:
    """Ask the plugins for the targets of events that have none yet, and store their deliveries.

    No transaction is open while plugins are asked. Two that spread one event at once do no harm: deliveries are
    unique. A plugin that fails is asked again later; the targets of the others are stored now.

    Returns:
        The new deliveries, claimed for their first attempt.
    """
    with transaction(kernel.engine) as session:
        now = session.exec(select(func.now())).one()
        is_due = (col(Event.spread_at).is_(None), col(Event.spread_due_at) <= now, col(Event.store_id).is_not(None))
        events = session.exec(select(Event).where(*is_due).order_by(col(Event.spread_due_at)).limit(limit)).all()
        stores = store_views(session, {event.store_id for event in events if event.store_id})
        notified = notifications.targets(kernel, session, list(stores))
    rows: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for event in events:
        store = stores[event.store_id or ""]
        asked, failure = _ask(kernel, event, store, now)
        told = notified.get(store.id, []) if event.kind in notifications.KINDS else []
        rows += asked + [_delivery_row(kernel, event.id, plugin, target, now) for plugin, target in told]
        if failure:
            failures[event.id] = failure
    return _store_deliveries(kernel, events, rows, failures)


def _ask(kernel: "Kernel", event: Event, store: StoreView, now: datetime) -> tuple[list[dict[str, Any]], str]:
    """Return the deliveries that the plugins want of an event, and which plugins failed to say."""
    rows: list[dict[str, Any]] = []
    failed = []
    try:
        fact = InvoiceEvent.from_json(event.payload)
    except ValueError as error:
        return [], f"the event cannot be read: {error}"
    for name, loaded in kernel.registry.plugins.items():
        if not {event.kind, "announced"} & loaded.hooks:
            continue
        try:
            answer = kernel.registry.ask(name, "delivery_targets", event=fact, store=store)
            targets = [Target(key="plugin")] if "delivery_targets" not in loaded.hooks else list(answer or [])
            rows += [_delivery_row(kernel, event.id, name, target, now) for target in targets]
        except Exception as error:  # a plugin may raise anything, and hand over anything
            log.exception("plugin %s failed to say to whom event %s goes; it is asked again", name, event.id)
            failed.append(f"{name}: {type(error).__name__}: {error}")
    return rows, "; ".join(failed)


def _delivery_row(kernel: "Kernel", event_id: str, plugin: str, target: Target, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "created_at": now,
        "event_id": event_id,
        "plugin": plugin,
        "target_key": storable(target.key[:200]),
        "target": storable(target.to_json()),
        "lane": kernel.registry.plugins[plugin].lane,
        "status": DeliveryStatus.DUE,
        "attempt": 0,
        "due_at": now,
        "locked_until": now + LEASE,
        "error": "",
    }


def _store_deliveries(
    kernel: "Kernel", events: Sequence[Event], rows: list[dict[str, Any]], failures: dict[str, str]
) -> list[Claim]:
    if not events:
        return []
    with transaction(kernel.engine) as session:
        claims = []
        if rows:
            statement = insert(Delivery).on_conflict_do_nothing().returning(col(Delivery.id), col(Delivery.lane))
            claims = [
                Claim(delivery_id=row.id, attempt=1, lane=row.lane)
                for row in session.execute(statement, rows, execution_options={"synchronize_session": False})
            ]
        done = [event.id for event in events if event.id not in failures]
        session.execute(update(Event).where(col(Event.id).in_(done)).values(spread_at=func.now(), spread_error=""))
        for event in events:
            if event.id in failures:
                wait = RETRY_AFTER[min(event.spread_attempts + 1, len(RETRY_AFTER) - 1)]
                session.execute(
                    update(Event)
                    .where(col(Event.id) == event.id)
                    .values(
                        spread_attempts=event.spread_attempts + 1,
                        spread_error=storable(failures[event.id])[:2000],
                        spread_due_at=func.now() + wait,
                    )
                )
    return claims


def listen(url: str) -> psycopg.Connection[Any]:
    """Open a connection that hears of committed events; the caller iterates over `notifies()` and closes it."""
    connection = psycopg.connect(url, autocommit=True)
    connection.execute(f"listen {CHANNEL}")
    return connection


def dispatch(kernel: "Kernel") -> int:
    """Spread what is new, claim what is due, and queue both. Several may dispatch at once.

    While Redis is away the claims are put back, so that nothing waits for a lease to end once it has returned.

    Returns:
        How many deliveries were queued.
    """
    claims = spread(kernel) + attempts.claim_due(kernel)
    claims.sort(key=lambda claim: claim.lane)
    queued = 0
    while queued < len(claims):
        lane = claims[queued].lane
        batch = [claim for claim in claims[queued : queued + BATCH[lane]] if claim.lane == lane]
        if not kernel.enqueue(lane, "deliver", [[claim.delivery_id, claim.attempt] for claim in batch]):
            attempts.put_back(kernel, claims[queued:])
            break
        queued += len(batch)
    return queued
