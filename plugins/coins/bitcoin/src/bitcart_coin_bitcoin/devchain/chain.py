"""Brings a Bitcoin development chain up and down: a node and an Electrum server, both on loopback."""

import dataclasses
import importlib.util
import secrets
import shutil
import sys
from pathlib import Path

from bitcart_coin_bitcoin.devchain.processes import Child
from bitcart_coin_bitcoin.devchain.requisite import BCOIN, find_node
from bitcart_coin_bitcoin.devchain.tools import BitcoinChainTools
from bitcart_core import ConfigError, RunningChain

COIN = "btc"
FIRST_BLOCKS = 150
"""Coins of a block can be spent 100 blocks later, so this leaves the wallet 50 times 50 bitcoins."""

_HERE = Path(__file__).parent
_READY_SECONDS = 60
_SERVER_OPTIONS = {
    "COIN": "Bitcoin",
    "NET": "regtest",
    "DB_ENGINE": "leveldb",
    "CACHE_MB": "50",
    "ALLOW_ROOT": "1",
    "PEER_DISCOVERY": "off",
    "PEER_ANNOUNCE": "",
    "COST_SOFT_LIMIT": "0",
    "COST_HARD_LIMIT": "0",
    "DAEMON_POLL_INTERVAL_BLOCKS": "50",
    "DAEMON_POLL_INTERVAL_MEMPOOL": "50",
}
"""Documented by e-x in docs/environment.rst; the intervals are milliseconds."""


class BitcoinDevchain:
    """`Devchain` of Bitcoin. The chain lives in memory and is gone when it stops.

    Args:
        data_dir: `BITCART_DATA`, where the node was installed.
    """

    coin = COIN

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._children: list[Child] = []

    def start(self, folder: Path) -> RunningChain:
        """Start both processes and mine the first coins; takes about three seconds.

        Args:
            folder: For `node.log`, `electrum-server.log` and the server's index.

        Raises:
            ConfigError: The node is not installed, or a process did not come up; says the remedy.
        """
        _require_electrum_server()
        try:
            chain = self._start_node(folder)
            BitcoinChainTools(chain).mine(FIRST_BLOCKS)
            return self._start_electrum_server(folder, chain)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End both processes; safe to repeat."""
        while self._children:
            self._children.pop().stop()

    def failed(self) -> str | None:
        """Return what went wrong if a process ended by itself, else None."""
        return next((problem for child in self._children if (problem := child.failed())), None)

    def _start_node(self, folder: Path) -> RunningChain:
        password = secrets.token_hex(16)
        node = Child(
            "bcoin, the node of the development chain,",
            [str(find_node(self._data_dir)), str(_HERE / "node" / "main.js")],
            environment={"NODE_PATH": str(BCOIN.modules(self._data_dir)), "DEVCHAIN_PASSWORD": password},
            log=folder / "node.log",
        )
        self._children.append(node)
        port = node.ready(_READY_SECONDS)["port"]
        return RunningChain(
            coin=COIN,
            network="regtest",
            rpc_url=f"http://127.0.0.1:{port}",
            rpc_user="bitcart",
            rpc_password=password,
            server="",
        )

    def _start_electrum_server(self, folder: Path, chain: RunningChain) -> RunningChain:
        index = folder / "electrum-server"
        shutil.rmtree(index, ignore_errors=True)
        index.mkdir()
        node_url = chain.rpc_url.replace("://", f"://{chain.rpc_user}:{chain.rpc_password}@")
        server = Child(
            "e-x, the Electrum server of the development chain,",
            [sys.executable, "-P", str(_HERE / "electrum_server.py")],
            environment={**_SERVER_OPTIONS, "DB_DIRECTORY": str(index), "DAEMON_URL": f"{node_url}/"},
            log=folder / "electrum-server.log",
        )
        self._children.append(server)
        port = server.ready(_READY_SECONDS)["port"]
        return dataclasses.replace(chain, server=f"127.0.0.1:{port}:t")


def _require_electrum_server() -> None:
    if missing := [module for module in ("electrumx", "plyvel") if importlib.util.find_spec(module) is None]:
        raise ConfigError(
            f"the Python package {missing[0]!r} is not installed, which the Electrum server of the development chain "
            "needs; install bitcart-coin-bitcoin[devchain]"
        )
