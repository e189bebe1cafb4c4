"""The one object that is passed around: settings, plugins, database, Redis, queues."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Engine
from sqlmodel import Session

from bitcart_core import db, loader, registry, templates
from bitcart_core.cases import Push
from bitcart_core.embedded.account import make_folder
from bitcart_core.errors import ConfigError
from bitcart_core.quotes import RateBook
from bitcart_core.settings import Settings

if TYPE_CHECKING:
    from bitcart_core.registry import Registry

QUEUES = ("record", "inline", "isolated", "sweep")
"""The queues; each is listened to by worker processes of its own."""


PUSH_CHANNEL = "bitcart:invoice:"
"""Redis channel of an invoice, followed by its id."""


class Kernel:
    """A deployment's plugins with their database and queues. Two kernels can live in one process.

    Args:
        settings: Of the process.
        plugins: The plugins to load, in order; by default those of `plugins.toml`.

    Raises:
        ConfigError: A plugin cannot be loaded; says which and the remedy.
    """

    def __init__(self, settings: Settings, *, plugins: "list[loader.FoundPlugin] | None" = None) -> None:
        self.settings = settings
        if plugins is None:
            plugins = loader.find(loader.read_file(settings.find_plugins_file()))
        self.registry: Registry = registry.load(plugins, self._context)
        self.rates = RateBook(self.registry.rate_sources)
        self.name = f"{socket.gethostname()}:{threading.get_native_id()}"

    @cached_property
    def engine(self) -> Engine:
        """The database; connects on first use."""
        return db.create_engine(self.settings.database_url)

    @cached_property
    def redis(self) -> "redis.Redis":
        """Redis; connects on first use."""
        if not self.settings.redis_url:
            raise ConfigError("no Redis: set REDIS_URL=redis://host:6379/0, or run `bitcart up`, which brings one")
        return redis.Redis.from_url(self.settings.redis_url, health_check_interval=30)

    def queue(self, name: str) -> Queue:
        """Return an RQ queue; jobs are JSON, never pickle, since whoever can write to Redis could run code."""
        return Queue(name, connection=self.redis, serializer=JSONSerializer)

    def enqueue(self, queue: str, job: str, *arguments: Any, timeout_seconds: int = 120) -> bool:
        """Say that rows are due. Best effort: if Redis is gone the sweep says it again later.

        Args:
            queue: One of `QUEUES`.
            job: Name of a function of `bitcart_core.jobs`.
            arguments: Plain JSON values: ids and numbers.
            timeout_seconds: After which RQ ends the job.

        Returns:
            Whether it was said.
        """
        try:
            self.queue(queue).enqueue_call(
                f"bitcart_core.jobs.{job}", args=arguments, timeout=timeout_seconds, result_ttl=0, failure_ttl=86400
            )
        except redis.RedisError as error:
            log.warning("could not enqueue %s: %s; the sweep will", job, error)
            return False
        return True

    def push(self, pushes: Sequence[Push]) -> None:
        """Tell open pages what changed, after the commit. Best effort: a page reads again when it connects."""
        try:
            for push in pushes:
                self.redis.publish(f"{PUSH_CHANNEL}{push.invoice_id}", json.dumps(push.message))
        except redis.RedisError as error:
            log.warning("could not push to open pages: %s", error)

    def close(self) -> None:
        """Give back connections."""
        if "engine" in self.__dict__:
            self.engine.dispose()
        if "redis" in self.__dict__:
            self.redis.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _context(self, plugin: str) -> "Context":
        return Context(
            plugin=plugin,
            parent=self.settings.data_dir / "plugins",
            public_url=self.settings.url,
            kernel=lambda: self,
        )


@dataclass(frozen=True, kw_only=True)
class Context:
    """What a plugin is lent (`plugin.PluginContext`)."""

    plugin: str
    parent: Path
    public_url: str
    kernel: Callable[[], Kernel]

    @cached_property
    def data_dir(self) -> Path:
        """The plugin's own folder, made on first use."""
        return make_folder(self.parent / self.plugin, mode=0o700)

    @cached_property
    def log(self) -> logging.Logger:
        """A logger named after the plugin."""
        return logging.getLogger(f"bitcart.plugin.{self.plugin}")

    def render(self, template: str, variables: dict[str, Any], *, store_id: str | None = None) -> str:
        """Render a template by name (`plugin.PluginContext.render`)."""
        return templates.render_named(self.kernel(), template, variables, store_id=store_id)

    def session(self) -> Session:
        """Open a database session."""
        return Session(self.kernel().engine, expire_on_commit=False)


log = logging.getLogger(__name__)

_current: Kernel | None = None


def set_current_kernel(kernel: Kernel | None) -> None:
    """Say which kernel the jobs of this process work on; called by a host, once."""
    global _current  # noqa: PLW0603 - RQ calls plain functions, so they must find the kernel somewhere
    _current = kernel


def current_kernel() -> Kernel:
    """Return the kernel of this process; read by `jobs` only.

    Raises:
        ConfigError: No host has set one.
    """
    if _current is None:
        raise ConfigError("jobs run inside `bitcart worker`; this process has no kernel")
    return _current
