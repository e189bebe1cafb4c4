import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bitcart_host_daemon.running import Launch, serve
from bitcart_host_daemon.stream import Timings
from websockets.sync.client import ClientConnection, connect

from bitcart_core.daemons import DaemonJournal, DaemonSettings
from bitcart_core.testing.daemon_process import ScriptedDaemonProcess, ScriptedDaemonRemote
from bitcart_core.testing.daemons import ScriptedDaemon

QUICK = Timings(heartbeat_seconds=0.2)


class Hosted(ScriptedDaemonRemote):
    """The real server with the scripted coin, in a thread of the test: quick to start, and within reach.

    Stands in for the coin's factory, so that a test can hold the coin it passed in.
    """

    code, default_port = ScriptedDaemon.code, ScriptedDaemon.default_port
    coin: ScriptedDaemon

    def __init__(self, folder: Path, timings: Timings = QUICK, **launch: Any) -> None:
        super().__init__(folder)
        settings = DaemonSettings(network="regtest", data_dir=folder, bitcart_data=folder)
        self._launch = Launch(factory=self, settings=settings, timings=timings, **launch)

    def __call__(self, settings: DaemonSettings, journal: DaemonJournal) -> ScriptedDaemon:
        self.coin = ScriptedDaemon(settings, journal)
        return self.coin

    def start(self) -> "Hosted":
        self._told_to_stop = asyncio.Event()
        self._thread = ThreadPoolExecutor(1)
        self._serving = self._thread.submit(asyncio.run, self._serve())
        while not self._serves():
            assert not self._serving.done(), self._serving.result()
            time.sleep(0.005)
        return self

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await serve(self._launch, self._told_to_stop)

    def stop(self) -> None:
        if not self._serving.done():
            self._loop.call_soon_threadsafe(self._told_to_stop.set)
        self._serving.result()
        self._thread.shutdown()

    def restart(self) -> "Hosted":
        self.stop()
        return self.start()


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Callable[..., Hosted]]:
    """Starts servers in the process of the test."""
    with contextlib.ExitStack() as stopping:

        def host(**options: Any) -> Hosted:
            daemon = Hosted(tmp_path / "data", **options).start()
            stopping.callback(daemon.stop)
            return daemon

        yield host


@pytest.fixture
def daemon(hosted: Callable[..., Hosted]) -> Hosted:
    """A server in the process of the test."""
    return hosted()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[ScriptedDaemonProcess]:
    """A server in a process of its own, for what only a process can do."""
    daemon = ScriptedDaemonProcess(tmp_path / "data").start()
    yield daemon
    daemon.stop()


class Socket:
    """A websocket client that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def send(self, message: Any) -> None:
        self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    def read(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.connection.recv(timeout=20))
        return frame

    def read_until(self, is_last: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
        frames = [self.read()]
        while not is_last(frames[-1]):
            frames.append(self.read())
        return frames

    def replay(self, epoch: int, seq: int) -> list[dict[str, Any]]:
        """Ask for everything after a place; return the entries up to the first heartbeat."""
        self.send({"after": {"epoch": epoch, "seq": seq}})
        frames = self.read_until(lambda frame: "heartbeat" in frame)
        begin = next(i for i, frame in enumerate(frames) if "resumed" in frame or "reset" in frame)
        return [frame for frame in frames[begin:] if "updates" in frame]


def headers_of(address: dict[str, str]) -> dict[str, str]:
    token = base64.b64encode(f"{address['login']}:{address['password']}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


@pytest.fixture
def open_socket() -> Iterator[Callable[[ScriptedDaemonRemote], Socket]]:
    """Opens websockets that are closed after the test."""
    with contextlib.ExitStack() as sockets:

        def open_one(daemon: ScriptedDaemonRemote) -> Socket:
            address = daemon.address
            url = address["url"].replace("http", "ws", 1) + "/ws"
            connection = connect(url, additional_headers=headers_of(address), proxy=None, close_timeout=1)
            return Socket(sockets.enter_context(connection))

        yield open_one
