"""A daemon that cannot start says why, and what to do."""

import subprocess
import sys
from dataclasses import replace

import pytest
from bitcart_coin_bitcoin.daemon import create
from bitcart_coin_electrum.testing import DaemonProcess, MemoryJournal, RemoteError

from bitcart_core import ConfigError, Daemon, DaemonSettings

FACTORY = "bitcart_coin_bitcoin.daemon:create"


@pytest.fixture
def offline(bitcart_data, tmp_path):
    return DaemonSettings(network="regtest", data_dir=tmp_path, bitcart_data=bitcart_data, server="127.0.0.1:1:t")


def why(settings, tmp_path):
    daemon = DaemonProcess(FACTORY, settings, MemoryJournal(), tmp_path / "daemon.log")
    with pytest.raises(RemoteError) as caught:
        daemon.start()
    daemon.kill()
    assert caught.value.kind == "ConfigError"
    return str(caught.value)


def test_a_network_that_there_is_not_is_named(offline):
    with pytest.raises(ConfigError, match="btc has no network 'moon'; choose one of mainnet, testnet"):
        create(replace(offline, network="moon"), MemoryJournal())


def test_without_electrum_the_remedy_is_said(offline, tmp_path, monkeypatch):
    monkeypatch.delenv("BITCART_ELECTRUM", raising=False)
    assert "bitcart setup" in why(replace(offline, bitcart_data=tmp_path), tmp_path)


def test_a_server_that_is_none_is_named(offline, tmp_path):
    assert "server 'somewhere' is not HOST:PORT:t" in why(replace(offline, server="somewhere"), tmp_path)


def test_lightning_is_not_promised(offline, tmp_path):
    assert "LIGHTNING" in why(replace(offline, options={"lightning": "true"}), tmp_path)


def test_a_daemon_starts_and_answers_without_its_server(offline, tmp_path):
    with DaemonProcess(FACTORY, offline, MemoryJournal(), tmp_path / "daemon.log") as daemon:
        info = daemon.call("getinfo")
        assert (info["connected"], info["synchronized"], info["blockchain_height"]) == (False, False, 0)
        with pytest.raises(RemoteError, match="no Electrum server is connected"):
            daemon.call("get_transaction", "00" * 32)


def test_one_process_takes_one_daemon(offline):
    code = """
import asyncio, sys
from pathlib import Path
from bitcart_coin_bitcoin.daemon import create
from bitcart_coin_electrum.testing import MemoryJournal
from bitcart_core import ConfigError, DaemonSettings

async def main():
    settings = [
        DaemonSettings(network="regtest", data_dir=Path(name), bitcart_data=Path(sys.argv[1]), server="127.0.0.1:1:t")
        for name in sys.argv[2:]
    ]
    first, second = (create(one, MemoryJournal()) for one in settings)
    await first.start()
    try:
        await second.start()
    except ConfigError as error:
        print(error)
    await first.stop()

asyncio.run(main())
"""
    folders = [offline.data_dir / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    command = [sys.executable, "-c", code, str(offline.bitcart_data), *map(str, folders)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "start one process per coin and network" in answer.stdout


def test_a_daemon_that_was_not_started_has_nothing_to_say(offline):
    daemon: Daemon = create(offline, MemoryJournal())
    assert daemon.state() == {"height": None, "is_synchronized": False, "server": ""}
    assert set(daemon.spec()) == {"version", "electrum_map", "exceptions", "capabilities"}
