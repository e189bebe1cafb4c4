"""Read the options of an Electrum daemon (daemon contract, section 1) and turn them into Electrum's settings."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from bitcart_coin_electrum.profile import NetworkProfile
from bitcart_core import ConfigError, DaemonSettings

SYNC_SECONDS = 20.0
"""How long a call waits for a wallet that is used for the first time."""

_SERVER = re.compile(r"^(\[[0-9A-Fa-f:]+\]|[^:\s]+):\d{1,5}:[st]$")


def is_on(settings: DaemonSettings, name: str, *, default: bool = False) -> bool:
    """Return an option that is a yes or a no.

    Raises:
        ConfigError: It is neither.
    """
    text = settings.options.get(name, "").strip().lower()
    if text in ("1", "true", "yes", "on"):
        return True
    if text in ("0", "false", "no", "off"):
        return False
    if text:
        raise ConfigError(f"option {name.upper()} is {text!r}; set it to true or false")
    return default


def refuse_lightning(settings: DaemonSettings) -> None:
    """Make sure that nobody relies on what this daemon does not do yet.

    Raises:
        ConfigError: Lightning was asked for.
    """
    if is_on(settings, "lightning"):
        raise ConfigError("option LIGHTNING is on, and this daemon takes payments on the chain only; set it to false")


def sync_seconds(settings: DaemonSettings) -> float:
    """Return how long a call may wait for a wallet to come into step; 0 never waits.

    Raises:
        ConfigError: It is no number of seconds.
    """
    if is_on(settings, "experimental_nosync"):
        return 0
    text = settings.options.get("sync_timeout_seconds", "") or str(SYNC_SECONDS)
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise ConfigError(f"option SYNC_TIMEOUT_SECONDS is {text!r}; set it to seconds between 0 and 3600")
    return seconds


def for_electrum(settings: DaemonSettings, network: NetworkProfile) -> dict[str, object]:
    """Return Electrum's settings that nobody changes while it runs.

    Raises:
        ConfigError: The server or the proxy is not written as it must be.
    """
    chosen: dict[str, object] = {
        "oneserver": is_on(settings, "oneserver", default=not network.has_real_servers),
        "use_gossip": False,
    }
    if settings.server:
        if not _SERVER.match(settings.server):
            raise ConfigError(f"server {settings.server!r} is not HOST:PORT:t (plain) or HOST:PORT:s (TLS)")
        chosen["server"] = settings.server
    proxy = settings.options.get("proxy_url", "")
    if proxy:
        chosen["proxy"] = _proxy(proxy)
    return chosen


def changeable(settings: DaemonSettings) -> Mapping[str, object]:
    """Return Electrum's settings that callers may change by `setconfig`.

    An operator who names a server trusts that one; Electrum must not leave it for another.
    """
    return {"auto_connect": not settings.server}


def _proxy(url: str) -> str:
    """Turn a proxy's URL into Electrum's notation, MODE:HOST:PORT:USER:PASSWORD."""
    parts = urlsplit(url)
    if parts.scheme not in ("socks4", "socks5") or not parts.hostname or not parts.port:
        raise ConfigError(
            "option PROXY_URL is not a proxy; write socks5://HOST:PORT or socks5://USER:PASSWORD@HOST:PORT"
        )
    login = f":{parts.username}:{parts.password or ''}" if parts.username else ""
    return f"{parts.scheme}:{parts.hostname}:{parts.port}{login}"
