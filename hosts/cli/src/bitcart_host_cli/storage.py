"""The database and Redis of a deployment: by URL, or our own, which live as long as their block."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis
from bitcart_core.embedded.account import make_folder
from bitcart_core.settings import Settings


def make_data_dir(settings: Settings) -> None:
    """Make BITCART_DATA if it is missing; as root others may pass through it, since the database runs as another."""
    make_folder(settings.data_dir, mode=0o711)


@dataclass(frozen=True, kw_only=True)
class Storage:
    """Where a deployment keeps everything.

    Attributes:
        settings: With both URLs set.
        servers: Those of our own.
    """

    settings: Settings
    servers: tuple[EmbeddedPostgres | EmbeddedRedis, ...]

    def revive(self) -> list[str]:
        """Start servers of our own that have ended by themselves; return their folders' names."""
        fallen = [server for server in self.servers if not server.is_running]
        for server in fallen:
            server.start()
        return [server.folder.name for server in fallen]


@contextmanager
def storage(settings: Settings) -> Iterator[Storage]:
    """Yield a database and a Redis, starting what has no URL.

    Raises:
        ConfigError: What is missing cannot be started; says the remedy.
    """
    make_data_dir(settings)
    with ExitStack() as stack:
        urls: dict[str, str] = {}
        servers: list[EmbeddedPostgres | EmbeddedRedis] = []
        if not settings.database_url:
            postgres = stack.enter_context(EmbeddedPostgres(settings.data_dir / "postgres"))
            urls["database_url"] = postgres.url
            servers.append(postgres)
        if not settings.redis_url:
            redis = stack.enter_context(EmbeddedRedis(settings.data_dir / "redis"))
            urls["redis_url"] = redis.url
            servers.append(redis)
        yield Storage(settings=settings.model_copy(update=urls), servers=tuple(servers))
