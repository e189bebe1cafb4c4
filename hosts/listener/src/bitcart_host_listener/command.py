"""`bitcart listener`: listen to the daemons of all coins until stopped."""

import asyncio
import signal

from bitcart_core.kernel import Kernel
from bitcart_core.logs import configure
from bitcart_core.settings import Settings
from bitcart_host_listener.listening import listen


def listener() -> None:
    """Store what the coins' daemons see. Start two for safety: each coin is listened to by one of them at a time."""
    settings = Settings()
    configure(settings.log_level)
    with Kernel(settings) as kernel:
        asyncio.run(_listen_to_all(kernel))


async def _listen_to_all(kernel: Kernel) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    tasks = [asyncio.create_task(listen(kernel, coin)) for coin in kernel.registry.coins.values()]
    await asyncio.wait({*tasks, asyncio.create_task(stopping.wait())}, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
