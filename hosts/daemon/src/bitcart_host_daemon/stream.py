"""One websocket: whose events it wants, how far it has come, and sending what follows.

A socket has no queue. It has a place in the journal, and a task of its own that sends what follows that place; so
replay and live are one thing, there is no gap between them, and a client that reads slowly costs no memory and delays
nobody.
"""

import asyncio
import contextlib
import json
import logging
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from bitcart_core.errors import CoinRefused
from bitcart_core.events import Position
from bitcart_host_daemon.frames import heartbeat_frame, place_frame, update_frame
from bitcart_host_daemon.journal import Entry, Journal
from bitcart_host_daemon.keys import WalletKeys, wallet_text
from bitcart_host_daemon.methods import Methods, read_position
from bitcart_host_daemon.reading import JournalReader
from bitcart_host_daemon.rpc import read_key

BATCH = 256
"""How many entries are read from the file at once during a replay."""

Farewell = tuple[WSCloseCode, str]

log = logging.getLogger("bitcart.daemon")


@dataclass(frozen=True, kw_only=True)
class Timings:
    """How patient the websocket is.

    Attributes:
        heartbeat_seconds: Between two heartbeats to a socket that asked for replay.
        send_seconds: How long a client may take to accept a frame.
        ping_seconds: Between two pings; a client that does not answer within half of that is gone.
        close_seconds: How long to wait for a client to say goodbye too.
    """

    heartbeat_seconds: float = 5
    send_seconds: float = 10
    ping_seconds: float = 40
    close_seconds: float = 1


@dataclass(frozen=True, kw_only=True)
class Feed:
    """What all sockets of a daemon draw on.

    Attributes:
        journal: What is streamed.
        reader: For what is not in memory any more.
        keys: What clients call a wallet.
        methods: Tells the state for heartbeats.
        timings: How patient to be.
    """

    journal: Journal
    reader: JournalReader
    keys: WalletKeys
    methods: Methods
    timings: Timings


