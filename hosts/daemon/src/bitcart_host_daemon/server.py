"""The HTTP side of a daemon: its routes, who may use them, how large a body may be. Knows no method and no coin."""

import asyncio
import base64
import binascii
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from bitcart_host_daemon.credentials import Credentials
from bitcart_host_daemon.rpc import INVALID_REQUEST, Rpc, error_text
from bitcart_host_daemon.streams import Streams

MAX_BODY_BYTES = 1024 * 1024
OPEN_PATHS = frozenset({"/health"})
"""What anyone may ask; says whether the daemon works and how far it is, nothing else."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """The web application of one daemon.

    Args:
        rpc: Answers `POST /`.
        streams: Serves `/ws`.
        spec: Returns the body of `/spec`.
        state: Returns `height` and `synchronized` for `/health`.
        credentials: Whom to let in.
    """

    def __init__(
        self,
        *,
        rpc: Rpc,
        streams: Streams,
        spec: Callable[[], Mapping[str, Any]],
        state: Callable[[], Mapping[str, Any]],
        credentials: Credentials,
    ) -> None:
        self._rpc = rpc
        self._streams = streams
        self._spec = spec
        self._state = state
        self._accepted = _encodings(f"{credentials.login}:{credentials.password}")
        self.is_started = asyncio.Event()
        """Set once the coin can answer; until then calls and sockets wait, and `/health` says so."""

    def application(self) -> web.Application:
        """Return the application to serve."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._guard])
        app.add_routes(
            [
                web.post("/", self._call),
                web.get("/ws", self._socket),
                web.get("/spec", self._describe),
                web.get("/health", self._health),
            ]
        )
        return app

    def is_allowed(self, authorization: str | None) -> bool:
        """Say whether a header of basic auth (RFC 7617) names our login and password; in constant time."""
        scheme, _, encoded = (authorization or "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            return False
        return any([hmac.compare_digest(given, accepted) for accepted in self._accepted])  # noqa: C419 - all, always

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in OPEN_PATHS and not self.is_allowed(request.headers.get("Authorization")):
            # Every error of the contract is HTTP 200; its clients never look at the status.
            return _json(error_text(INVALID_REQUEST, "Unauthorized"))
        return await handler(request)

    async def _call(self, request: web.Request) -> web.Response:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            text = error_text(INVALID_REQUEST, f"Request too large; {MAX_BODY_BYTES} bytes are the most")
            return _json(text, status=413)
        await self.is_started.wait()
        return _json(await self._rpc.reply(body))

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        await self.is_started.wait()
        return await self._streams.serve(request)

    async def _describe(self, _request: web.Request) -> web.Response:
        await self.is_started.wait()
        return _json(json.dumps(self._spec()))

    async def _health(self, _request: web.Request) -> web.Response:
        if not self.is_started.is_set():
            return _json(json.dumps({"status": "starting", "height": None}), status=503)
        state = self._state()
        if not state["synchronized"]:
            return _json(json.dumps({"status": "synchronizing", "height": state["height"]}), status=503)
        return _json(json.dumps({"status": "ok", "height": state["height"]}))


def _encodings(text: str) -> list[bytes]:
    """Return a text as clients may encode it: UTF-8, and the Latin-1 that aiohttp and so the official SDK takes."""
    try:
        return [text.encode(), text.encode("latin-1")]
    except UnicodeEncodeError:
        return [text.encode()]


def _json(text: str, *, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="application/json")
