"""Follow a daemon's journal over its websocket: replay first, then live, heartbeats in between. Never reconnects."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bitcart_coin_daemon.answers import read_events, read_position
from bitcart_coin_daemon.endpoint import Endpoint
from bitcart_core import CoinUnreachable, Position, StreamItem

HEARTBEAT_SECONDS = 5.0
"""Expected until the daemon's first heartbeat says how often they come."""
MISSED_HEARTBEATS = 3
_MOST_FRAME_BYTES = 16 * 1024 * 1024


async def follow(
    endpoint: Endpoint, after: Position | None, *, name: str, timeout_seconds: float
) -> AsyncIterator[StreamItem]:
    """Yield what the journal says after a place, for as long as the connection lasts.

    Args:
        endpoint: The daemon.
        after: The last entry the caller has; None begins at the head.
        name: What to call the daemon in errors.
        timeout_seconds: For opening the connection.

    Raises:
        CoinUnreachable: The connection could not be opened, ended, or went silent.
    """
    try:
        # Heartbeats tell whether the line is alive, so there are no pings; loopback needs neither proxy nor deflate.
        async with connect(
            endpoint.websocket_url,
            additional_headers=endpoint.headers,
            open_timeout=timeout_seconds,
            close_timeout=1,
            ping_interval=None,
            compression=None,
            proxy=None,
            max_size=_MOST_FRAME_BYTES,
        ) as socket:
            await socket.send(json.dumps({"after": after.to_json() if after else None}))
            async with aclosing(_items(socket)) as items:
                async for item in items:
                    yield item
    except TimeoutError as error:
        raise CoinUnreachable(f"the daemon of {name} went silent") from error
    except (OSError, WebSocketException) as error:
        raise CoinUnreachable(f"the stream of the daemon of {name} ended: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CoinUnreachable(f"the stream of the daemon of {name} said something unknown: {error}") from error


async def _items(socket: ClientConnection) -> AsyncGenerator[StreamItem]:
    every_seconds = HEARTBEAT_SECONDS
    height: int | None = None
    is_begun = is_live = False
    while True:
        async with asyncio.timeout(MISSED_HEARTBEATS * every_seconds):
            frame = json.loads(await socket.recv())
        every_seconds = float(frame.get("every_seconds", every_seconds))
        is_begun = is_begun or "resumed" in frame or "reset" in frame
        if not is_begun:
            continue  # was on its way before the daemon heard us
        is_live = is_live or "heartbeat" in frame
        height = _height(frame, height, is_live=is_live)
        if "resumed" not in frame:
            yield _read_item(frame, height)


def _height(frame: Mapping[str, Any], known: int | None, *, is_live: bool) -> int | None:
    """Return the daemon's best block now: blocks that are replayed are old news."""
    if "height" in frame:
        return None if frame["height"] is None else int(frame["height"])
    blocks = [update["height"] for update in frame.get("updates", ()) if update.get("event") == "new_block"]
    return int(blocks[-1]) if is_live and blocks else known


def _read_item(frame: Mapping[str, Any], height: int | None) -> StreamItem:
    return StreamItem(
        position=read_position(frame),
        at=datetime.fromisoformat(frame["at"]),
        events=read_events(frame.get("updates", ())),
        height=height,
        # A daemon that does not follow the network yet may still have to tell of money that came long ago.
        is_caught_up="heartbeat" in frame and bool(frame.get("synchronized")),
    )
