"""The database and Redis of a deployment: by URL, or our own, which live as long as their block."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis
from bitcart_core.embedded.account import make_folder
from bitcart_core.settings import Settings


def make_data_dir(settings: Settings) -> None:
    """Make BITCART_DATA if it is missing; as root others may pass through it, since the database runs as another."""
    make_folder(settings.data_dir, mode=0o711)


@contextmanager
def storage(settings: Settings) -> Iterator[Settings]:
    """Yield settings in which both URLs are set, starting what has none.

    Raises:
        ConfigError: What is missing cannot be started; says the remedy.
    """
    make_data_dir(settings)
    with ExitStack() as stack:
        database_url, redis_url = settings.database_url, settings.redis_url
        if not database_url:
            database_url = stack.enter_context(EmbeddedPostgres(settings.data_dir / "postgres")).url
        if not redis_url:
            redis_url = stack.enter_context(EmbeddedRedis(settings.data_dir / "redis")).url
        yield settings.model_copy(update={"database_url": database_url, "redis_url": redis_url})
