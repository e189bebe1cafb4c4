"""Finds the development chains that plugins bring; names no coin itself. Needs no database and no Redis."""

import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NoReturn

from bitcart_core import loader
from bitcart_core.devchains import DevchainFactory
from bitcart_core.errors import ConfigError
from bitcart_core.settings import Settings


def factories(settings: Settings) -> dict[str, DevchainFactory]:
    """Return the development chains of this deployment's plugins, by coin.

    They are the plugins of `plugins.toml`; where there is no such file yet, all that are installed and load with
    default settings, so that a developer can begin with an empty folder.

    Raises:
        ConfigError: A plugin that `plugins.toml` names cannot be loaded.
    """
    file = settings.find_plugins_file()
    chains: dict[str, DevchainFactory] = {}
    for found in loader.find(loader.read_file(file)) if file.exists() else _installed():
        for factory in _register(found, settings):
            if chains.setdefault(factory.coin, factory) is not factory:
                raise ConfigError(
                    f"plugin {found.name}: the development chain of {factory.coin} is another plugin's too"
                )
    return chains


def choose(settings: Settings, coin: str | None) -> DevchainFactory:
    """Return the chain of a coin, or the only one there is.

    Raises:
        ConfigError: There is none, or the choice is not clear.
    """
    known = factories(settings)
    names = ", ".join(sorted(known))
    if not known:
        raise ConfigError("no plugin brings a development chain; name one that does in plugins.toml, such as a coin's")
    if coin is None and len(known) > 1:
        raise ConfigError(f"there are development chains of {names}; name one, as in `bitcart devchain {min(known)}`")
    if coin is not None and coin not in known:
        raise ConfigError(f"there is no development chain of {coin!r}; there is one of {names}")
    return known[coin or min(known)]


def _register(found: loader.FoundPlugin, settings: Settings) -> Iterable[DevchainFactory]:
    """Build a plugin if it brings development chains. The kernel's registry would build all, with their database."""
    if not hasattr(found.kind, "register_devchains"):
        return ()
    plugin = found.kind(found.settings, _Context(settings.data_dir / "plugins" / found.name, settings.url))
    chains: Iterable[DevchainFactory] = getattr(plugin, "register_devchains")()  # noqa: B009 - a hook is no method of Plugin
    return chains


def _installed() -> Sequence[loader.FoundPlugin]:
    found: list[loader.FoundPlugin] = []
    for point in entry_points(group=loader.ENTRY_POINT_GROUP):
        with suppress(ConfigError):
            found += loader.find([loader.PluginTable(name=point.name, lane=None, settings={})])
    return found


@dataclass(frozen=True)
class _Context:
    """What a plugin is lent while it registers (`PluginContext`), which is no time to render or to store."""

    data_dir: Path
    public_url: str

    @property
    def log(self) -> logging.Logger:
        return logging.getLogger(f"bitcart.plugin.{self.data_dir.name}")

    def render(self, template: str, variables: dict[str, Any], *, store_id: str | None = None) -> NoReturn:  # noqa: ARG002 - the protocol's
        raise ConfigError(f"plugin {self.data_dir.name} renders {template!r} while it registers; do so when asked")

    def session(self) -> NoReturn:
        raise ConfigError(f"plugin {self.data_dir.name} opens the database while it registers; do so when asked")
