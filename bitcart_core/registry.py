"""The loaded plugins of one kernel: who is there, what they registered, and how they are asked.

A plain pluggy call stops at the first implementation that raises; here every plugin is called by itself, so that
one bad plugin silences no other.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import pluggy

from bitcart_core import hookspecs, notifications
from bitcart_core.coins import Coin
from bitcart_core.devchains import DevchainFactory
from bitcart_core.errors import ConfigError, in_one_line
from bitcart_core.hookspecs import PROJECT, Template
from bitcart_core.loader import FoundPlugin
from bitcart_core.notifiers import Notifier
from bitcart_core.plugin import Plugin, PluginContext
from bitcart_core.rates import RateSource
from bitcart_core.requisites import Requisite
from bitcart_core.ui import Mount

log = logging.getLogger(__name__)

ASK_SECONDS = 5.0
"""How long a plugin may think about a question."""


@dataclass(frozen=True, kw_only=True)
class LoadedPlugin:
    """A plugin that is built and listens.

    Attributes:
        hooks: Names of the hooks it implements.
    """

    name: str
    plugin: Plugin
    lane: str
    distribution: str
    hooks: frozenset[str]


@dataclass(kw_only=True)
class Registry:
    """What all plugins of a kernel bring, by name; filled once by `load`, then only read."""

    plugins: dict[str, LoadedPlugin] = field(default_factory=dict)
    coins: dict[str, Coin] = field(default_factory=dict)
    coin_plugins: dict[str, str] = field(default_factory=dict)
    rate_sources: list[RateSource] = field(default_factory=list)
    notifiers: dict[str, Notifier] = field(default_factory=dict)
    notifier_plugins: dict[str, str] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    mounts: dict[str, Mount] = field(default_factory=dict)
    devchains: dict[str, DevchainFactory] = field(default_factory=dict)
    requisites: dict[str, Requisite] = field(default_factory=dict)
    _callers: dict[tuple[str, str], pluggy.HookCaller] = field(default_factory=dict)

    def implements(self, plugin: str, hook: str) -> bool:
        """Tell whether a plugin answers a hook."""
        return hook in self.plugins[plugin].hooks

    def call(self, plugin: str, hook: str, **arguments: Any) -> Any:
        """Call one hook of one plugin.

        Returns:
            What the plugin returned, or None if it does not implement the hook.

        Raises:
            Exception: Whatever the plugin raised.
        """
        caller = self._callers.get((plugin, hook))
        answers = caller(**arguments) if caller else []
        return answers[0] if answers else None

    def ask(self, plugin: str, hook: str, **arguments: Any) -> Any:
        """Ask one plugin a question under a deadline; one that hangs is left behind in a thread of its own.

        Raises:
            TimeoutError: It has not answered in time.
            Exception: Whatever the plugin raised.
        """
        if hook not in self.plugins[plugin].hooks:
            return None
        answer: Future[Any] = Future()

        def run() -> None:
            try:
                answer.set_result(self.call(plugin, hook, **arguments))
            except Exception as error:  # noqa: BLE001 - it is raised again where the answer is awaited
                answer.set_exception(error)
            except BaseException as error:  # noqa: BLE001 - an exit would end the thread that awaits the answer
                answer.set_exception(RuntimeError(f"raised {in_one_line(error)}"))

        threading.Thread(target=run, name=f"asking-{plugin}", daemon=True).start()
        return answer.result(ASK_SECONDS)

    def ask_all(self, hook: str, **arguments: Any) -> list[tuple[str, Any]]:
        """Ask every plugin that implements a hook, in order; one that raises is named in the log and left out."""
        answers = []
        for name in self.plugins:
            if self.implements(name, hook):
                try:
                    answers.append((name, self.ask(name, hook, **arguments)))
                except Exception:
                    log.exception("plugin %s failed to answer %s", name, hook)
        return answers


def load(found: Sequence[FoundPlugin], context_for: Callable[[str], PluginContext]) -> Registry:
    """Build plugins and collect what they register.

    Args:
        found: Classes with validated settings, in the order in which they shall answer.
        context_for: Makes the context of a plugin by its name.

    Raises:
        ConfigError: A plugin cannot be built or registers what it may not; names it and the remedy.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    registry = Registry()
    for item in found:
        plugin = _build(item, context_for(item.name))
        _register(manager, item.name, plugin)
        hooks = frozenset(caller.name for caller in manager.get_hookcallers(plugin) or [])
        registry.plugins[item.name] = LoadedPlugin(
            name=item.name, plugin=plugin, lane=item.lane, distribution=item.distribution, hooks=hooks
        )
    everyone = [loaded.plugin for loaded in registry.plugins.values()]
    for name, loaded in registry.plugins.items():
        others = [plugin for plugin in everyone if plugin is not loaded.plugin]
        for hook in loaded.hooks:
            registry._callers[name, hook] = manager.subset_hook_caller(hook, others)  # noqa: SLF001 - its builder
    _collect(registry)
    return registry


