"""Telling open pages what changed: one Redis subscription for the whole process, one queue for each socket."""

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from bitcart_core.kernel import PUSH_CHANNEL

log = logging.getLogger(__name__)

_MOST_WAITING = 100


class PushHub:
    """Messages about invoices, from Redis to whoever waits for one; best effort, as pushing always is."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url
        self._waiting: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @contextlib.contextmanager
    def messages(self, invoice_id: str) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """Return a queue that gets every message about an invoice while the block lasts."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=_MOST_WAITING)
        self._waiting[invoice_id].add(queue)
        try:
            yield queue
        finally:
            self._waiting[invoice_id].discard(queue)
            if not self._waiting[invoice_id]:
                del self._waiting[invoice_id]

    async def _run(self) -> None:
        while True:
            try:
                async with Redis.from_url(self._redis_url) as client, client.pubsub() as subscription:
                    await subscription.psubscribe(f"{PUSH_CHANNEL}*")
                    async for message in subscription.listen():
                        if message["type"] == "pmessage":
                            self._spread(message["channel"].decode(), message["data"])
            except (RedisError, OSError) as error:
                log.warning("push: %s; trying again", error)
                await asyncio.sleep(1)

    def _spread(self, channel: str, data: bytes) -> None:
        for queue in self._waiting.get(channel.removeprefix(PUSH_CHANNEL), ()):
            with contextlib.suppress(asyncio.QueueFull):  # a page that does not read will read again on reconnect
                queue.put_nowait(json.loads(data))
