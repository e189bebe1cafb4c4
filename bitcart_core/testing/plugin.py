"""pytest fixtures: a real PostgreSQL, empty for each test, a real Redis, a kernel, a shop."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis
from sqlalchemy import Engine
from sqlmodel import SQLModel

from bitcart_core import db, migrations
from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis
from bitcart_core.kernel import Kernel
from bitcart_core.loader import FoundPlugin
from bitcart_core.settings import Settings
from bitcart_core.testing.coins import FakeCoinClient, fake_coin
from bitcart_core.testing.plugins import FakeRates, Recording, found, supplying
from bitcart_core.testing.shop import Shop


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the service user can enter when the tests run as root."""
    with tempfile.TemporaryDirectory(prefix="bitcart-test-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated PostgreSQL for the whole session. Not durable: tests of faults run their own."""
    careless = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    with EmbeddedPostgres(server_folder / "postgres", options=careless) as server:
        engine = db.create_engine(server.url)
        migrations.upgrade(engine)
        engine.dispose()
        yield server


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> str:
    """The URL of an empty, migrated database.

    It is the same one for every test of a session, emptied in between: making a new one takes half a second.
    """
    emptying = sql.SQL("; ").join(
        sql.SQL("delete from {}").format(sql.Identifier(name)) for name in SQLModel.metadata.tables
    )
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")  # no foreign key asks for an order
        connection.execute(emptying)
    return postgres.url


@pytest.fixture(scope="session")
def engine(postgres: EmbeddedPostgres) -> Iterator[Engine]:
    """The engine that all kernels of a session share: compiling each statement anew for each test takes long."""
    engine = db.create_engine(postgres.url)
    yield engine
    engine.dispose()


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
def kernel_with(settings: Settings, engine: Engine) -> Iterator[Callable[..., Kernel]]:
    """Make a kernel of other plugins on the same database: `kernel_with(found("mine", Mine))`."""
    with ExitStack() as open_kernels:

        def make(*plugins: FoundPlugin) -> Kernel:
            kernel = open_kernels.enter_context(Kernel(settings, plugins=list(plugins)))
            kernel.engine = engine
            return kernel

        yield make


@pytest.fixture
def kernel(kernel_with: Callable[..., Kernel], coin: FakeCoinClient) -> Kernel:
    """A kernel with a fake coin at 50,000 USD and a plugin that remembers what it is told."""
    supplies = supplying(
        coins=[fake_coin(client=coin)], rates=[FakeRates({"BTC_USD": "50000", "BTC_EUR": "40000", "LTC_USD": "100"})]
    )
    return kernel_with(found("supplies", supplies), found("recording", Recording))


@pytest.fixture
def shop(kernel: Kernel, coin: FakeCoinClient) -> Shop:
    """A store with one wallet, and verbs to work it."""
    return Shop.open(kernel, coin)
