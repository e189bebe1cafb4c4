"""pytest fixtures: a real PostgreSQL with a fresh database for each test, a real Redis, a kernel, a shop."""

import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis

from bitcart_core import db
from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings
from bitcart_core.testing.coins import FakeCoinClient, fake_coin
from bitcart_core.testing.plugins import FakeRates, Recording, found, supplying
from bitcart_core.testing.shop import Shop

_TEMPLATE = "bitcart_template"
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the service user can enter when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="bitcart-test-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A PostgreSQL for the whole session, with a migrated template. Not durable: faults have their own server."""
    with EmbeddedPostgres(server_folder / "postgres", options={"fsync": "off"}) as server:
        with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {_TEMPLATE}")
        engine = db.create_engine(server.url_of(_TEMPLATE))
        db.upgrade(engine)
        engine.dispose()
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    template, database = sql.Identifier(_TEMPLATE), sql.Identifier(name)
    with psycopg.connect(postgres.url_of("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} template {}").format(database, template))
        yield postgres.url_of(name)
        connection.execute(sql.SQL("drop database {} with (force)").format(database))


@pytest.fixture(scope="session")
def redis_server(server_folder: Path) -> Iterator[EmbeddedRedis]:
    """A Redis for the whole session."""
    with EmbeddedRedis(server_folder / "redis") as server:
        yield server


@pytest.fixture
def redis_url(redis_server: EmbeddedRedis) -> str:
    """The URL of an empty Redis."""
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a deployment of its own."""
    return Settings(data_dir=tmp_path, database_url=database_url, redis_url=redis_url)


@pytest.fixture
def coin() -> FakeCoinClient:
    """The fake daemon of the kernel's coin `btc`."""
    return FakeCoinClient()


@pytest.fixture
def kernel(settings: Settings, coin: FakeCoinClient) -> Iterator[Kernel]:
    """A kernel with a fake coin at 50,000 USD and a plugin that remembers what it is told."""
    supplies = supplying(
        coins=[fake_coin(client=coin)], rates=[FakeRates({"BTC_USD": "50000", "BTC_EUR": "40000", "LTC_USD": "100"})]
    )
    with Kernel(settings, plugins=[found("supplies", supplies), found("recording", Recording)]) as kernel:
        yield kernel


@pytest.fixture
def shop(kernel: Kernel, coin: FakeCoinClient) -> Shop:
    """A store with one wallet, and verbs to work it."""
    return Shop.open(kernel, coin)
