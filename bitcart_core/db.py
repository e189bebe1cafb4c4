"""The database: engine, transaction, clock. PostgreSQL only."""

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy import Engine, func
from sqlmodel import Session, select

from bitcart_core.errors import ConfigError

_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")


def create_engine(url: str) -> Engine:
    """Return an engine for a `postgresql://` URL. Connects on first use, not now.

    Raises:
        ConfigError: No URL, or not one of PostgreSQL.
    """
    if not url:
        raise ConfigError(
            "no database: set DATABASE_URL=postgresql://user:password@host/name, or run `bitcart up`, which brings one"
        )
    try:
        parsed = sqlalchemy.make_url(url)
    except sqlalchemy.exc.ArgumentError:
        raise ConfigError("DATABASE_URL is not a URL; write postgresql://user:password@host/name") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigError(f"DATABASE_URL names {parsed.get_backend_name()!r}; only postgresql:// is supported")
    return sqlalchemy.create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={"application_name": "bitcart"},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """Open a session that commits at the end of the block and rolls back if it raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


def now(session: Session) -> datetime:
    """Return the time at which this transaction began, by the one clock that all hosts share."""
    return session.exec(select(func.now())).one()


def storable(value: Any) -> Any:
    """Return JSON that PostgreSQL can hold, made of what strangers and plugins said.

    NUL and lone surrogates become U+FFFD, numbers that are none and values that are no JSON become their text.
    """
    if isinstance(value, str):
        return _NO_TEXT.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {storable(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    is_json = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    return value if is_json else storable(str(value))


def is_in_trouble(error: Exception) -> bool:
    """Tell whether an error means that the database is in trouble, and not what it was asked to hold."""
    if not isinstance(error, sqlalchemy.exc.OperationalError):
        return False
    return not isinstance(error.orig, psycopg.errors.ProgramLimitExceeded)  # a text too long for an index
