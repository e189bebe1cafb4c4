from collections.abc import Iterator
from pathlib import Path

import pytest
from bitcart_coin_daemon import DaemonClient, DaemonClientSettings

from bitcart_core.testing.daemon_process import ScriptedDaemonProcess

NAME = "bitcoin on regtest"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptedDaemonProcess]:
    """The real daemon host with the scripted coin, one process for the tests of a file."""
    daemon = ScriptedDaemonProcess(tmp_path_factory.mktemp("daemon") / "data").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ScriptedDaemonProcess]:
    """A process of the test's own, that it may kill."""
    daemon = ScriptedDaemonProcess(tmp_path / "data").start()
    yield daemon
    daemon.stop()


@pytest.fixture
def client(daemon: ScriptedDaemonProcess) -> DaemonClient:
    return client_of(daemon)


def client_of(daemon: ScriptedDaemonProcess, **settings: object) -> DaemonClient:
    return DaemonClient(
        DaemonClientSettings.model_validate(settings),
        folder=daemon.folder,
        name=NAME,
        key_hint="an xpub",
    )
