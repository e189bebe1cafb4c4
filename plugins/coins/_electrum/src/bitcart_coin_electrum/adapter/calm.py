"""Make many idle wallets cheap: Electrum was written for one person with a handful of them.

Left to itself it wakes a thread ten times a second for each wallet, calls every wallet for each event of any, and
writes the whole file of a wallet for each event of its own.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import Any

from bitcart_coin_electrum.adapter.library import Library

log = logging.getLogger(__name__)

BUSY_SECONDS = 0.1
IDLE_SECONDS = 5.0
"""How often a wallet looks whether it needs further addresses; each event of its own makes it look as well."""
SAVE_SECONDS = 5.0
"""A wallet's file is at most this old. The server and the requests know all that it may lack after a power cut."""


class WalletEvents:
    """Brings each event about a wallet's addresses to that wallet alone.

    Args:
        library: Electrum.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._routes: dict[str, dict[int, Callable[..., Any]]] = defaultdict(dict)
        # Kept here, since newer versions of Electrum keep only weak references to what they call.
        self._callbacks: list[Callable[..., None]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._saves: dict[int, asyncio.TimerHandle] = {}

    def add(self, inner: Any) -> None:
        """Take over a wallet that has no network yet."""
        for event, method in inner._list_callbacks():  # noqa: SLF001 - what it would be registered with
            if event.startswith("adb_"):
                if event not in self._routes:
                    self._listen_to(event)
                self._routes[event][id(inner.adb)] = method
                self._library.util.unregister_callback(method)
        inner.do_synchronize_loop = lambda: _look_for_addresses(inner)
        loop = asyncio.get_running_loop()
        inner.save_db = lambda: loop.call_soon_threadsafe(self._save_later, loop, inner)

    def remove(self, inner: Any) -> None:
        """Let go of a wallet; from now on it writes its file at once."""
        for routes in self._routes.values():
            routes.pop(id(inner.adb), None)
        if (due := self._saves.pop(id(inner), None)) is not None:
            due.cancel()
        inner.save_db = lambda: self._library.write_wallet(inner)

    def end(self) -> None:
        """Listen no more."""
        for callback in self._callbacks:
            self._library.util.unregister_callback(callback)
        for due in self._saves.values():
            due.cancel()

    def _listen_to(self, event: str) -> None:
        def route(addresses: Any, *arguments: object) -> None:
            method = self._routes[event].get(id(addresses))
            answer = method(addresses, *arguments) if method else None
            if asyncio.iscoroutine(answer):
                self._run(answer)

        self._callbacks.append(route)
        self._library.util.register_callback(route, [event])

    def _save_later(self, loop: asyncio.AbstractEventLoop, inner: Any) -> None:
        if id(inner) not in self._saves:
            self._saves[id(inner)] = loop.call_later(SAVE_SECONDS, self._save, inner)

    def _save(self, inner: Any) -> None:
        self._saves.pop(id(inner), None)
        self._run(asyncio.to_thread(self._library.write_wallet, inner))

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(_logged(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)


async def _look_for_addresses(inner: Any) -> None:
    while True:
        await asyncio.sleep(IDLE_SECONDS if inner.is_up_to_date() else BUSY_SECONDS)
        await asyncio.to_thread(inner.synchronize)


async def _logged(work: Coroutine[Any, Any, None]) -> None:
    """Run what Electrum would run without looking at how it ends."""
    try:
        await work
    except Exception:
        log.exception("Electrum failed to follow a change of a wallet, or to write it; the next change will")
