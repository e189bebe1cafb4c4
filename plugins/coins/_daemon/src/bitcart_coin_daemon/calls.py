"""One JSON-RPC call to a daemon over a kept connection, with a deadline. Knows no method.

urllib3, because a call costs half the processor time it costs with httpx (docs/decisions/daemon-client-http.md).
"""

import itertools
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from bitcart_coin_daemon.endpoint import Endpoint, Locator
from bitcart_core import CoinRefused, CoinUnreachable

_MOST_IDLE_CONNECTIONS = 16
_SPEC_SECONDS = 10.0


@dataclass(frozen=True)
class _Line:
    """A pool of connections to one endpoint, made in one process."""

    endpoint: Endpoint
    pool: urllib3.HTTPConnectionPool
    process: int


class Caller:
    """Calls one daemon; safe to use from several threads, and after a fork.

    Args:
        locator: Says where the daemon is.
        name: What to call the daemon in errors.
    """

    def __init__(self, locator: Locator, *, name: str) -> None:
        self._locator = locator
        self._name = name
        self._line: _Line | None = None
        self._ids = itertools.count(1)
        self._spec: Mapping[str, Any] | None = None

    def call(self, method: str, params: Mapping[str, Any], *, timeout_seconds: float, xpub: Any = None) -> Any:
        """Call a method and return its result.

        A connection that broke is tried once more, at the address the daemon has by then; so a method may run twice.

        Args:
            method: Its name.
            params: Arguments by name.
            timeout_seconds: For everything together.
            xpub: The wallet, as the contract writes it.

        Raises:
            CoinRefused: The daemon answered with an error; it has the code.
            CoinUnreachable: No answer in time, or none that a daemon would give.
        """
        request = {"jsonrpc": "2.0", "method": method, "params": {**params, "xpub": xpub}, "id": next(self._ids)}
        body = json.dumps(request).encode()
        deadline = time.monotonic() + timeout_seconds
        try:
            answer = self._send(body, deadline)
        except CoinUnreachable:
            if time.monotonic() >= deadline:
                raise
            answer = self._send(body, deadline)
        return self._result(method, answer)

    def error_name(self, error: CoinRefused) -> str:
        """Return what the daemon's `/spec` calls an error, such as `LoadingWalletError`; empty if it has no name."""
        if self._spec is None:
            self._spec = self._fetch_spec()
        known = self._spec.get("exceptions", {}).get(str(error.code), {})
        return str(known.get("exc_name", ""))

    def _fetch_spec(self) -> Mapping[str, Any]:
        line = self._current()
        try:
            answer = line.pool.request("GET", "/spec", headers=line.endpoint.headers)
            spec = json.loads(answer.data)
        except (HTTPError, ValueError) as error:
            raise CoinUnreachable(f"the daemon of {self._name} did not tell its error codes: {error}") from error
        return spec if isinstance(spec, dict) else {}

    def _send(self, body: bytes, deadline: float) -> bytes:
        line = self._current()
        left = max(deadline - time.monotonic(), 0.001)
        try:
            answer = line.pool.urlopen(
                "POST", "/", body=body, headers=line.endpoint.headers, timeout=urllib3.Timeout(total=left)
            )
        except HTTPError as error:
            raise CoinUnreachable(
                f"the daemon of {self._name} at {line.endpoint.url} did not answer: {error}"
            ) from error
        return bytes(answer.data)

    def _result(self, method: str, answer: bytes) -> Any:
        try:
            reply = json.loads(answer)
            if "result" in reply:
                return reply["result"]
            code, message = int(reply["error"]["code"]), str(reply["error"]["message"])
        except (ValueError, KeyError, TypeError) as error:
            raise CoinUnreachable(
                f"what answers for the daemon of {self._name} is no daemon: {answer[:80]!r}"
            ) from error
        raise CoinRefused(f"the daemon of {self._name} refused {method}: {message}", code=code)

    def _current(self) -> _Line:
        """Return the pool for where the daemon is now; after a fork a new one, since two processes cannot share it.

        There is no lock, which a fork could leave locked for ever: two threads at once make two pools at worst.
        """
        endpoint, line = self._locator.find(), self._line
        if line is None or line.endpoint != endpoint or line.process != os.getpid():
            self._line = line = _open(endpoint)
            self._spec = None
        return line


def _open(endpoint: Endpoint) -> _Line:
    pool = urllib3.connection_from_url(
        endpoint.url, maxsize=_MOST_IDLE_CONNECTIONS, block=False, retries=False, timeout=_SPEC_SECONDS
    )
    return _Line(endpoint=endpoint, pool=pool, process=os.getpid())
