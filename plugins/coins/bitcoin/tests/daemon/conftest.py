"""A real chain for each module, and real daemons in processes of their own."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from bitcart_coin_bitcoin.devchain import BCOIN, BitcoinDevchainFactory
from bitcart_coin_bitcoin.devchain.rpc import NodeRpc
from bitcart_coin_electrum.requisite import ElectrumRequisite
from bitcart_coin_electrum.testing import DaemonProcess, MemoryJournal

from bitcart_core import ChainTools, DaemonSettings, RunningChain

FACTORY = "bitcart_coin_bitcoin.daemon:create"
PATIENCE_SECONDS = 60


@dataclass
class Chain:
    """The chain of a module, and what can be done to it."""

    running: RunningChain
    tools: ChainTools
    rpc: NodeRpc

    def fresh_key(self) -> str:
        return BitcoinDevchainFactory().fresh_key(self.running)

    def stranger(self) -> str:
        return str(self.rpc.call("getnewaddress"))


@dataclass
class Shop:
    """A daemon with its journal, its folder and its log: what a test drives."""

    daemon: DaemonProcess
    journal: MemoryJournal
    folder: Path
    log: Path

    def call(self, method: str, *positional: Any, key: Any = None, **named: Any) -> Any:
        return self.daemon.call(method, *positional, key=key, **named)

    def request(self, key: Any, amount: str | None = "0.5", **named: Any) -> dict[str, Any]:
        return dict(self.daemon.call("add_request", amount=amount, force=True, key=key, **named))

    def outputs(self, request: dict[str, Any]) -> list[Any]:
        return self.journal.of(request["request_id"])

    def wait_for_outputs(self, request: dict[str, Any], holds: Callable[[list[Any]], bool]) -> list[Any]:
        self.journal.wait_for(lambda journal: holds(journal.of(request["request_id"])))
        return self.outputs(request)

    def statuses(self, request: dict[str, Any]) -> list[int]:
        told = [event for event in self.journal.events if event.get("address") == request["request_id"]]
        return [event["status"] for event in told]


@pytest.fixture(scope="session")
def bitcart_data(request: pytest.FixtureRequest) -> Path:
    """Where the requisites are installed, once for all runs from this checkout."""
    folder = request.config.rootpath / ".bitcart" / "tests"
    for requisite in (BCOIN, ElectrumRequisite()):
        requisite.install(folder, lambda _: None)
    return folder


@pytest.fixture(scope="module")
def chain(bitcart_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    factory = BitcoinDevchainFactory()
    devchain = factory.create(bitcart_data)
    try:
        running = devchain.start(tmp_path_factory.mktemp("chain"))
        yield Chain(running, factory.tools(running), NodeRpc(running))
    finally:
        devchain.stop()


@pytest.fixture(scope="module")
def settings(bitcart_data: Path, chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> DaemonSettings:
    return DaemonSettings(
        network="regtest",
        data_dir=tmp_path_factory.mktemp("daemon"),
        bitcart_data=bitcart_data,
        server=chain.running.server,
    )


@pytest.fixture(scope="module")
def shop(settings: DaemonSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One daemon for the whole module; tests use keys of their own."""
    log, journal = tmp_path_factory.mktemp("log") / "daemon.log", MemoryJournal()
    with DaemonProcess(FACTORY, settings, journal, log) as daemon:
        yield Shop(daemon, journal, settings.data_dir, log)


@pytest.fixture
def own_shop(settings: DaemonSettings, tmp_path: Path) -> Iterator[Shop]:
    """A daemon that a test may stop, kill and start again."""
    data_dir = tmp_path / "daemon"
    data_dir.mkdir()
    daemon = DaemonProcess(FACTORY, replace(settings, data_dir=data_dir), MemoryJournal(), tmp_path / "daemon.log")
    with daemon:
        yield Shop(daemon, daemon.journal, data_dir, tmp_path / "daemon.log")


@pytest.fixture
def key(chain: Chain) -> str:
    return chain.fresh_key()


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Ask again until the answer is true."""

    def ask(question: Callable[[], Any]) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (answer := question()):
            assert time.monotonic() < until, "did not happen"
        return answer

    return ask


class Wire:
    """A line to the Electrum server that can be cut."""

    def __init__(self, server: str) -> None:
        host, port, _ = server.split(":")
        self._target = (host, int(port))
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._is_cut = False
        self.server = f"127.0.0.1:{self._listening.getsockname()[1]}:t"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        self._is_cut = True
        for pair in self._pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self._pairs.clear()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self.cut()
        self._listening.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                if self._is_cut:
                    near.close()
                    continue
                pair = (near, socket.create_connection(self._target))
                self._pairs.append(pair)
                threading.Thread(target=_carry, args=pair, daemon=True).start()


def _carry(near: socket.socket, far: socket.socket) -> None:
    with selectors.DefaultSelector() as selector, near, far:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        with contextlib.suppress(OSError):
            while True:
                for ready, _ in selector.select():
                    if not (data := ready.fileobj.recv(65536)):
                        return
                    ready.data.sendall(data)


@pytest.fixture
def wire(chain: Chain) -> Iterator[Wire]:
    wire = Wire(chain.running.server)
    yield wire
    wire.close()
