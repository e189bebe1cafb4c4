"""All websockets of a daemon: opened, woken when something is written, closed together."""

import asyncio
import contextlib

from aiohttp import WSCloseCode, web

from bitcart_host_daemon.stream import Feed, Stream

_MAX_MESSAGE_BYTES = 64 * 1024
"""A client has nothing longer to say than a wallet key."""


class Streams:
    """The sockets of one daemon.

    Args:
        feed: What they draw on.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._open: set[Stream] = set()

    def follow_journal(self) -> None:
        """Begin to wake the sockets whenever an entry is written, on whatever thread. Needs a running loop."""
        loop = asyncio.get_running_loop()

        def wake_from_anywhere() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
                loop.call_soon_threadsafe(self._wake)

        self._feed.journal.listen(wake_from_anywhere)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it ends."""
        timings = self._feed.timings
        socket = web.WebSocketResponse(
            heartbeat=timings.ping_seconds,
            timeout=timings.close_seconds,
            max_msg_size=_MAX_MESSAGE_BYTES,
            compress=False,
        )
        await socket.prepare(request)
        stream = Stream(self._feed, socket, request)
        self._open.add(stream)
        try:
            await stream.live()
        finally:
            self._open.discard(stream)
        return socket

    async def close(self) -> None:
        """Say goodbye to everyone, as the contract has it."""
        farewells = [stream.close(WSCloseCode.GOING_AWAY, "Server shutdown") for stream in self._open]
        await asyncio.gather(*farewells, return_exceptions=True)

    def _wake(self) -> None:
        for stream in self._open:
            stream.news.set()
