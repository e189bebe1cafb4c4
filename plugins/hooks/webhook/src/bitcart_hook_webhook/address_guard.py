"""Connect to checked addresses only, and let no peer stretch an attempt beyond its deadline.

The pool asks by name and this backend answers with a connection to an address that the policy let through, so
that the host name still stands in the Host header and in TLS while no second look-up can lead elsewhere.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2 as httpcore

from bitcart_core import AddressPolicy

MAX_ADDRESSES = 4
"""Of a name with more addresses, the first few are tried."""

_SLICE = 16 * 1024
_ends_at: ContextVar[float] = ContextVar("ends_at")


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound everything that happens on guarded connections inside of this block, all together."""
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def seconds_left() -> float:
    """Return what is left of the deadline, above 0.

    Raises:
        httpcore.ReadTimeout: Nothing is left.
    """
    left = _ends_at.get() - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return left


class GuardedBackend(httpcore.NetworkBackend):
    """Opens connections for a pool of httpcore, under a policy and a deadline."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy
        self._network = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline of the whole attempt stands in its place
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host that answers.

        Raises:
            InputError: The policy does not allow the host or the port.
            DeliveryError: The name is not known.
            httpcore.NetworkError, httpcore.TimeoutException: No address answered.
        """
        addresses = self._policy.find(host, port, timeout_seconds=seconds_left())[:MAX_ADDRESSES]
        for tried, address in enumerate(addresses, start=1):
            share = seconds_left() / (len(addresses) - tried + 1)
            try:
                stream = self._network.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException):
                if tried == len(addresses):
                    raise
            else:
                return _DeadlineStream(stream)
        raise AssertionError("a policy returns at least one address")

    def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Refuse: a webhook never goes to a socket of this machine."""
        raise httpcore.ConnectError(f"{path} is a socket of this machine")


class _DeadlineStream(httpcore.NetworkStream):
    """A connection whose every step gets only what is left of the deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - see above
        return self._stream.read(max_bytes, seconds_left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        for start in range(0, len(buffer), _SLICE):
            self._stream.write(buffer[start : start + _SLICE], seconds_left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, seconds_left()))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
