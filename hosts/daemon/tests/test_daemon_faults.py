"""What goes wrong: kills, slow clients, many clients, a clumsy stop."""

import asyncio
import contextlib
import signal
import socket
import sqlite3
import threading
import time
from decimal import Decimal
from urllib.parse import urlsplit

import aiohttp
import pytest
from bitcart_host_daemon.reading import JournalReader
from bitcart_host_daemon.running import Launch, serve
from bitcart_host_daemon.stream import Timings
from websockets.exceptions import ConnectionClosed

from bitcart_core.daemons import DaemonSettings
from bitcart_core.errors import CoinUnreachable, ConfigError
from bitcart_core.testing.daemons import ScriptedDaemon

KEY = "xpub-one"


def headers_of(address):
    return {"Authorization": aiohttp.encode_basic_auth(address["login"], address["password"])}


def call_in_vain(daemon):
    with contextlib.suppress(CoinUnreachable):
        daemon.call("getinfo")


def test_a_kill_between_writing_and_sending_loses_nothing_and_doubles_nothing(process, open_socket):
    request = process.call("add_request", amount="0.5", xpub=KEY)
    epoch = process.call("state")["epoch"]
    following = open_socket(process)
    assert following.replay(epoch, 0) == []
    # The process kills itself when the payment is in the journal, before its loop could send a byte.
    with pytest.raises(CoinUnreachable):
        process.script("pay", address=request["address"], amount="0.5", then_die=True)
    process.wait()
    with pytest.raises(ConnectionClosed):
        following.read_until(lambda frame: "updates" in frame)
    process.start()
    again = open_socket(process)
    (entry,) = again.replay(epoch, 0)
    assert entry["seq"] == 1
    assert [payment["amount"] for payment in entry["updates"][0]["payments"]] == ["0.5"]
    assert process.call("state")["seq"] == 1


def test_a_payment_made_while_the_daemon_is_dead_is_found_at_the_start(process, open_socket):
    request = process.call("add_request", amount="0.5", xpub=KEY)
    epoch = process.call("state")["epoch"]
    with pytest.raises(CoinUnreachable):
        process.script("pay", address=request["address"], amount="0.5", silent=True, then_die=True)
    process.wait()
    process.start()
    (entry,) = open_socket(process).replay(epoch, 0)
    assert entry["updates"][0]["address"] == request["request_id"]


def test_a_lost_journal_is_a_new_epoch_and_holds_nothing_old(process, open_socket):
    process.script("mine")
    before = process.call("state")
    process.kill()
    for file in process.folder.glob("journal.sqlite*"):
        file.unlink()
    process.start()
    socket = open_socket(process)
    socket.send({"after": {"epoch": before["epoch"], "seq": before["seq"]}})
    reset = socket.read()
    assert reset["reset"] is True
    assert reset["epoch"] > before["epoch"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_says_goodbye_to_every_socket_and_ends_in_good_order(process, open_socket, number):
    sockets = [open_socket(process) for _ in range(5)]
    sockets[0].send({"after": None})
    process.script("lag", seconds=60)
    hanging = threading.Thread(target=call_in_vain, args=(process,))
    hanging.start()
    process.signal(number)
    for client in sockets:
        with pytest.raises(ConnectionClosed) as closed:
            client.read_until(lambda frame: False)
        assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1001, "Server shutdown")
    process.wait()
    hanging.join()
    assert process.stop() == 0
    assert not (process.folder / "daemon.json").exists()
    assert "Traceback" not in process.log_path.read_text()


def test_a_slow_client_never_delays_another_and_is_told_to_come_back(hosted, open_socket, caplog):
    daemon = hosted(timings=Timings(heartbeat_seconds=0.2, send_seconds=1, close_seconds=0.2))
    slow, quick = _open_and_never_read(daemon, open_socket), open_socket(daemon)
    for number in range(1, 301):
        daemon.script("note", event={"event": "new_transaction", "tx": f"{number} " + "x" * 50_000})
        assert quick.read()["seq"] == number
    while "did not take a frame" not in caplog.text:
        time.sleep(0.02)
    assert _is_ended(slow)
    assert quick.replay(daemon.call("state")["epoch"], 299)[0]["seq"] == 300