def _build(item: FoundPlugin, context: PluginContext) -> Plugin:
    try:
        return item.kind(item.settings, context)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"plugin {item.name} failed to start ({in_one_line(error)}); mend or remove it") from error


def _register(manager: pluggy.PluginManager, name: str, plugin: Plugin) -> None:
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        problem = " ".join(str(error).split())
        raise ConfigError(f"plugin {name}: {problem}; the hooks are listed in bitcart_core/hookspecs.py") from None


def _collect(registry: Registry) -> None:
    registry.templates[notifications.BUILT_IN.name] = notifications.BUILT_IN
    for plugin, code, coin in _registered(registry, "register_coins", "code"):
        _add(registry.coins, code, coin, f"plugin {plugin}: coin {code!r}")
        registry.coin_plugins[code] = plugin
    for plugin, name, source in _registered(registry, "register_rate_sources", "name"):
        _refuse_twins(registry.rate_sources, source, f"plugin {plugin}: rate source {name!r}")
        registry.rate_sources.append(source)
    for plugin, name, notifier in _registered(registry, "register_notifiers", "name"):
        _add(registry.notifiers, name, notifier, f"plugin {plugin}: notifier {name!r}")
        registry.notifier_plugins[name] = plugin
    for plugin, name, template in _registered(registry, "register_templates", "name"):
        _add(registry.templates, name, template, f"plugin {plugin}: template {name!r}")
    for plugin, prefix, mount in _registered(registry, "register_routers", "prefix"):
        _add(registry.mounts, prefix, mount, f"plugin {plugin}: path {prefix!r}")
    for plugin, coin, chain in _registered(registry, "register_devchains", "coin"):
        _add(registry.devchains, coin, chain, f"plugin {plugin}: development chain {coin!r}")
    for _, name, requisite in _registered(registry, "register_requisites", "name"):
        registry.requisites.setdefault(name, requisite)  # two coins may share one library


def _registered(registry: Registry, hook: str, key: str) -> Iterable[tuple[str, str, Any]]:
    """Yield plugin, key and item of everything that plugins return from a hook."""
    for plugin in registry.plugins:
        try:
            items = [(getattr(item, key), item) for item in registry.call(plugin, hook) or []]
        except ConfigError:
            raise
        except Exception as error:
            raise ConfigError(f"plugin {plugin} failed in {hook} ({in_one_line(error)}); mend or remove it") from error
        for name, item in items:
            yield plugin, name, item


def _add(known: dict[str, Any], key: str, item: Any, what: str) -> None:
    if key in known:
        raise ConfigError(f"{what} is taken by another plugin already; remove one of the two from plugins.toml")
    known[key] = item


def _refuse_twins(known: Sequence[RateSource], source: RateSource, what: str) -> None:
    if any(source.name == other.name for other in known):
        raise ConfigError(f"{what} is taken by another plugin already; remove one of the two from plugins.toml")


def describe(registry: Registry) -> list[Mapping[str, Any]]:
    """Return what is loaded, for `bitcart plugins` and the API: name, distribution, lane, hooks."""
    return [
        {"name": p.name, "distribution": p.distribution, "lane": p.lane, "hooks": sorted(p.hooks)}
        for p in registry.plugins.values()
    ]
