"""From plugins.toml to plugins. The file is an allow-list: named there and installed, or the boot stops.

The order of the tables is the order in which plugins answer. Nothing is loaded that is not named.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bitcart_core.errors import ConfigError, in_one_line
from bitcart_core.plugin import API_VERSION, Plugin, PluginSettings

ENTRY_POINT_GROUP = "bitcart"
LANES = ("inline", "isolated")


@dataclass(frozen=True, kw_only=True)
class PluginTable:
    """One table of plugins.toml, with its secrets read.

    Attributes:
        lane: Where the operator wants announcements to run, or None for the plugin's own choice.
    """

    name: str
    lane: str | None
    settings: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FoundPlugin:
    """A plugin class with its validated settings, ready to be built."""

    name: str
    kind: type[Plugin]
    settings: PluginSettings
    lane: str
    distribution: str


def read_file(path: Path) -> list[PluginTable]:
    """Read plugins.toml.

    Raises:
        ConfigError: No file, not TOML, or a table that is not right; names the table and the remedy.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; write it, or name another with BITCART_PLUGINS") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not valid TOML: {error}") from None
    return [_read_table(path, name, table) for name, table in content.items()]


def find(tables: Iterable[PluginTable]) -> list[FoundPlugin]:
    """Find the installed class of each table and validate its settings.

    Raises:
        ConfigError: Not installed, installed twice, does not import, written for another API, or wrong settings.
    """
    installed = entry_points(group=ENTRY_POINT_GROUP)
    return [_find_one(table, installed) for table in tables]


def _read_table(path: Path, name: str, table: object) -> PluginTable:
    if not isinstance(table, dict):
        raise ConfigError(f"{path}: {name!r} stands outside any table; every setting belongs to a plugin's [table]")
    settings = dict(table)
    lane = settings.pop("lane", None)
    if lane is not None and lane not in LANES:
        raise ConfigError(f'{path}: [{name}] lane = {lane!r} is unknown; write lane = "inline" or lane = "isolated"')
    where = f"{path}: [{name}]"  # the table itself is never a secret, even if `file` is all that stands in it
    resolved = {key: _resolve_secrets(value, f"{where} {key}") for key, value in settings.items()}
    return PluginTable(name=name, lane=lane, settings=resolved)


def _resolve_secrets(value: Any, where: str) -> Any:
    """Replace `{env = "NAME"}` and `{file = "path"}` by what they stand for, at any depth."""
    if isinstance(value, list):
        return [_resolve_secrets(item, where) for item in value]
    if not isinstance(value, dict):
        return value
    for source in ("env", "file"):
        if value.keys() == {source} and not isinstance(value[source], str):
            raise ConfigError(f'{where} {source} = {value[source]!r} names no secret; write {{{source} = "..."}}')
    if value.keys() == {"env"}:
        if (secret := os.environ.get(value["env"])) is None:
            raise ConfigError(f"{where} takes a secret from the environment variable {value['env']}, which is not set")
        return secret
    if value.keys() == {"file"}:
        try:
            return Path(value["file"]).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise ConfigError(f"{where} takes a secret from {value['file']}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(f"{where} takes a secret from {value['file']}, which is not text in UTF-8") from None
    return {key: _resolve_secrets(item, f"{where} {key}") for key, item in value.items()}


def _find_one(table: PluginTable, installed: Iterable[EntryPoint]) -> FoundPlugin:
    point = _entry_point(table.name, list(installed))
    kind = _import(table.name, point)
    return FoundPlugin(
        name=table.name,
        kind=kind,
        settings=_validate(table, kind),
        lane=table.lane or kind.lane,
        distribution=f"{point.dist.name} {point.dist.version}" if point.dist else "unknown",
    )


def _entry_point(name: str, installed: list[EntryPoint]) -> EntryPoint:
    matches = [point for point in installed if point.name == name]
    if len(matches) > 1:
        sources = " and ".join(sorted(point.dist.name if point.dist else point.value for point in matches))
        raise ConfigError(f"plugins.toml: [{name}] is offered by {sources}; uninstall one of them")
    if not matches:
        raise ConfigError(
            f"plugins.toml: [{name}] is not installed; install the distribution that offers it, or remove the table"
            + _did_you_mean(name, [point.name for point in installed])
        )
    return matches[0]


def _import(name: str, point: EntryPoint) -> type[Plugin]:
    try:
        kind = point.load()
    except Exception as error:
        raise ConfigError(
            f"plugins.toml: [{name}] does not import ({in_one_line(error)}); mend or remove it"
        ) from error
    if not (isinstance(kind, type) and issubclass(kind, Plugin)):
        raise ConfigError(f"plugins.toml: [{name}] is {point.value}, which is not a subclass of bitcart_core.Plugin")
    if kind.api != API_VERSION:
        raise ConfigError(
            f"plugins.toml: [{name}] was written for plugin API {kind.api}, this is {API_VERSION}; "
            "install a version of it that fits"
        )
    if kind.lane not in LANES:
        raise ConfigError(f"plugins.toml: [{name}] asks for the lane {kind.lane!r}; there are {' and '.join(LANES)}")
    return kind


def _validate(table: PluginTable, kind: type[Plugin]) -> PluginSettings:
    try:
        return kind.Settings.model_validate(dict(table.settings))
    except ValidationError as error:
        known = list(kind.Settings.model_fields)
        raise ConfigError("; ".join(_sentence(table.name, problem, known) for problem in error.errors())) from None


def _sentence(name: str, problem: Any, known: list[str]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        hint = _did_you_mean(where, known) or f"; it knows {', '.join(known) or 'no settings'}"
        return f"plugins.toml: [{name}] has no setting {where!r}{hint}"
    if problem["type"] == "missing":
        return f"plugins.toml: [{name}] needs the setting {where!r}; add it to the table"
    return f"plugins.toml: [{name}] {where}: {problem['msg']}"


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
