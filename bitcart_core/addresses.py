"""Decide to which hosts a URL from a stranger may lead (server-side request forgery); connects to nothing itself.

A name is looked up once and only checked addresses are handed back: who connects to them, and not to the name,
cannot be led elsewhere by a second answer of the name server.
"""

import queue
import re
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

from bitcart_core.errors import DeliveryError, InputError

Network = IPv4Network | IPv6Network

MAX_URL_LENGTH = 2048
WEB_PORTS = {"http": 80, "https": 443}

# What there is of the public Internet: all of IPv4, and the part of IPv6 that IANA has given out for it. Outside of
# the latter lie loopback, mapped IPv4, NAT64, unique local and the rest.
_OPEN: tuple[Network, ...] = (IPv4Network("0.0.0.0/0"), IPv6Network("2000::/3"))

# IANA's Special-Purpose Address Registries, with multicast and the reserved class E.
_CLOSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network, and the unspecified address
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared with the provider's other customers (RFC 6598)
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local; cloud metadata lives here
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
        "2001::/23",  # protocol assignments: Teredo carries an IPv4 address inside
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address inside
        "3fff::/20",  # documentation
    )
)

# Written one way by IDNA 2003 and another by IDNA 2008, so that two programs would go to two hosts.
_DEVIATIONS = frozenset("ßς\u200c\u200d")
_HOST = re.compile(r"(?=.{1,253}\Z)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^\[\]:]*)(:\d*)?", re.ASCII)
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)")
_FORBIDDEN_IN_URL = re.compile(r"[\x00-\x20\x7f\\\s]")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address belongs to the public Internet and to one machine there."""
    return _is_in(address, _OPEN) and not _is_in(address, _CLOSED)


@dataclass(frozen=True, kw_only=True)
class AddressPolicy:
    """What an operator lets strangers' URLs reach: the public Internet, and what is named here besides.

    Attributes:
        allowed_networks: Networks that are reachable although they are not public, such as a LAN. Exactly those:
            `127.0.0.0/8` does not open `::ffff:127.0.0.1`.
        allowed_ports: Ports that may be connected to; the same for every network.
    """

    allowed_networks: tuple[Network, ...] = ()
    allowed_ports: frozenset[int] = frozenset(WEB_PORTS.values())

    def permits(self, address: str) -> bool:
        """Tell whether one numeric address may be connected to; anything that is not one may not."""
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return _is_in(parsed, self.allowed_networks) or is_public(parsed)

    def to_json(self) -> dict[str, list[str] | list[int]]:
        """Return the whole policy as plain JSON types, for a small process that shall not load this package.

        An address is permitted if it is in `allowed`, or if it is in `open` and not in `closed`; a port, in `ports`.
        """
        return {
            "allowed": [str(network) for network in self.allowed_networks],
            "open": [str(network) for network in _OPEN],
            "closed": [str(network) for network in _CLOSED],
            "ports": sorted(self.allowed_ports),
        }

    def find(self, host: str, port: int, *, timeout_seconds: float) -> tuple[str, ...]:
        """Look a host up once and return the addresses that may be connected to.

        Args:
            host: A name or a numeric address, as `parse_host` returns it.
            port: Where the connection will go.
            timeout_seconds: How long the name server may take.

        Returns:
            Numeric addresses, at least one, in the order in which to try them.

        Raises:
            InputError: The port or every address of the host is closed to strangers' URLs.
            DeliveryError: The name is not known, or the name server did not answer in time.
        """
        if port not in self.allowed_ports:
            ports = ", ".join(str(port) for port in sorted(self.allowed_ports))
            raise InputError(
                f"port {port} of {host} is closed; use one of {ports} or add it to allowed_ports", field="url"
            )
        found = _numeric(host) or _look_up(host, port, timeout_seconds)
        permitted = tuple(address for address in found if self.permits(address))
        if not permitted:
            raise InputError(
                f"{host} is at {', '.join(found)}, which is not on the public Internet; "
                "use a public host or add its network to allowed_networks",
                field="url",
            )
        return permitted


@dataclass(frozen=True, kw_only=True)
class WebAddress:
    """An http or https URL taken apart in the one way in which it will also be asked for.

    Attributes:
        host: In ASCII, lower case, without brackets or a dot at the end.
        target: Path and query as they stand in the request line.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == WEB_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def label(self) -> str:
        """The URL for people and logs: without its query, where tokens stand."""
        return f"{self.scheme}://{self.authority}{self.target.partition('?')[0]}"


