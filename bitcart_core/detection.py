"""What the daemons said: stored first, worked on after. A poison entry blocks nobody and is not forgotten."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from bitcart_core import cases, matching
from bitcart_core.cases import Push
from bitcart_core.coins import StreamItem
from bitcart_core.db import is_in_trouble, storable, transaction
from bitcart_core.errors import BitcartError
from bitcart_core.events import BlockEvent, PaymentEvent, Position
from bitcart_core.models import Cursor, IncomingEvent

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

BATCH = 200
_POISON_WAITS = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 300, 3600))


class LostLeaseError(BitcartError):
    """Someone else listens to this coin now; whoever gets this must stop."""


def cursor(session: Session, coin: str, network: str) -> Cursor | None:
    """Return how far a coin has been stored, or None if it never was."""
    return session.get(Cursor, (coin, network))


def store(session: Session, coin: str, network: str, items: Sequence[StreamItem], *, fence: int) -> bool:
    """Store entries of a daemon's journal and move the cursor, in the caller's transaction.

    Text that PostgreSQL cannot hold is stored with U+FFFD in place of what offends: the entry is kept, the money in it
    is recorded, and the listener goes on.

    Args:
        session: The transaction; nothing else should be in it.
        coin: Code of the coin.
        network: Its network.
        items: In order; heartbeats among them move the clock only.
        fence: Token of the lease under which the caller listens.

    Returns:
        Whether anything is now due to be recorded.

    Raises:
        LostLeaseError: The cursor was moved under a later lease.
    """
    last = items[-1]
    rows = [
        {
            "coin": coin, "network": network, "epoch": item.position.epoch, "seq": item.position.seq,
            "events": storable([to_stored(event) for event in item.events]), "attempts": 0,
            "at": item.at, "received_at": func.now(), "due_at": func.now(),
        }
        for item in items
        if item.events
    ]  # fmt: skip
    _move_cursor(session, coin, network, last, fence)
    for row in rows:
        session.execute(insert(IncomingEvent).values(**row).on_conflict_do_nothing())
    return bool(rows)


def _move_cursor(session: Session, coin: str, network: str, last: StreamItem, fence: int) -> None:
    values: dict[str, Any] = {
        "epoch": last.position.epoch,
        "seq": last.position.seq,
        "height": last.height,
        "fence": fence,
    }
    if last.is_caught_up:
        values["heard_until"] = last.at
    moved = session.execute(
        insert(Cursor)
        .values(coin=coin, network=network, **values)
        .on_conflict_do_update(
            index_elements=[col(Cursor.coin), col(Cursor.network)],
            set_=values,
            where=col(Cursor.fence) <= fence,
        )
        .returning(col(Cursor.coin))
    )
    if moved.first() is None:
        raise LostLeaseError(f"{coin}/{network} is listened to under a later lease")


def record_due(kernel: "Kernel", coin: str, network: str) -> int:
    """Record the stored entries of one coin that are due, in batches. Safe to run twice, or beside itself.

    Returns:
        How many entries were recorded.
    """
    recorded, size = 0, BATCH
    while True:
        with transaction(kernel.engine) as session:
            batch = _claim(session, coin, network, size)
            pushes = _record_batch(session, batch)
        if pushes is None:
            size = len(batch) // 2  # one of them is poison; what was locked for this batch is free again
            continue
        kernel.push(pushes)
        recorded += sum(1 for entry in batch if entry.recorded_at is not None)
        if len(batch) < size:
            return recorded
        size = min(size * 2, BATCH)


def _claim(session: Session, coin: str, network: str, limit: int) -> Sequence[IncomingEvent]:
    return session.exec(
        select(IncomingEvent)
        .where(
            IncomingEvent.coin == coin,
            IncomingEvent.network == network,
            col(IncomingEvent.recorded_at).is_(None),
            col(IncomingEvent.due_at) <= func.now(),
        )
        .order_by(col(IncomingEvent.epoch), col(IncomingEvent.seq))
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def _record_batch(session: Session, batch: Sequence[IncomingEvent]) -> list[Push] | None:
    """Record entries together; None if one of several is poison. One that is poison by itself is kept as such."""
    if not batch:
        return []
    now = session.exec(select(func.now())).one()
    try:
        with session.begin_nested():
            pushes = _record_entries(session, batch, now)
    except Exception as error:
        if is_in_trouble(error):
            raise
        if len(batch) > 1:
            return None
        _keep_poison(batch[0], error, now)
        return []
    for entry in batch:
        entry.recorded_at, entry.error = now, None
    return pushes


def _keep_poison(entry: IncomingEvent, error: Exception, now: datetime) -> None:
    """Keep the error beside the entry and try again later."""
    entry.attempts += 1
    entry.error = storable(f"{type(error).__name__}: {error}"[:2000])
    entry.due_at = now + _POISON_WAITS[min(entry.attempts, len(_POISON_WAITS)) - 1]
    log.error("%s/%s entry %s could not be recorded: %s", entry.coin, entry.network, entry.seq, entry.error)


def _record_entries(session: Session, batch: Sequence[IncomingEvent], now: datetime) -> list[Push]:
    coin, network = batch[0].coin, batch[0].network
    seen: dict[tuple[str, str], tuple[PaymentEvent, Position]] = {}
    tip: BlockEvent | None = None
    for entry in batch:
        for data in entry.events:
            event = from_stored(data)
            if isinstance(event, BlockEvent):
                tip = event
            else:
                before, _ = seen.get((event.txid, event.output), (event, None))
                event = replace(event, first_seen_at=min(event.first_seen_at, before.first_seen_at))
                seen[event.txid, event.output] = (event, Position(epoch=entry.epoch, seq=entry.seq))
    news = matching.apply_payments(session, coin, network, list(seen.values()), now)
    buried = matching.newly_buried(session, coin, network, tip.height) if tip else []
    loaded = cases.load(session, {*news, *buried}, is_locking=True)
    return cases.settle(session, loaded, now=now, news=news)


def to_stored(event: PaymentEvent | BlockEvent) -> dict[str, Any]:
    """Return an event as a stored entry holds it."""
    return {"kind": event.kind, **event.to_json()}


def from_stored(data: Mapping[str, Any]) -> PaymentEvent | BlockEvent:
    """Read an event of a stored entry.

    Raises:
        ValueError: The kind is unknown, or the content is not of that kind.
    """
    kinds: dict[str, type[PaymentEvent | BlockEvent]] = {PaymentEvent.kind: PaymentEvent, BlockEvent.kind: BlockEvent}
    if (kind := data.get("kind")) not in kinds:
        raise ValueError(f"unknown kind of event: {kind!r}")
    return kinds[str(kind)].from_json(data)
