"""Attempts to deliver: who may make one, making it, and what is written of it. At least once, never in silence."""

import logging
import math
import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, text, tuple_, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from bitcart_core import notifications
from bitcart_core.db import storable, transaction
from bitcart_core.deliveries import Outcome, StoreView, Target
from bitcart_core.errors import DeliveryError, Rejected
from bitcart_core.events import InvoiceEvent
from bitcart_core.models import Delivery, DeliveryAttempt, DeliveryStatus, Event
from bitcart_core.stores import store_views

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

RETRY_AFTER = tuple(
    timedelta(seconds=seconds) for seconds in (0, 5, 30, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 24 * 3600, 24 * 3600)
)
"""Wait before each attempt; together about three days (Standard Webhooks asks for several days)."""

JITTER = 0.2
LEASE = timedelta(seconds=90)
"""How long an attempt holds its row; longer than any deadline of a delivery, so that no two attempts overlap."""


PATIENCE = timedelta(seconds=30)
"""How long one job goes on taking up further deliveries; the rest of its batch is given back."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A delivery that someone may attempt now.

    Attributes:
        attempt: Its number, from 1. However long the claim waits in a queue, it is good as long as nobody else has
            begun the attempt of that number.
    """

    delivery_id: str
    attempt: int
    lane: str


