"""Stored facts, and each one's way to each of its targets."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bitcart_core.models.base import Record, new_id, object_column, text_column, utc_now, word_column


class Event(SQLModel, table=True):
    """A fact, written in the transaction that made it true. `spread_at` is set once its deliveries exist.

    Attributes:
        spread_due_at: When to ask the plugins (again) for its targets, while `spread_at` is empty.
        spread_error: Which plugin failed to answer, and how.
    """

    __tablename__ = "events"
    __table_args__ = (
        UniqueConstraint("store_id", "seq", name="uq_events_seq"),
        Index("ix_events_unspread", "spread_due_at", postgresql_where="spread_at is null"),
        Index("ix_events_invoice", "invoice_id"),
    )

    id: str = Field(default_factory=new_id, primary_key=True, max_length=26)
    store_id: str | None = Field(default=None, foreign_key="stores.id", ondelete="CASCADE")
    seq: int = Field(sa_type=BigInteger)
    kind: str = Field(max_length=60)
    invoice_id: str | None = Field(default=None, foreign_key="invoices.id", ondelete="CASCADE")
    payload: dict[str, Any] = object_column()
    created_at: datetime = Field(default_factory=utc_now)
    spread_at: datetime | None = None
    spread_due_at: datetime = Field(default_factory=utc_now)
    spread_attempts: int = 0
    spread_error: str = text_column()


class DeliveryStatus(StrEnum):
    """Where a delivery stands."""

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"


class Delivery(Record, table=True):
    """One event on its way to one target of one plugin.

    Attributes:
        attempt: How many attempts were begun; whoever marks the row done names the attempt that did it.
        due_at: When the next attempt may begin.
        locked_until: An attempt is under way and holds the row until then.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("event_id", "plugin", "target_key", name="uq_deliveries_target"),
        Index("ix_deliveries_due", "due_at", postgresql_where="status = 'due'"),
    )

    event_id: str = Field(foreign_key="events.id", ondelete="CASCADE")
    plugin: str = Field(max_length=60)
    target_key: str = Field(max_length=200)
    target: dict[str, Any] = object_column()
    lane: str = Field(max_length=20)
    status: DeliveryStatus = word_column(DeliveryStatus, default=DeliveryStatus.DUE)
    attempt: int = 0
    due_at: datetime = Field(default_factory=utc_now)
    locked_until: datetime | None = None
    done_at: datetime | None = None
    error: str = text_column()


class DeliveryAttempt(Record, table=True):
    """One attempt and what came of it: the delivery log."""

    __tablename__ = "delivery_attempts"

    delivery_id: str = Field(foreign_key="deliveries.id", ondelete="CASCADE", index=True)
    attempt: int
    is_success: bool
    summary: str = text_column()
    detail: dict[str, Any] = object_column()
    duration_ms: int = 0
