"""Say which daemons a deployment needs: one for each coin and network whose daemon is installed and not elsewhere."""

import os
from collections.abc import Iterator, Mapping, Sequence

from bitcart_core.coins import Coin, UsesDaemon
from bitcart_core.hosts import Deployment, Process
from bitcart_host_daemon.finding import installed


def processes_of(deployment: Deployment) -> Sequence[Process]:
    """Return the daemon processes that `bitcart up` keeps running."""
    return list(_needed(deployment, os.environ))


def _needed(deployment: Deployment, environment: Mapping[str, str]) -> Iterator[Process]:
    with_daemon = set(installed())
    for plugin, coins in deployment.coins.items():
        for coin in coins:
            if plugin in with_daemon and not _is_elsewhere(coin):
                # Local clients find any port; a fixed one is for the operator who set it, and for one network only.
                port = () if environment.get(f"{coin.code.upper()}_PORT") and len(coins) == 1 else ("--port", "0")
                yield Process(
                    name=f"daemon-{plugin}-{coin.network}",
                    arguments=("daemon", plugin, "--network", coin.network, *port),
                )


def _is_elsewhere(coin: Coin) -> bool:
    return isinstance(coin.client, UsesDaemon) and coin.client.is_remote