def claim_due(kernel: "Kernel", *, limit: int = 200) -> list[Claim]:
    """Claim deliveries that are due and that nobody holds; who claims one has a lease's time to begin."""
    with transaction(kernel.engine) as session:
        due = (
            select(Delivery.id)
            .where(
                col(Delivery.status) == DeliveryStatus.DUE,
                col(Delivery.due_at) <= func.now(),
                func.coalesce(col(Delivery.locked_until), col(Delivery.due_at)) <= func.now(),
            )
            .order_by(col(Delivery.due_at))
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        rows = session.execute(
            update(Delivery)
            .where(col(Delivery.id).in_(due))
            .values(locked_until=func.now() + LEASE)
            .returning(col(Delivery.id), (col(Delivery.attempt) + 1).label("next"), col(Delivery.lane))
            .execution_options(synchronize_session=False)
        )
        return [Claim(delivery_id=row.id, attempt=row.next, lane=row.lane) for row in rows]


def put_back(kernel: "Kernel", claims: Sequence[Claim]) -> None:
    """Give up claims that could not be queued; whoever sweeps next takes them."""
    with transaction(kernel.engine) as session:
        session.execute(
            update(Delivery)
            .where(
                tuple_(col(Delivery.id), col(Delivery.attempt) + 1).in_([(c.delivery_id, c.attempt) for c in claims])
            )
            .values(locked_until=None)
            .execution_options(synchronize_session=False)
        )


def begin(session: Session, claims: Iterable[tuple[str, int]]) -> list[tuple[Delivery, Event]]:
    """Begin an attempt at each delivery that is still ours to attempt; return them with their events.

    A row that was done or begun by someone else in the meantime is left out. One whose attempts all broke off without
    a word, since whoever made them was killed, is dead.
    """
    wanted = dict(claims)
    rows = session.exec(
        select(Delivery, Event)
        .join(Event, col(Event.id) == col(Delivery.event_id))
        .where(col(Delivery.id).in_(wanted), col(Delivery.status) == DeliveryStatus.DUE)
        .with_for_update(of=Delivery, skip_locked=True)
    ).all()
    ours = [(delivery, event) for delivery, event in rows if delivery.attempt + 1 == wanted[delivery.id]]
    fresh = [(delivery, event) for delivery, event in ours if delivery.attempt < len(RETRY_AFTER)]
    _bury(session, [delivery for delivery, _ in ours if delivery.attempt >= len(RETRY_AFTER)])
    session.execute(text("set local synchronous_commit = off"))  # a lost hold is only a lease that ends earlier
    session.execute(
        update(Delivery)
        .where(col(Delivery.id).in_([delivery.id for delivery, _ in fresh]))
        .values(attempt=col(Delivery.attempt) + 1, locked_until=func.now() + LEASE)
        .execution_options(synchronize_session=False)
    )
    for delivery, _ in fresh:
        set_committed_value(delivery, "attempt", wanted[delivery.id])
    return fresh


def _bury(session: Session, deliveries: Sequence[Delivery]) -> None:
    for delivery in deliveries:
        error = (
            f"{delivery.attempt} attempts were begun and the last broke off without a word; look into the worker's log"
        )
        log.error("delivery %s of plugin %s is dead: %s", delivery.id, delivery.plugin, error)
        session.execute(
            update(Delivery)
            .where(col(Delivery.id) == delivery.id)
            .values(status=DeliveryStatus.DEAD, done_at=func.now(), locked_until=None, error=error)
            .execution_options(synchronize_session=False)
        )


def give_back(session: Session, deliveries: Sequence[Delivery]) -> None:
    """Undo `begin` for deliveries that were not attempted after all, so that they are due at once."""
    session.execute(
        update(Delivery)
        .where(tuple_(col(Delivery.id), col(Delivery.attempt)).in_([(d.id, d.attempt) for d in deliveries]))
        .values(attempt=col(Delivery.attempt) - 1, locked_until=None)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """What came of one attempt."""

    delivery_id: str
    attempt: int
    outcome: Outcome | None
    error: DeliveryError | None
    duration_ms: int


def conclude(session: Session, conclusions: Sequence[Conclusion]) -> None:
    """Write what came of attempts: done, due again, or dead. Only the attempt that holds a row may conclude it."""
    for item in conclusions:
        values = _values(item)
        result = session.execute(
            update(Delivery)
            .where(
                col(Delivery.id) == item.delivery_id,
                col(Delivery.attempt) == item.attempt,
                col(Delivery.status) == DeliveryStatus.DUE,
            )
            .values(**values, locked_until=None, updated_at=func.now())
            .returning(col(Delivery.id))
            .execution_options(synchronize_session=False)
        )
        if result.first() is None:
            continue
        session.add(
            DeliveryAttempt(
                delivery_id=item.delivery_id,
                attempt=item.attempt,
                is_success=item.error is None,
                summary=_text(item.error or (item.outcome.summary if item.outcome else "")),
                detail=storable(item.error.detail if item.error else (item.outcome.detail if item.outcome else {})),
                duration_ms=item.duration_ms,
            )
        )


def _text(said: object) -> str:
    """Return what a plugin said as text of a bearable length."""
    return str(storable(str(said)[:2000]))


def _values(item: Conclusion) -> dict[str, Any]:
    if item.error is None:
        return {"status": DeliveryStatus.DELIVERED, "done_at": func.now(), "error": ""}
    message = _text(item.error)
    if isinstance(item.error, Rejected) or item.attempt >= len(RETRY_AFTER):
        return {"status": DeliveryStatus.DEAD, "done_at": func.now(), "error": message}
    return {"due_at": func.now() + retry_wait(item.attempt, item.error.retry_after_seconds), "error": message}


def retry_wait(attempt: int, asked_seconds: float | None = None, *, chance: float | None = None) -> timedelta:
    """Return how long to wait after a failed attempt.

    Args:
        attempt: The one that failed, from 1.
        asked_seconds: What the recipient asked for; obeyed up to a day. What is no number is no wish.
        chance: A number from 0 to 1 instead of a random one, for tests.
    """
    if asked_seconds is not None and not math.isnan(asked_seconds):
        return timedelta(seconds=min(max(asked_seconds, 0), 86400))
    spread_by = 1 + JITTER * (2 * (random.random() if chance is None else chance) - 1)  # noqa: S311 - no secret
    return RETRY_AFTER[min(attempt, len(RETRY_AFTER) - 1)] * spread_by


def make(kernel: "Kernel", claims: Sequence[tuple[str, int]]) -> None:
    """Attempt deliveries, one after the other, and write what came of each.

    A batch of slow recipients would outlive its lease; what is not taken up in time is given back untouched.
    """
    with transaction(kernel.engine) as session:
        ours = begin(session, claims)
        stores = store_views(session, {event.store_id for _, event in ours if event.store_id})
    conclusions: list[Conclusion] = []
    end = time.monotonic() + PATIENCE.total_seconds()
    for delivery, event in ours:
        if conclusions and time.monotonic() > end:
            break
        conclusions.append(make_one(kernel, delivery, event, stores[event.store_id or ""]))
    with transaction(kernel.engine) as session:
        conclude(session, conclusions)
        give_back(session, [delivery for delivery, _ in ours[len(conclusions) :]])


def make_one(kernel: "Kernel", delivery: Delivery, event: Event, store: StoreView) -> Conclusion:
    """Attempt one delivery; whatever the plugin raises becomes part of the conclusion."""
    begun = time.monotonic()
    outcome: Outcome | None = None
    failure: DeliveryError | None = None
    try:
        outcome = _hand_over(kernel, delivery, InvoiceEvent.from_json(event.payload), store)
    except DeliveryError as error:
        failure = error
    except Exception as error:
        log.exception("plugin %s failed to deliver %s to %s", delivery.plugin, event.kind, delivery.target_key)
        failure = DeliveryError(f"plugin {delivery.plugin} raised {type(error).__name__}: {error}")
    return Conclusion(
        delivery_id=delivery.id,
        attempt=delivery.attempt,
        outcome=outcome,
        error=failure,
        duration_ms=round((time.monotonic() - begun) * 1000),
    )


def _hand_over(kernel: "Kernel", delivery: Delivery, event: InvoiceEvent, store: StoreView) -> Outcome | None:
    if delivery.plugin not in kernel.registry.plugins:
        raise DeliveryError(f"plugin {delivery.plugin} is not loaded; add it to plugins.toml")
    target = Target.from_json(delivery.target)
    if notifications.is_notification(target):
        return notifications.send(kernel, target, event, store)
    answers = [
        kernel.registry.call(delivery.plugin, hook, event=event, store=store, target=target)
        for hook in (event.kind, "announced")
    ]
    return next((answer for answer in answers if isinstance(answer, Outcome)), None)