def _open_and_never_read(daemon, open_socket):
    """Return the bare socket of a client that shook hands and then went to sleep, with little room for frames."""
    address = daemon.address
    raw = socket.create_connection(tuple(urlsplit(address["url"]).netloc.split(":")))
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    token = headers_of(address)["Authorization"]
    raw.sendall(
        f"GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n".encode()
    )
    assert raw.recv(12) == b"HTTP/1.1 101"
    return raw


def _is_ended(raw):
    """Say whether the other side gave this connection up: what is left can be read to its end."""
    raw.settimeout(20)
    try:
        while raw.recv(65536):
            pass
    except ConnectionResetError:
        return True
    finally:
        raw.close()
    return True


def test_a_client_that_answers_no_pings_is_gone(hosted, open_socket):
    daemon = hosted(timings=Timings(ping_seconds=0.2, close_seconds=0.2))
    assert _is_ended(_open_and_never_read(daemon, open_socket))


def test_a_socket_whose_replay_fails_is_closed_and_not_left_silent(daemon, open_socket, monkeypatch, caplog):
    def fail(*_, **__):
        raise sqlite3.OperationalError("disk I/O error")

    daemon.mine(1)
    place = {"epoch": daemon.call("state")["epoch"], "seq": 0}
    daemon.restart()  # so that the entry is in the file only
    monkeypatch.setattr(JournalReader, "entries", fail)
    socket = open_socket(daemon)
    socket.send({"after": place})
    with pytest.raises(ConnectionClosed) as closed:
        socket.read()
    assert closed.value.rcvd.code == 1011
    assert "disk I/O error" in caplog.text


def test_two_hundred_sockets_each_hear_everything_once_and_in_order(daemon):
    address = daemon.address

    async def listen(session, opened):
        async with session.ws_connect(f"{address['url']}/ws") as client:
            opened.release()
            return [(await client.receive_json(timeout=60))["seq"] for _ in range(50)]

    async def all_of_them():
        opened = asyncio.Semaphore(0)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=headers_of(address), connector=connector) as session:
            listening = [asyncio.create_task(listen(session, opened)) for _ in range(200)]
            for _ in listening:
                await opened.acquire()
            for _ in range(50):
                await asyncio.to_thread(daemon.mine, 1)
            return await asyncio.gather(*listening)

    assert asyncio.run(all_of_them()) == [list(range(1, 51))] * 200


def test_replay_and_live_meet_without_a_gap_while_payments_keep_coming(daemon, open_socket):
    request = daemon.call("add_request", amount="9", xpub=KEY)
    epoch = daemon.call("state")["epoch"]
    daemon.script("pay_many", payments=[[request["address"], "0.01"]])
    is_done = threading.Event()

    def keep_paying():
        while not is_done.is_set():
            daemon.pay(request["address"], Decimal("0.01"))

    paying = threading.Thread(target=keep_paying)
    paying.start()
    try:
        for _ in range(5):
            client = open_socket(daemon)
            client.send({"after": {"epoch": epoch, "seq": 0}})
            client.read_until(lambda frame: "resumed" in frame)
            beyond_replay = daemon.call("state")["seq"] + 20
            numbers = []
            while beyond_replay not in numbers:
                frame = client.read()
                numbers += [frame["seq"]] if "updates" in frame else []
            assert numbers == list(range(1, beyond_replay + 1))
    finally:
        is_done.set()
        paying.join()


def test_a_call_that_hangs_holds_up_nobody_else(daemon, open_socket):
    client = open_socket(daemon)
    daemon.script("lag", seconds=3600)
    hanging = threading.Thread(target=call_in_vain, args=(daemon,))
    hanging.start()
    daemon.mine(1)
    assert client.read()["updates"][0]["event"] == "new_block"
    assert daemon.call("state")["height"] == 1
    daemon.stop()
    hanging.join()


def test_a_second_daemon_on_the_same_folder_is_told_so(daemon):
    settings = DaemonSettings(network="regtest", data_dir=daemon.folder, bitcart_data=daemon.folder)
    with pytest.raises(ConfigError, match=r"another daemon is running in .*; stop it, or choose another folder"):
        asyncio.run(serve(Launch(factory=ScriptedDaemon, settings=settings), asyncio.Event()))
    assert daemon.call("getinfo")["connected"] is True


def test_a_coin_that_never_stops_does_not_keep_the_process(hosted, monkeypatch):
    daemon = hosted()

    async def never() -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(daemon.coin, "stop", never)
    begun = time.monotonic()
    daemon.stop()
    assert time.monotonic() - begun < 5
