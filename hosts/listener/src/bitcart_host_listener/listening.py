"""Listening to one coin: take the lease, follow the journal from the cursor, store each entry before anything else.

A gap or a new journal is answered with a reconciliation. Nothing is decided here.
"""

import asyncio
import logging
import random
import time
from collections.abc import AsyncIterator
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from bitcart_core import detection, leases
from bitcart_core.coins import Coin, StreamItem
from bitcart_core.db import transaction
from bitcart_core.detection import LostLeaseError
from bitcart_core.errors import CoinError
from bitcart_core.events import Position
from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=15)
_RENEW_SECONDS = 5.0
_MOST_AT_ONCE = 500
_MOST_WAITING = 10_000
_FIRST_WAIT = 0.5
_LONGEST_WAIT = 30.0
_STEADY_SECONDS = 30.0


async def listen(kernel: Kernel, coin: Coin) -> None:
    """Listen to one coin for ever: reconnect with a growing pause, stand back while someone else has the lease."""
    wait = _FIRST_WAIT
    while True:
        began = time.monotonic()
        try:
            token = await asyncio.to_thread(_acquire, kernel, coin)
            if token is None:
                await asyncio.sleep(_RENEW_SECONDS)
                continue
            await _follow(kernel, coin, token)
        except (CoinError, SQLAlchemyError, LostLeaseError) as error:
            log.warning("%s/%s: %s; trying again", coin.code, coin.network, str(error).splitlines()[0])
        except Exception:
            log.exception("%s/%s: its client failed in a way of its own; trying again", coin.code, coin.network)
        except asyncio.CancelledError:
            await asyncio.shield(asyncio.to_thread(leases.release, kernel.engine, _lease(coin), kernel.name))
            raise
        wait = _FIRST_WAIT if time.monotonic() - began > _STEADY_SECONDS else wait
        await asyncio.sleep(wait * (0.8 + 0.4 * random.random()))  # noqa: S311 - spreads reconnects, keeps no secret
        wait = min(wait * 2, _LONGEST_WAIT)


async def _follow(kernel: Kernel, coin: Coin, token: int) -> None:
    """Read, store and renew the lease side by side; whichever fails first ends all three."""
    cursor = await asyncio.to_thread(_cursor, kernel, coin)
    inbox: asyncio.Queue[StreamItem] = asyncio.Queue(maxsize=_MOST_WAITING)
    tasks = [
        asyncio.create_task(_read(coin.client.stream(cursor), inbox)),
        asyncio.create_task(_store_all(kernel, coin, token, inbox, cursor)),
        asyncio.create_task(_renew(kernel, coin, token)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(stream: AsyncIterator[StreamItem], inbox: asyncio.Queue[StreamItem]) -> None:
    async for item in stream:
        await inbox.put(item)


async def _store_all(
    kernel: Kernel, coin: Coin, token: int, inbox: asyncio.Queue[StreamItem], last: Position | None
) -> None:
    """Store what comes, as much at once as is there; reconcile on the first word, on a gap and on a new journal."""
    is_first = True
    while True:
        batch = [await inbox.get()]
        while len(batch) < _MOST_AT_ONCE and not inbox.empty():
            batch.append(inbox.get_nowait())
        is_due = await asyncio.to_thread(_store, kernel, coin, token, batch)
        if is_due:
            await asyncio.to_thread(kernel.enqueue, "record", "record_due", coin.code, coin.network)
        if is_first or _has_gap(last, batch):
            await asyncio.to_thread(kernel.enqueue, "sweep", "reconcile", coin.code, coin.network)
        is_first, last = False, batch[-1].position


def _has_gap(last: Position | None, batch: list[StreamItem]) -> bool:
    """Tell whether entries are missing: a new journal, or a number that does not follow the one before."""
    for item in batch:
        if last is not None and (item.position.epoch != last.epoch or item.position.seq > last.seq + 1):
            return True
        last = item.position
    return False


async def _renew(kernel: Kernel, coin: Coin, token: int) -> None:
    while True:
        await asyncio.sleep(_RENEW_SECONDS)
        if await asyncio.to_thread(_acquire, kernel, coin) != token:
            raise LostLeaseError(f"{coin.code}/{coin.network} is listened to by someone else now")


def _acquire(kernel: Kernel, coin: Coin) -> int | None:
    return leases.acquire(kernel.engine, _lease(coin), kernel.name, ttl=LEASE)


def _lease(coin: Coin) -> str:
    return f"listener:{coin.code}:{coin.network}"


def _cursor(kernel: Kernel, coin: Coin) -> Position | None:
    with transaction(kernel.engine) as session:
        cursor = detection.cursor(session, coin.code, coin.network)
        return Position(epoch=cursor.epoch, seq=cursor.seq) if cursor else None


def _store(kernel: Kernel, coin: Coin, token: int, batch: list[StreamItem]) -> bool:
    with transaction(kernel.engine) as session:
        return detection.store(session, coin.code, coin.network, batch, fence=token)
