"""A whole deployment as processes: which hosts there are, and with what environment they run."""

import os
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points

from bitcart_core.coins import Coin
from bitcart_core.hosts import HOSTS, Deployment, Process
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings


def processes(kernel: Kernel) -> list[Process]:
    """Return the processes of every installed host, as it asks for them."""
    coins: dict[str, list[Coin]] = {}
    for code, coin in kernel.registry.coins.items():
        coins.setdefault(kernel.registry.coin_plugins[code], []).append(coin)
    deployment = Deployment(settings=kernel.settings, coins=coins)
    found: list[Process] = []
    for point in sorted(entry_points(group=HOSTS), key=lambda point: point.name):
        asked: Sequence[Process] = point.load()(deployment)
        found += asked
    return found


def environment(settings: Settings) -> Mapping[str, str]:
    """Return the environment in which every process finds the same deployment."""
    plugins = settings.find_plugins_file().resolve()
    return {
        **os.environ,
        "BITCART_DATA": str(settings.data_dir.resolve()),
        "BITCART_PLUGINS": str(plugins),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "BITCART_HOST": settings.host,
        "BITCART_PORT": str(settings.port),
        "BITCART_PUBLIC_URL": settings.url,
        "PYTHONUNBUFFERED": "1",
    }