class Stream:
    """One socket, from the handshake to the end.

    Args:
        feed: What it draws on.
        socket: Prepared already.
        request: What it came from.
    """

    def __init__(self, feed: Feed, socket: web.WebSocketResponse, request: web.Request) -> None:
        self._feed = feed
        self._socket = socket
        self._request = request
        self._scope: tuple[str, str] | None = None  # name of the wallet, and what this client calls it
        self._place = feed.journal.head
        self._asked: Position | None = None
        self._replays = False
        self._next_heartbeat = 0.0
        self.news = asyncio.Event()

    async def live(self) -> None:
        """Listen and send until one of the two ends; say goodbye if it was the sending."""
        listening, sending = asyncio.create_task(self._listen()), asyncio.create_task(self._send_all())
        try:
            await asyncio.wait((listening, sending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (listening, sending):
                task.cancel()
            heard, farewell = await asyncio.gather(listening, sending, return_exceptions=True)
        if isinstance(heard, Exception):
            log.error("what a websocket client said could not be handled; closing it", exc_info=heard)
        if isinstance(farewell, tuple):
            await self.close(*farewell)

    async def _listen(self) -> None:
        async for message in self._socket:
            if message.type == WSMsgType.TEXT:
                self._obey(message.data)

    def _obey(self, text: str) -> None:
        """Do what a client's message says; one that makes no sense is ignored (contract, section 3)."""
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if not isinstance(message, dict):
            return
        if "xpub" in message:
            self._scope_to(message["xpub"])
        if "after" in message:
            self._asked = self._read_place(message["after"])
            self.news.set()

    async def _send_all(self) -> Farewell | None:
        """Send what follows this socket's place, for as long as the client takes it; return why that ended."""
        try:
            while True:
                self.news.clear()
                while await self._advance():
                    pass
                await self._rest()
        except TimeoutError:
            log.warning("a websocket client did not take a frame for %s s; closing it", self._timings.send_seconds)
            return WSCloseCode.TRY_AGAIN_LATER, "too slow; connect again and replay"
        except ConnectionError:
            return None  # the client is gone
        except Exception:
            log.exception("a websocket could not be served; closing it")
            return WSCloseCode.INTERNAL_ERROR, "something failed here; connect again and replay"

    async def close(self, code: WSCloseCode, reason: str) -> None:
        """Close the socket, and cut it off if the client does not listen."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timings.close_seconds * 1.5):
                await self._socket.close(code=code, message=reason.encode())
                return
        if self._request.transport is not None:
            self._request.transport.abort()

    @property
    def _timings(self) -> Timings:
        return self._feed.timings

    def _scope_to(self, xpub: Any) -> None:
        key = read_key(xpub)
        # The client gets back what it sent, since that is what it compares with; an object becomes the wallet key.
        self._scope = (
            (self._feed.keys.remember(key), xpub if isinstance(xpub, str) else wallet_text(key)) if key else None
        )

    def _read_place(self, after: Any) -> Position:
        """Return where a client wants to go on; a place that cannot be read is one we never wrote."""
        if after is None:
            return self._feed.journal.head
        try:
            return read_position(after)
        except CoinRefused:
            return Position(epoch=0, seq=0)

    async def _advance(self) -> bool:
        """Send some of what is due; return False when there is nothing left to send."""
        if self._asked is not None:
            await self._begin_replay(self._asked)
            return True
        head = self._feed.journal.head
        if self._place == head:
            return False
        entries = await self._following(head)
        if entries is None:
            await self._reset()
            return True
        for entry in entries:
            await self._send_entry(entry)
            self._place = Position(epoch=self._place.epoch, seq=entry.seq)
            if self._wants_to_move():
                break
        return True

    def _wants_to_move(self) -> bool:
        return self._asked is not None

    async def _following(self, head: Position) -> list[Entry] | None:
        if self._place.epoch != head.epoch or self._place.seq > head.seq:
            return None
        recent = self._feed.journal.recent(self._place.seq)
        if recent is not None:
            return recent
        return await asyncio.to_thread(self._feed.reader.entries, self._place, limit=BATCH)

    async def _begin_replay(self, asked: Position) -> None:
        """Go to the place a client asked for; from the next frame on, all is in order and nothing comes twice."""
        self._asked = None
        self._replays = True
        self._next_heartbeat = 0.0
        journal = self._feed.journal
        if asked.epoch == journal.head.epoch and asked.seq > journal.head.seq:
            log.warning(
                "a client has seen entry %s, this journal ends at %s: beginning a new epoch", asked, journal.head
            )
            journal.begin_epoch()
        self._place = asked
        if await self._following(journal.head) is None:
            await self._reset()
        else:
            await self._send(place_frame("resumed", asked, self._feed.methods.state_now()))

    async def _reset(self) -> None:
        """Go to the head, since the entries in between are not here; say so to those who keep a place."""
        self._place = self._feed.journal.head
        if self._replays:
            await self._send(place_frame("reset", self._place, self._feed.methods.state_now()))

    async def _send_entry(self, entry: Entry) -> None:
        if self._scope is None:
            wallet = self._feed.keys.find(entry.wallet)
        elif entry.wallet is None:
            wallet = None
        elif entry.wallet == self._scope[0]:
            wallet = self._scope[1]
        else:
            return
        await self._send(
            update_frame(entry, epoch=self._place.epoch, wallet=wallet, currency=self._feed.methods.currency)
        )

    async def _rest(self) -> None:
        """Wait for news; meanwhile tell those who keep a place that nothing is missing."""
        if not self._replays:
            await self.news.wait()
            return
        left = self._next_heartbeat - time.monotonic()
        if left <= 0:
            await self._send_heartbeat()
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left):
                await self.news.wait()

    async def _send_heartbeat(self) -> None:
        state = self._feed.methods.state_now()
        if (state["epoch"], state["seq"]) != (self._place.epoch, self._place.seq):
            return  # something was written this very moment; it goes out first
        self._next_heartbeat = time.monotonic() + self._timings.heartbeat_seconds
        await self._send(heartbeat_frame(state, every_seconds=self._timings.heartbeat_seconds))

    async def _send(self, text: str) -> None:
        async with asyncio.timeout(self._timings.send_seconds):
            await self._socket.send_str(text)
