"""Leases: a right that one process has at a time, with a token that grows, so that a paused holder can be told off."""

from datetime import timedelta

from sqlalchemy import Engine, Integer, cast, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col

from bitcart_core.db import transaction
from bitcart_core.models import Lease


def acquire(engine: Engine, name: str, holder: str, *, ttl: timedelta) -> int | None:
    """Take or renew a lease.

    Args:
        engine: The database.
        name: What the right is called: `listener:btc:regtest`.
        holder: Who asks; the same holder renews and keeps its token.
        ttl: How long the right lasts from now, by the database's clock.

    Returns:
        The fencing token, or None if someone else holds the lease.
    """
    statement = insert(Lease).values(name=name, holder=holder, token=1, expires_at=func.now() + ttl)
    is_ours = col(Lease.holder) == holder
    is_free = col(Lease.expires_at) < func.now()
    with transaction(engine) as session:
        row = session.execute(
            statement.on_conflict_do_update(
                index_elements=[col(Lease.name)],
                set_={
                    "holder": holder,
                    "expires_at": func.now() + ttl,
                    "token": col(Lease.token) + cast(is_free, Integer),
                },
                where=is_ours | is_free,
            ).returning(col(Lease.token))
        ).first()
    return int(row.token) if row else None


def release(engine: Engine, name: str, holder: str) -> None:
    """Give a lease back early, so that the next holder need not wait."""
    with transaction(engine) as session:
        lease = session.get(Lease, name, with_for_update=True)
        if lease is not None and lease.holder == holder:
            lease.expires_at = session.execute(select(func.now())).scalar_one()
