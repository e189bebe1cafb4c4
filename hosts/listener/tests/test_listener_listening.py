"""Listening to a coin: stored in order, under a lease, reconciled on a gap."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
from bitcart_host_listener.listening import listen
from sqlmodel import Session, select

from bitcart_core import leases
from bitcart_core.coins import StreamItem
from bitcart_core.errors import CoinUnreachable
from bitcart_core.events import Position
from bitcart_core.kernel import Kernel
from bitcart_core.models import Cursor, IncomingEvent
from bitcart_core.testing.coins import FakeCoinClient


class Streaming:
    """Makes the fake client's stream say what a test feeds it."""

    def __init__(self, client: FakeCoinClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[Position | None] = []
        self.feed: asyncio.Queue[StreamItem | Exception] = asyncio.Queue()
        monkeypatch.setattr(client, "stream", self.stream)

    async def stream(self, after: Position | None) -> AsyncIterator[StreamItem]:
        self.asked.append(after)
        while True:
            item = await self.feed.get()
            if isinstance(item, Exception):
                raise item
            yield item


@pytest.fixture
def streaming(coin: FakeCoinClient, monkeypatch: pytest.MonkeyPatch) -> Streaming:
    return Streaming(coin, monkeypatch)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.01)


def stored(kernel: Kernel) -> list[int]:
    with Session(kernel.engine) as session:
        return sorted(session.exec(select(IncomingEvent.seq)))


def cursor(kernel: Kernel) -> tuple[int, int] | None:
    with Session(kernel.engine) as session:
        row = session.get(Cursor, ("btc", "regtest"))
        return (row.epoch, row.seq) if row else None


def queued(kernel: Kernel, queue: str) -> list[str]:
    return [job.func_name.rpartition(".")[2] for job in kernel.queue(queue).jobs]


def run(kernel: Kernel, scene: Callable[[], object]) -> None:
    async def play() -> None:
        task = asyncio.create_task(listen(kernel, kernel.registry.coins["btc"]))
        try:
            await scene()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(play())


def test_entries_are_stored_and_the_cursor_follows(kernel: Kernel, coin: FakeCoinClient, streaming: Streaming):
    async def scene() -> None:
        streaming.feed.put_nowait(coin.pay("request", "1"))
        streaming.feed.put_nowait(coin.mine())
        await until(lambda: cursor(kernel) == (1, 2))

    run(kernel, scene)
    assert stored(kernel) == [1, 2]
    assert "record_due" in queued(kernel, "record")


def test_after_a_broken_connection_it_asks_from_where_it_was(
    kernel: Kernel, coin: FakeCoinClient, streaming: Streaming
):
    async def scene() -> None:
        streaming.feed.put_nowait(coin.pay("request", "1"))
        await until(lambda: cursor(kernel) == (1, 1))
        streaming.feed.put_nowait(CoinUnreachable("cut"))
        streaming.feed.put_nowait(coin.pay("request", "2"))
        await until(lambda: cursor(kernel) == (1, 2))

    run(kernel, scene)
    assert streaming.asked == [None, Position(epoch=1, seq=1)]


def test_a_gap_and_a_new_journal_are_reconciled(kernel: Kernel, coin: FakeCoinClient, streaming: Streaming):
    async def scene() -> None:
        streaming.feed.put_nowait(coin.heartbeat())
        await until(lambda: len(queued(kernel, "sweep")) == 1)
        coin.seq = 5
        streaming.feed.put_nowait(coin.pay("request", "1"))
        await until(lambda: len(queued(kernel, "sweep")) == 2)
        coin.epoch, coin.seq = 2, 0
        streaming.feed.put_nowait(coin.pay("request", "2"))
        await until(lambda: len(queued(kernel, "sweep")) == 3)

    run(kernel, scene)
    assert queued(kernel, "sweep") == ["reconcile"] * 3
    assert cursor(kernel) == (2, 1)


def test_it_stands_back_while_someone_else_listens(kernel: Kernel, coin: FakeCoinClient, streaming: Streaming):
    leases.acquire(kernel.engine, "listener:btc:regtest", "someone else", ttl=timedelta(minutes=1))

    async def scene() -> None:
        streaming.feed.put_nowait(coin.pay("request", "1"))
        await asyncio.sleep(0.5)

    run(kernel, scene)
    assert streaming.asked == []
    assert stored(kernel) == []


def test_a_paused_listener_stores_nothing_after_another_took_over(
    kernel: Kernel, coin: FakeCoinClient, streaming: Streaming
):
    async def scene() -> None:
        streaming.feed.put_nowait(coin.pay("request", "1"))
        await until(lambda: cursor(kernel) == (1, 1))
        with kernel.engine.begin() as connection:  # as if it had been paused for longer than its lease
            connection.exec_driver_sql("update cursors set fence = fence + 1")
        streaming.feed.put_nowait(coin.pay("request", "2"))
        await asyncio.sleep(0.5)

    run(kernel, scene)
    assert stored(kernel) == [1]


def test_a_client_that_fails_in_a_way_of_its_own_is_asked_again(
    kernel: Kernel, coin: FakeCoinClient, streaming: Streaming, caplog: pytest.LogCaptureFixture
):
    async def scene() -> None:
        streaming.feed.put_nowait(RuntimeError("a stranger's bug"))
        streaming.feed.put_nowait(coin.pay("request", "1"))
        await until(lambda: cursor(kernel) == (1, 1))

    run(kernel, scene)
    assert stored(kernel) == [1]
    assert "a stranger's bug" in caplog.text
