"""What every table shares: ids, times, and how JSON and amounts are stored."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Dialect, Numeric, Text, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel
from ulid import ULID


def new_id() -> str:
    """Return a new ULID: 26 characters, sortable by time, 80 random bits (the ULID specification)."""
    return str(ULID())


def utc_now() -> datetime:
    """Return the present by this process's clock; for what is only shown, never for what is decided."""
    return datetime.now(UTC)


def object_column(name: str | None = None) -> Any:
    """Return a JSONB column that holds an object, empty by default."""
    column = Column(name, JSONB, nullable=False) if name else Column(JSONB, nullable=False)
    return Field(default_factory=dict, sa_column=column)


def list_column() -> Any:
    """Return a JSONB column that holds a list, empty by default."""
    return Field(default_factory=list, sa_column=Column(JSONB, nullable=False))


def amount_column(*, is_optional: bool = False) -> Any:
    """Return a NUMERIC column without a scale of its own: amounts keep the digits they came with."""
    column: Column[Decimal] = Column(Numeric(asdecimal=True), nullable=is_optional)
    return Field(default=None, sa_column=column) if is_optional else Field(sa_column=column)


def text_column(*, default: str | None = "") -> Any:
    """Return a TEXT column; `default=None` makes it required."""
    column: Column[str] = Column(Text, nullable=False)
    return Field(sa_column=column) if default is None else Field(default=default, sa_column=column)


class Word(TypeDecorator[StrEnum]):
    """A `StrEnum` stored as its text, so that a new word needs no migration of a database type."""

    impl = Text
    cache_ok = True

    def __init__(self, words: type[StrEnum]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Store the text of the word; a text that is none of the words raises `ValueError`."""
        return None if value is None else str(self.words(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002 - as above
        """Return the word."""
        return None if value is None else self.words(value)


def word_column(words: type[StrEnum], *, default: StrEnum | None = None) -> Any:
    """Return a column for one word out of an enumeration; without a default it is required."""
    column: Column[StrEnum] = Column(Word(words), nullable=False)
    return Field(sa_column=column) if default is None else Field(default=default, sa_column=column)


class Record(SQLModel):
    """Base of tables whose rows people see: an id and two times."""

    id: str = Field(default_factory=new_id, primary_key=True, max_length=26)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime | None = None
