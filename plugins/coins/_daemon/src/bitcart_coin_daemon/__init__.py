"""The client of a coin's daemon: RPC, stream, replay."""

from bitcart_coin_daemon.client import DaemonClient
from bitcart_coin_daemon.settings import DaemonClientSettings

__all__ = ["DaemonClient", "DaemonClientSettings"]
