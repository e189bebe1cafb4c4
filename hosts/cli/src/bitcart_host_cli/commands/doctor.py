"""`bitcart doctor`: what is wrong here, and the remedy."""

from collections.abc import Callable, Iterator

import redis
import typer
from sqlalchemy.exc import SQLAlchemyError

from bitcart_core import migrations
from bitcart_core.embedded.redis import find_server
from bitcart_core.errors import BitcartError, CoinError
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings

_Check = Callable[[Kernel], Iterator[str]]


def doctor() -> None:
    """Look for what keeps this deployment from working; exit 1 if anything does. Changes nothing."""
    settings = Settings()
    typer.echo(f"data in {settings.data_dir}, plugins from {settings.find_plugins_file()}")
    problems = 0
    with Kernel(settings) as kernel:
        for name, check in _CHECKS.items():
            found = list(check(kernel))
            typer.echo(f"{'wrong' if found else 'good '}  {name}")
            for problem in found:
                typer.echo(f"       {problem}")
            problems += len(found)
    if problems:
        raise typer.Exit(1)


def _requisites(kernel: Kernel) -> Iterator[str]:
    for requisite in kernel.registry.requisites.values():
        if problem := requisite.problem(kernel.settings.data_dir):
            yield f"{requisite.name}: {problem}"


def _database(kernel: Kernel) -> Iterator[str]:
    if not kernel.settings.database_url:
        return  # `bitcart up` brings its own
    try:
        if not migrations.is_current(kernel.engine):
            yield "the schema is not current; run `bitcart migrate`"
    except (BitcartError, SQLAlchemyError) as error:
        yield f"DATABASE_URL: {str(error).splitlines()[0]}; check that PostgreSQL runs and the URL is right"


def _redis(kernel: Kernel) -> Iterator[str]:
    try:
        if kernel.settings.redis_url:
            kernel.redis.ping()
        else:
            find_server()
    except (BitcartError, redis.RedisError) as error:
        yield f"{error}"


def _coins(kernel: Kernel) -> Iterator[str]:
    for code, coin in kernel.registry.coins.items():
        try:
            state = coin.client.state()
        except CoinError as error:
            yield f"{code}/{coin.network}: {error}; start `bitcart up`, or the daemon by itself"
            continue
        if not state.is_synchronized:
            yield f"{code}/{coin.network}: at block {state.height}, still synchronising; payments are seen later"


def _plugins(kernel: Kernel) -> Iterator[str]:
    for name, problems in kernel.registry.ask_all("check_health"):
        for problem in problems or []:
            yield f"{name}: {problem.subject}: {problem.message}"


_CHECKS: dict[str, _Check] = {
    "requisites": _requisites,
    "database": _database,
    "redis": _redis,
    "coins": _coins,
    "plugins": _plugins,
}
