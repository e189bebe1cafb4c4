"""Send one notification by Apprise in a process that can reach nothing but what it must. A program of its own.

It is started as `python -I -B child.py` with an order as JSON on standard input and writes a report as JSON to
standard output. Before Apprise gets the URL, a guard is put on the interpreter itself (PEP 578): it lets through
connections to permitted addresses and the reading of Python's own files, and nothing else; however Apprise or a
library below it came to an address, by a name, a redirect or a second answer of a name server, the address is checked.
"""

import importlib
import json
import logging
import os
import resource
import sys
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

MEMORY_BYTES = 512 * 1024 * 1024
CPU_SECONDS = 20

_FORBIDDEN = (
    "socket.bind", "socket.sendto", "socket.sendmsg", "subprocess.", "pty.", "ctypes.dlopen",
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "os.kill",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.chmod", "os.chown", "os.link", "os.symlink", "os.truncate",
)  # fmt: skip
_READABLE = ("/etc/ssl/", "/usr/share/zoneinfo/", "/usr/lib/ssl/", "/etc/pki/")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND

Network = IPv4Network | IPv6Network


class Guard:
    """An audit hook that refuses what a notification does not need, and remembers which addresses it refused."""

    def __init__(self, policy: dict[str, Any]) -> None:
        self.refused: list[str] = []
        self._allowed, self._open, self._closed = (
            [ip_network(text) for text in policy[name]] for name in ("allowed", "open", "closed")
        )
        self._ports = frozenset(policy["ports"])
        self._readable = (*(f"{os.path.realpath(path)}/" for path in (sys.prefix, sys.base_prefix)), *_READABLE)

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Look at one thing that is about to happen.

        Raises:
            PermissionError: It shall not.
        """
        if event == "socket.connect":
            self._check_address(arguments[1])
        elif event == "open":
            self._check_file(arguments[0], arguments[2])
        elif event.startswith(_FORBIDDEN):
            raise PermissionError(f"{event} is not for notifications")

    def permits(self, host: str, port: int) -> bool:
        """Tell whether a numeric address and a port may be connected to."""
        try:
            address = ip_address(host)
        except ValueError:
            return False
        is_public = _is_in(address, self._open) and not _is_in(address, self._closed)
        return port in self._ports and (is_public or _is_in(address, self._allowed))

    def _check_address(self, address: Any) -> None:
        host, port = address[:2] if isinstance(address, tuple) else (str(address), 0)
        if not self.permits(host, port):
            self.refused.append(f"{host} port {port}")
            raise PermissionError(f"{host} port {port} is closed")

    def _check_file(self, path: Any, flags: int) -> None:
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path))
        is_device = real in {"/dev/null", "/dev/urandom"}
        if not is_device and (flags & _WRITING or not real.startswith(self._readable)):
            raise PermissionError(f"{real} is not for notifications")


class Sayings(logging.Handler):
    """Keeps what Apprise warns of: it reports failures in no other way."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line."""
        self.lines.append(record.getMessage()[:500])


def main() -> None:
    """Carry out the order on standard input."""
    order = json.load(sys.stdin)
    for limit, value in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS)):
        resource.setrlimit(limit, (value, value))
    sayings = Sayings()
    logging.getLogger("apprise").addHandler(sayings)
    guard = Guard(order["policy"])
    service = importlib.import_module(f"apprise.plugins.{order['module']}")
    _never_redirect()
    sys.addaudithook(guard.watch)
    outcome = send(service, order)
    json.dump({"outcome": outcome, "refused": guard.refused, "said": sayings.lines}, sys.stdout)


def send(service: Any, order: dict[str, Any]) -> str:
    """Return `sent`, `failed`, or `invalid` if Apprise cannot make sense of the URL."""
    import apprise  # noqa: PLC0415 - already loaded with the service; named here for what follows

    asset = apprise.AppriseAsset(
        app_id="Bitcart",
        http_redirects=False,
        async_mode=False,
        image_url_mask="",  # images would be loaded from a stranger's site
        image_url_logo="",
    )
    kind = next(_plugin_classes(service, order["schema"]))
    try:
        options = kind.parse_url(order["url"])
        instance = kind(**{**options, "asset": asset}) if options else None
    except (TypeError, ValueError, LookupError, AttributeError):  # a service's own way to refuse
        instance = None
    if instance is None:
        return "invalid"
    channel = apprise.Apprise(asset=asset)
    channel.add(instance)
    return "sent" if channel.notify(title=order["title"], body=order["body"], body_format="text") else "failed"


def _plugin_classes(service: Any, schema: str) -> Iterator[Any]:
    """Return the classes of a module of Apprise that speak a schema."""
    for kind in vars(service).values():
        if isinstance(kind, type) and schema in {*_words(kind, "protocol"), *_words(kind, "secure_protocol")}:
            yield kind


def _words(kind: type, attribute: str) -> tuple[str, ...]:
    value = getattr(kind, attribute, None)
    return (value,) if isinstance(value, str) else tuple(value or ())


def _never_redirect() -> None:
    """Take a redirect for the answer it is, also where a service forgets to ask for that."""
    import requests  # noqa: PLC0415 - only here, where Apprise has loaded it

    requests.Session.get_redirect_target = lambda *_: None  # type: ignore[method-assign]


def _is_in(address: Any, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


if __name__ == "__main__":
    main()
