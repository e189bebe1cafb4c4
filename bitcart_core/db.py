"""The database: engine, transaction, clock, migrations. PostgreSQL only."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func
from sqlmodel import Session, select

from bitcart_core.errors import ConfigError

_MIGRATION_LOCK = 0x6269_7463  # any constant; "bitc"


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


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; safe to call from several processes at once and to interrupt at any moment.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Tell whether the schema is the one this code was written for."""
    heads = set(ScriptDirectory.from_config(_alembic_config()).get_heads())
    with engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
