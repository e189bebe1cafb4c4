"""Run migrations on the connection that `upgrade` holds; it owns the transaction and the lock."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import BigInteger, DateTime, String, Text
from sqlmodel import SQLModel

import bitcart_core.models  # noqa: F401 - fills the metadata
from bitcart_core.models.base import Word


def render_plainly(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write column types as SQLAlchemy's own, so that a migration never depends on today's code."""
    if kind != "type":
        return False
    if isinstance(item, Word):
        return "sa.Text()"
    if isinstance(item, BigInteger):
        return "sa.BigInteger()"
    if isinstance(item, String) and item.length:
        return f"sa.String(length={item.length})"
    if isinstance(item, DateTime) or type(item).__name__ == "UTCDateTime":
        return "sa.DateTime(timezone=True)"
    return "sa.Text()" if type(item).__name__ == "AutoString" else False


def is_other_type(*compared: Any) -> bool | None:
    """Tell Alembic that text of any length is text: how long a text may be is checked where it comes in."""
    *_, found, wanted = compared
    is_text = isinstance(wanted, Word) or type(wanted).__name__ == "AutoString"
    return False if is_text and isinstance(found, Text) else None


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    compare_type=is_other_type,
    render_item=render_plainly,
)
context.run_migrations()
