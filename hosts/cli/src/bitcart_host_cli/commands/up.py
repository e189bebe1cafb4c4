"""`bitcart up`: a whole deployment in the foreground."""

import asyncio

import typer

from bitcart_core import migrations
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings
from bitcart_host_cli.deployment import environment, processes
from bitcart_host_cli.storage import Storage, storage
from bitcart_host_cli.supervisor import Supervisor

_READY_SECONDS = 60.0


def up() -> None:
    """Run every host of this deployment until Ctrl-C: API, workers, listener, scheduler, and a daemon for each coin.

    Uses DATABASE_URL and REDIS_URL where they are set, and brings a PostgreSQL and a Redis of its own where not.
    Everything is kept under BITCART_DATA.
    """
    settings = Settings()
    Kernel(settings).close()  # a mistake in plugins.toml shows before anything is started
    with storage(settings) as kept, Kernel(kept.settings) as kernel:
        migrations.upgrade(kernel.engine)
        asyncio.run(_run(kernel, kept))


async def _run(kernel: Kernel, kept: Storage) -> None:
    supervisor = Supervisor(environment(kernel.settings), revive=kept.revive)
    wanted = processes(kernel)
    running = asyncio.create_task(supervisor.run(wanted))
    late = await supervisor.until_ready(wanted, timeout_seconds=_READY_SECONDS)
    if not supervisor.is_stopping:
        typer.echo(f"not ready yet: {', '.join(late)}" if late else f"ready: REST API at {kernel.settings.url}")
    await running
