"""Read a daemon's settings: options of the command line over environment variables over defaults.

The variables are those of the daemon contract, section 1: the coin's code in capitals, then the name: `BTC_PORT`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bitcart_core.daemons import DaemonFactory, DaemonSettings
from bitcart_core.errors import ConfigError
from bitcart_core.settings import Settings
from bitcart_host_daemon.running import Launch


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line said; None where it said nothing. The names are those of the variables, lower case."""

    network: str | None = None
    host: str | None = None
    port: int | None = None
    server: str | None = None
    data_path: Path | None = None
    login: str | None = None
    password: str | None = None
    polling_cap: int | None = None
    replay_days: float | None = None
    late_days: float | None = None
    extra: Mapping[str, str] | None = None


def make_launch(
    name: str, factory: DaemonFactory, options: Options, environment: Mapping[str, str] = os.environ
) -> Launch:
    """Decide how a daemon is started.

    Args:
        name: Of the coin's plugin; its data folder is called after it.
        factory: The coin.
        options: From the command line.
        environment: Where `IN_DOCKER` and the coin's variables are.

    Raises:
        ConfigError: A variable has a value that is none; names the variable.
    """
    variables = _Variables(factory.code.upper(), environment, options)
    bitcart_data = Settings().data_dir
    network = variables.text("network", "mainnet")
    folder = variables.text("data_path", "")
    settings = DaemonSettings(
        network=network,
        data_dir=Path(folder).expanduser() if folder else bitcart_data / "plugins" / name.replace(":", ".") / network,
        bitcart_data=bitcart_data,
        server=variables.text("server", ""),
        options=variables.others(),
    )
    return Launch(
        factory=factory,
        settings=settings,
        host=variables.text("host", "0.0.0.0" if environment.get("IN_DOCKER") else "127.0.0.1"),  # noqa: S104 - contract, section 1
        port=variables.whole("port", factory.default_port, most=65535),
        login=variables.text("login", "") or None,
        password=variables.text("password", "") or None,
        polling_cap=variables.whole("polling_cap", Launch.polling_cap),
        replay_days=variables.whole("replay_days", int(Launch.replay_days)),
        late_days=variables.whole("late_days", int(Launch.late_days)),
    )


class _Variables:
    """Looks a setting up by name, first among the options, then in the environment."""

    def __init__(self, prefix: str, environment: Mapping[str, str], options: Options) -> None:
        self._prefix = f"{prefix}_"
        self._environment = environment
        self._options = options
        self._used: set[str] = set()

    def text(self, name: str, default: str) -> str:
        return self._find(name)[0] or default

    def whole(self, name: str, default: int, *, most: int = 10**9) -> int:
        value, where = self._find(name)
        if value is None:
            return default
        if not value.isascii() or not value.isdigit() or int(value) > most:
            raise ConfigError(f"{where} is {value!r}; give a whole number from 0 to {most}")
        return int(value)

    def others(self) -> dict[str, str]:
        """Return what else was set for this coin, by lower-case name; what the host reads itself is not among it."""
        named = {field.lower() for field in Options.__dataclass_fields__}
        found = {
            key.removeprefix(self._prefix).lower(): value
            for key, value in self._environment.items()
            if key.startswith(self._prefix)
        }
        return {name: value for name, value in (found | dict(self._options.extra or {})).items() if name not in named}

    def _find(self, name: str) -> tuple[str | None, str]:
        chosen = getattr(self._options, name)
        if chosen is not None:
            return str(chosen), f"--{name.replace('_', '-')}"
        variable = f"{self._prefix}{name.upper()}"
        return self._environment.get(variable), variable
