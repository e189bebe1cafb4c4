"""The client's stream against the real daemon host: replay, live, heartbeats, and every way a connection ends."""

import asyncio
import signal
import threading
from contextlib import aclosing, contextmanager, suppress
from decimal import Decimal

import pytest
from bitcart_coin_daemon import DaemonClient, DaemonClientSettings, stream
from pydantic import SecretStr
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

from bitcart_core import BlockEvent, CoinUnreachable, PaymentEvent, Position, WalletKey

KEY = WalletKey(key="xpub-of-the-stream-tests")


def client_of(daemon):
    return DaemonClient(DaemonClientSettings(), folder=daemon.folder, name="bitcoin on regtest")


def ask(client):
    return client.create_request(KEY, amount=Decimal("0.5"), memo="", expires_in_seconds=900, timeout_seconds=10)


def read(client, after, *, until):
    """Return the items of a stream up to the first that `until` accepts."""

    async def reading():
        items = []
        async with aclosing(client.stream(after)) as stream:
            async for item in stream:
                items.append(item)
                if until(item):
                    return items
        return items

    return asyncio.run(reading())


def is_caught_up(item):
    return item.is_caught_up


def test_the_stream_replays_what_was_missed_and_says_when_it_has_caught_up(daemon, client):
    begin = client.state().position
    request = ask(client)
    txid = daemon.pay(request.address, Decimal("0.5"))
    hashes = daemon.mine(1)
    seen, confirmed, block, heartbeat = read(client, begin, until=is_caught_up)
    assert [item.position.seq for item in (seen, confirmed, block)] == [begin.seq + n for n in (1, 2, 3)]
    assert heartbeat.position == block.position == client.state().position
    assert isinstance(seen.events[0], PaymentEvent)
    assert (seen.events[0].txid, seen.events[0].height) == (txid, None)
    assert confirmed.events[0].height == daemon.height()
    assert block.events == (
        BlockEvent(height=daemon.height(), block_hash=hashes[0], block_time=block.events[0].block_time),
    )
    assert heartbeat.events == ()
    assert {item.height for item in (seen, confirmed, block, heartbeat)} == {daemon.height()}
    assert [item.is_caught_up for item in (seen, confirmed, block, heartbeat)] == [False, False, False, True]


def test_without_a_place_the_stream_begins_at_the_head(daemon, client):
    daemon.mine(1)
    (heartbeat,) = read(client, None, until=is_caught_up)
    assert heartbeat.position == client.state().position


def test_what_happens_while_we_listen_comes_as_it_happens(daemon, client):
    request = ask(client)

    async def listening():
        async with aclosing(client.stream(None)) as items:
            await anext(items)
            await asyncio.to_thread(daemon.pay, request.address, Decimal("0.5"))
            item = await anext(items)
            await asyncio.to_thread(daemon.mine, 2)
            return item, [await anext(items), await anext(items)]

    item, (_, block) = asyncio.run(listening())
    assert item.events[0].lookup_key == request.lookup_key
    assert block.height == block.events[0].height == daemon.height()


def test_what_the_kernel_has_no_use_for_still_moves_the_place(daemon, client):
    begin = client.state().position
    daemon.script("note", event={"event": "verified_tx", "tx": f"t{begin.seq}", "height": 1})
    note, _ = read(client, begin, until=is_caught_up)
    assert note.events == ()
    assert note.position.seq == begin.seq + 1


def test_a_daemon_that_lags_behind_the_network_has_not_caught_up(daemon, client):
    daemon.script("synchronized", value=False)
    (heartbeat,) = read(client, client.state().position, until=lambda _: True)
    daemon.script("synchronized", value=True)
    assert not heartbeat.is_caught_up


def test_an_unknown_epoch_is_answered_with_the_place_to_go_on_from(daemon, client):
    daemon.mine(1)
    head = client.state().position
    reset, heartbeat = read(client, Position(epoch=head.epoch - 1, seq=3), until=is_caught_up)
    assert reset.position == heartbeat.position == head
    assert (reset.events, reset.is_caught_up) == ((), False)


def test_a_kill_between_writing_and_sending_costs_nothing(mortal):
    client = client_of(mortal)
    request = ask(client)
    begin = client.state().position
    seen = []

    async def listening():
        async with aclosing(client.stream(begin)) as items:
            async for item in items:
                if item.is_caught_up and not seen:
                    dying = asyncio.to_thread(_pay_and_die, mortal, request.address)
                    seen.append(asyncio.create_task(dying))

    with pytest.raises(CoinUnreachable, match="the stream of the daemon of bitcoin on regtest ended"):
        asyncio.run(listening())
    mortal.wait()
    mortal.start()
    items = read(client, begin, until=is_caught_up)
    assert [event.amount for item in items for event in item.events] == [Decimal("0.5")]
    assert items[0].position == Position(epoch=begin.epoch, seq=begin.seq + 1)


