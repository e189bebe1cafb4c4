"""Send one POST and read a little of the answer: no redirects, no proxies, no cookies, no decompression."""

import os
import ssl
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import certifi
import httpcore2 as httpcore

from bitcart_core import AddressPolicy, WebAddress
from bitcart_hook_webhook.address_guard import GuardedBackend, deadline

MAX_BODY_BYTES = 64 * 1024
"""Of an answer; whatever follows is left unread and the connection is closed."""

_KEEP_SECONDS = 4
"""Connections wait this long for the next message; many servers close theirs after 5."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the receiver said.

    Attributes:
        headers: Names in lower case; of two with one name the last.
        body: At most `MAX_BODY_BYTES`.
        is_whole: The body was read to its end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


class Sender:
    """Posts to strangers' URLs; keeps connections open for the next message, one pool per process."""

    def __init__(self, policy: AddressPolicy, *, deadline_seconds: float, ca_file: Path | None = None) -> None:
        self._policy = policy
        self._deadline_seconds = deadline_seconds
        self._ca_file = ca_file
        self._pool: httpcore.ConnectionPool | None = None
        self._pid = 0

    def post(self, address: WebAddress, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body and return the answer, whatever its status.

        Raises:
            InputError: The policy does not allow the address.
            DeliveryError: The name is not known.
            httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException: No answer, or none that is HTTP.
        """
        url = httpcore.URL(
            scheme=address.scheme.encode(),
            host=address.host.encode(),
            port=address.port,
            target=address.target.encode(),
        )
        sent = [
            (name.encode(), value.encode("latin-1"))
            for name, value in {"host": address.authority, **headers, "content-length": str(len(body))}.items()
        ]
        with deadline(self._deadline_seconds):
            try:
                return self._exchange(url, sent, body)
            except (httpcore.ReadError, httpcore.WriteError, httpcore.RemoteProtocolError):
                # Most likely a kept connection that the receiver closed at this moment. Once more is safe: the id is
                # the same, and receivers must bear to hear it twice.
                return self._exchange(url, sent, body)

    def _exchange(self, url: httpcore.URL, headers: list[tuple[bytes, bytes]], body: bytes) -> Answer:
        waiting = {"timeout": {"pool": self._deadline_seconds}}
        with self._own_pool().stream("POST", url, headers=headers, content=body, extensions=waiting) as response:
            content, is_whole = _read(response)
            return Answer(
                status=response.status,
                headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers},
                body=content,
                is_whole=is_whole,
            )

    def _own_pool(self) -> httpcore.ConnectionPool:
        """Return this process's pool: two processes must never speak on one connection after a fork."""
        if self._pool is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._pool = httpcore.ConnectionPool(
                ssl_context=_trust(self._ca_file),
                max_connections=50,
                max_keepalive_connections=20,
                keepalive_expiry=_KEEP_SECONDS,
                network_backend=GuardedBackend(self._policy),
            )
            weakref.finalize(self, self._pool.close)
        return self._pool


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _read(response: httpcore.Response) -> tuple[bytes, bool]:
    """Read the body up to the cap. The status is the answer: a body that breaks off or drips changes nothing."""
    content = bytearray()
    try:
        for chunk in response.iter_stream():
            content += chunk
            if len(content) > MAX_BODY_BYTES:
                return bytes(content[:MAX_BODY_BYTES]), False
    except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        return bytes(content), False
    return bytes(content), True
