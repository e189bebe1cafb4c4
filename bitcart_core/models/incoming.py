"""What the daemons said, stored before it is worked on, and how far each of them was listened to."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bitcart_core.models.base import list_column, utc_now


class IncomingEvent(SQLModel, table=True):
    """One journal entry of a daemon. A poison one keeps its error and stays behind, blocking nothing.

    Attributes:
        at: When the daemon wrote it, by its own clock.
    """

    __tablename__ = "incoming_events"
    __table_args__ = (
        UniqueConstraint("coin", "network", "epoch", "seq", name="uq_incoming_events_position"),
        Index("ix_incoming_events_due", "coin", "network", "due_at", postgresql_where="recorded_at is null"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    coin: str = Field(max_length=20)
    network: str = Field(max_length=20)
    epoch: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    events: list[dict[str, Any]] = list_column()
    at: datetime = Field(default_factory=utc_now)
    received_at: datetime = Field(default_factory=utc_now)
    due_at: datetime = Field(default_factory=utc_now)
    recorded_at: datetime | None = None
    attempts: int = 0
    error: str | None = None


class Cursor(SQLModel, table=True):
    """How far one coin's journal has been stored.

    Attributes:
        height: The daemon's best block as of that place.
        heard_until: By the daemon's clock: everything it saw up to then is stored. None until it caught up once.
        fence: Token of the lease under which this row was last moved; an older token moves it no more.
    """

    __tablename__ = "cursors"

    coin: str = Field(primary_key=True, max_length=20)
    network: str = Field(primary_key=True, max_length=20)
    epoch: int = Field(default=0, sa_type=BigInteger)
    seq: int = Field(default=0, sa_type=BigInteger)
    height: int | None = None
    heard_until: datetime | None = None
    fence: int = Field(default=0, sa_type=BigInteger)