def _pay_and_die(daemon, address):
    with pytest.raises(CoinUnreachable):
        daemon.script("pay", address=address, amount="0.5", then_die=True)


def test_a_stop_of_the_daemon_ends_the_stream(mortal):
    async def listening():
        async with aclosing(client_of(mortal).stream(None)) as items:
            async for _ in items:
                mortal.signal(signal.SIGTERM)

    with pytest.raises(CoinUnreachable, match="Server shutdown"):
        asyncio.run(listening())


def test_a_line_that_goes_silent_is_given_up(mortal, monkeypatch):
    monkeypatch.setattr(stream, "MISSED_HEARTBEATS", 0.1)

    async def listening():
        async with aclosing(client_of(mortal).stream(None)) as items:
            async for _ in items:
                mortal.signal(signal.SIGSTOP)  # the connection stays, nobody is at the other end

    try:
        with pytest.raises(CoinUnreachable, match="went silent"):
            asyncio.run(listening())
    finally:
        mortal.signal(signal.SIGCONT)


def test_a_daemon_that_is_not_there_or_refuses_us_is_unreachable(daemon, tmp_path):
    closed = DaemonClientSettings(daemon_url="http://127.0.0.1:1", daemon_password=SecretStr("x"))
    wrong = DaemonClientSettings(daemon_url=daemon.address["url"], daemon_password=SecretStr("wrong"))
    for settings in (closed, wrong):
        client = DaemonClient(settings, folder=tmp_path, name="bitcoin on regtest")
        with pytest.raises(CoinUnreachable, match="the stream of the daemon of bitcoin on regtest ended"):
            read(client, None, until=is_caught_up)


def wait_for_the_end(connection):
    with suppress(ConnectionClosed):
        while True:
            connection.recv()


@pytest.mark.parametrize("frame", ["{", "5", '{"reset": true}', '{"reset": true, "epoch": 1, "seq": 0, "at": "never"}'])
def test_a_frame_without_sense_ends_the_stream(tmp_path, frame):
    def answer(connection):
        connection.recv()
        connection.send(frame)
        wait_for_the_end(connection)

    with serve(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        settings = DaemonClientSettings(daemon_url=url, daemon_password=SecretStr("x"))
        client = DaemonClient(settings, folder=tmp_path, name="bitcoin on regtest")
        with pytest.raises(CoinUnreachable, match="said something unknown"), _serving(server):
            read(client, None, until=is_caught_up)


@contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()


def test_frames_on_their_way_before_we_were_heard_are_not_ours(tmp_path):
    early = '{"updates": [], "epoch": 1, "seq": 9, "at": "2026-01-01T00:00:00+00:00"}'
    resumed = '{"resumed": true, "epoch": 1, "seq": 4, "at": "2026-01-01T00:00:00+00:00", "height": 7}'
    later = '{"updates": [], "epoch": 1, "seq": 5, "at": "2026-01-01T00:00:00+00:00"}'

    def answer(connection):
        for frame in (early, resumed, later):
            connection.send(frame)
        wait_for_the_end(connection)

    with serve(answer, "127.0.0.1", 0) as server, _serving(server):
        url = f"http://127.0.0.1:{server.socket.getsockname()[1]}"
        settings = DaemonClientSettings(daemon_url=url, daemon_password=SecretStr("x"))
        client = DaemonClient(settings, folder=tmp_path, name="bitcoin on regtest")
        (item,) = read(client, Position(epoch=1, seq=4), until=lambda _: True)
    assert (item.position, item.height) == (Position(epoch=1, seq=5), 7)


def test_many_payments_come_once_and_in_order_over_many_connections(daemon, client):
    request = ask(client)
    begin = client.state().position
    daemon.script("pay_many", payments=[[ask(client).address, "0.001"] for _ in range(60)])
    daemon.pay(request.address, Decimal("0.5"))
    place, numbers = begin, []
    while not numbers or numbers[-1] < client.state().position.seq:
        target = place.seq + 7
        items = read(client, place, until=lambda item: item.is_caught_up or item.position.seq >= target)  # noqa: B023
        numbers += [item.position.seq for item in items if not item.is_caught_up]
        place = items[-1].position
    assert numbers == list(range(begin.seq + 1, begin.seq + 62))