def parse_web_address(url: str) -> WebAddress:
    """Read a URL that a stranger gave; refuse every spelling that two programs could read in two ways.

    Raises:
        InputError: Not http or https, no host, a user or password, a control character, an odd number as host.
    """
    parts = _split(url)
    if parts.scheme not in WEB_PORTS:
        raise InputError(f"{url!r} is not a web address; send one that begins with https://", field="url")
    if "@" in parts.netloc:
        raise InputError("a web address must not hold a user or a password; put a token into its path", field="url")
    if not _AUTHORITY.fullmatch(parts.netloc):
        raise InputError(f"{parts.netloc!r} is no host with a port; send one such as shop.example:8443", field="url")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return WebAddress(
        scheme=parts.scheme,
        host=parse_host(parts.hostname or ""),
        port=_port(parts) or WEB_PORTS[parts.scheme],
        target=f"{path}?{query}" if query else path,
    )


def parse_host(host: str) -> str:
    """Return a host name in ASCII and lower case, or a numeric address in its usual spelling.

    Raises:
        InputError: Not a host name, or a number in a spelling that only some programs take for an address.
    """
    text = _to_ascii(host).lower().removesuffix(".")
    numeric = _numeric(text)
    if numeric:
        return numeric[0]
    if _NUMBER.fullmatch(text.rpartition(".")[2]):
        raise InputError(f"{host!r} is a number but no plain address; write it as four numbers with dots", field="url")
    if not _HOST.fullmatch(text):
        raise InputError(f"{host!r} is not a host name; send one such as shop.example", field="url")
    return text


def _is_in(address: IPv4Address | IPv6Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _split(url: str) -> SplitResult:
    if len(url) > MAX_URL_LENGTH:
        raise InputError(f"a web address may have {MAX_URL_LENGTH} characters; this one has {len(url)}", field="url")
    if _FORBIDDEN_IN_URL.search(url):
        raise InputError(f"{url!r} holds a space, a backslash or a control character; remove it", field="url")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise InputError(f"{url!r} is not a web address: {error}", field="url") from error


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError as error:
        raise InputError(f"{parts.netloc!r} has no valid port; a port is a number up to 65535", field="url") from error


def _to_ascii(host: str) -> str:
    if host.isascii():
        return host
    if _DEVIATIONS & set(host):
        raise InputError(f"{host!r} has two spellings in ASCII; send the one you mean, with xn--", field="url")
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InputError(f"{host!r} is not a host name: {error}", field="url") from error


def _numeric(host: str) -> tuple[str, ...]:
    try:
        return (str(ip_address(host)),)
    except ValueError:
        return ()


def _look_up(host: str, port: int, timeout_seconds: float) -> tuple[str, ...]:
    """Ask the name server on a thread of its own, since the C library knows no deadline."""
    answers: queue.SimpleQueue[tuple[str, ...] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put(tuple(dict.fromkeys(str(entry[4][0]) for entry in found)))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    threading.Thread(target=ask, name=f"look-up-{host}", daemon=True).start()
    try:
        answer = answers.get(timeout=max(timeout_seconds, 0))
    except queue.Empty:
        raise DeliveryError(f"the name server did not answer for {host} in time") from None
    if not isinstance(answer, tuple):
        raise DeliveryError(f"the name {host} is not known: {answer}") from answer
    return answer
