"""Bringing the schema up to date with Alembic; imported only where that is done, since Alembic takes long to import."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select

_LOCK = 0x6269_7463  # any constant will do; this one spells "bitc"


def upgrade(engine: Engine) -> None:
    """Bring the schema up to date; safe to call from several processes at once and to interrupt at any moment.

    Raises:
        sqlalchemy.exc.OperationalError: The database cannot be reached.
    """
    with engine.begin() as connection:
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(engine: Engine) -> bool:
    """Tell whether the schema is the one this code was written for."""
    heads = set(ScriptDirectory.from_config(_config()).get_heads())
    with engine.connect() as connection:
        return set(MigrationContext.configure(connection).get_current_heads()) == heads


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config
