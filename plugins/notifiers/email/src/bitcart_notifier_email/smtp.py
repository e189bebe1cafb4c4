"""Hand one message to one mail server under one deadline, with verified certificates, at a checked address."""

import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import certifi

from bitcart_core import AddressPolicy, DeliveryError, EmailSettings, InputError, Rejected, parse_host

MAX_REPLY_BYTES = 64 * 1024
"""All replies of a server together; one that goes on is hung up on."""


@dataclass(frozen=True, kw_only=True)
class Route:
    """How to reach mail servers.

    Attributes:
        policy: Where the server may be, or None for the operator's own, which may be anywhere.
        deadline_seconds: For everything together.
        own_name: What we call ourselves in EHLO.
        ca_file: Certificates to trust besides the public ones.
    """

    policy: AddressPolicy | None
    deadline_seconds: float
    own_name: str
    ca_file: Path | None = None


def send(server: EmailSettings, message: EmailMessage, route: Route) -> None:
    """Send a message to the one recipient it names.

    Raises:
        Rejected: The server will never take it (5xx), or its address is refused.
        DeliveryError: It did not take it now.
    """
    with _session(server, route) as smtp:
        smtp.send_message(message)


def check(server: EmailSettings, route: Route) -> None:
    """Connect and log in, and send nothing.

    Raises:
        DeliveryError: It does not work; says why.
    """
    with _session(server, route) as smtp:
        smtp.noop()


@contextmanager
def _session(server: EmailSettings, route: Route) -> Iterator[smtplib.SMTP]:
    """Connect, encrypt and log in as the server's settings say; turn every failure into one of ours."""
    alarm = _Alarm(route.deadline_seconds)
    name = f"{server.host}:{server.port}"
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(server, route, alarm)
        if server.auth_mode == "starttls":
            smtp.starttls(context=_trust(route.ca_file))
        if server.user:
            smtp.login(server.user, server.password)
        yield smtp
        with suppress(smtplib.SMTPException, OSError):  # it has the message; how it says goodbye changes nothing
            smtp.quit()
    except InputError as error:
        raise Rejected(str(error)) from error
    except (smtplib.SMTPException, OSError) as error:
        if alarm.has_rung:
            late = f"mail server {name} did not finish within {route.deadline_seconds:g} seconds"
            raise DeliveryError(late) from error
        raise _translate(name, error) from error
    finally:
        alarm.stop()
        if smtp is not None:
            smtp.close()


def _connect(server: EmailSettings, route: Route, alarm: "_Alarm") -> smtplib.SMTP:
    if server.auth_mode == "ssl/tls":
        return _GuardedTls(server, route, alarm)
    return _Guarded(server, route, alarm)


class _Alarm:
    """Hangs up when the time is over, whatever the server does in between: no reply or drip outlasts it."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds
        self.has_rung = False
        self._timer: threading.Timer | None = None
        self._socket: socket.socket | None = None

    @property
    def seconds_left(self) -> float:
        """What is left, at least an instant, so that it can stand as a timeout."""
        return max(self.ends_at - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        """Hang up on this connection; on a second handle, since TLS takes the first one over."""
        self._socket = connection.dup()
        self._timer = threading.Timer(self.seconds_left, self._ring)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Let the connection be."""
        if self._timer is not None and self._socket is not None:
            self._timer.cancel()
            self._timer.join()
            self._socket.close()

    def _ring(self) -> None:
        self.has_rung = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _BoundedFile:
    """The replies of a server, up to a bound."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._left = MAX_REPLY_BYTES

    def readline(self, size: int) -> bytes:
        line: bytes = self._file.readline(size)
        self._left -= len(line)
        if self._left < 0:
            raise smtplib.SMTPServerDisconnected("the server's replies have no end")
        return line

    def close(self) -> None:
        self._file.close()


class _Guarded(smtplib.SMTP):
    """An SMTP client that connects to checked addresses and reads bounded replies."""

    def __init__(self, server: EmailSettings, route: Route, alarm: _Alarm, **more: Any) -> None:
        self._policy = route.policy
        self._alarm = alarm
        host = parse_host(server.host)
        super().__init__(host, server.port, route.own_name, timeout=route.deadline_seconds, **more)

    @property
    def file(self) -> Any:
        return self._file

    @file.setter
    def file(self, file: Any) -> None:
        self._file = file and _BoundedFile(file)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - the alarm knows better
        """Connect; the standard library asks its subclasses for the socket here."""
        addresses: tuple[str, ...] = (host,)
        if self._policy is not None:
            addresses = self._policy.find(host, port, timeout_seconds=self._alarm.seconds_left)
        connection = _open(addresses, port, self._alarm)
        self._alarm.watch(connection)
        return connection


class _GuardedTls(smtplib.SMTP_SSL, _Guarded):
    """The same, encrypted from the first byte: SMTP_SSL wraps the socket that the next class connected."""

    def __init__(self, server: EmailSettings, route: Route, alarm: _Alarm) -> None:
        self.context = _trust(route.ca_file)
        self.keyfile = self.certfile = None
        _Guarded.__init__(self, server, route, alarm)


def _open(addresses: tuple[str, ...], port: int, alarm: _Alarm) -> socket.socket:
    for tried, address in enumerate(addresses, start=1):
        share = alarm.seconds_left / (len(addresses) - tried + 1)
        try:
            return socket.create_connection((address, port), timeout=share)
        except OSError:
            if tried == len(addresses):
                raise
    raise AssertionError("there is at least one address")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def _translate(name: str, error: smtplib.SMTPException | OSError) -> DeliveryError:
    """Say what a server answered; 5xx means never (RFC 5321, 4.2.1)."""
    code, said = _reply(error)
    message = f"mail server {name}: {f'{code} ' if code else ''}{said}"
    return Rejected(message) if code >= 500 else DeliveryError(message)


def _reply(error: smtplib.SMTPException | OSError) -> tuple[int, str]:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        return code, _text(said)
    if isinstance(error, smtplib.SMTPResponseException):
        return error.smtp_code, _text(error.smtp_error)
    return 0, str(error) or type(error).__name__


def _text(said: bytes | str) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return text.replace("\x00", "\ufffd")[:500]
