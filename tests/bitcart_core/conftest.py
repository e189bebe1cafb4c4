"""What the kernel's own tests share."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import hypothesis
import pytest
from sqlalchemy import text

from bitcart_core.kernel import Kernel
from bitcart_core.plugin import Plugin
from bitcart_core.testing.coins import FakeCoinClient, fake_coin
from bitcart_core.testing.plugins import FakeRates, Recording, found, supplying
from bitcart_core.testing.shop import Shop

# A busy machine is no failure, and a failure must come back when the test is run again.
hypothesis.settings.register_profile("kernel", deadline=None, derandomize=True)
hypothesis.settings.load_profile("kernel")


@pytest.fixture
def litecoin() -> FakeCoinClient:
    """The fake daemon of the bazaar's second coin."""
    return FakeCoinClient()


@pytest.fixture
def shop_with(kernel_with: Callable[..., Kernel], coin: FakeCoinClient) -> Callable[..., Shop]:
    """Open a shop on a kernel of one coin and these plugins: `shop_with(mine=Mine)`."""

    def open_shop(**plugins: type[Plugin]) -> Shop:
        supplies = supplying(coins=[fake_coin(client=coin)], rates=[FakeRates({"BTC_USD": "50000"})])
        kinds = [found(name, kind) for name, kind in plugins.items()]
        return Shop.open(kernel_with(found("supplies", supplies), *kinds), coin)

    return open_shop


@pytest.fixture
def bazaar(kernel_with: Callable[..., Kernel], coin: FakeCoinClient, litecoin: FakeCoinClient) -> Shop:
    """A shop that takes two coins: 50 USD are 0.001 BTC or 0.5 LTC."""
    supplies = supplying(
        coins=[fake_coin(client=coin), fake_coin("ltc", client=litecoin)],
        rates=[FakeRates({"BTC_USD": "50000", "LTC_USD": "100"})],
    )
    return Shop.open(kernel_with(found("supplies", supplies), found("recording", Recording)), coin)


def all_at_once(*works: Callable[[], object]) -> list[object]:
    """Run works in threads of their own, begun at the same moment; raise what any of them raised."""
    barrier = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        barrier.wait(timeout=30)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        return [task.result(timeout=60) for task in [pool.submit(begin, work) for work in works]]


@pytest.fixture
def at_once() -> Callable[..., list[object]]:
    """Run works in threads of their own, all begun at the same moment; whatever one raises is raised."""
    return all_at_once


@pytest.fixture
def no_deadlocks(kernel: Kernel) -> Iterator[None]:
    """See to it that PostgreSQL had to break no ring of waiting transactions."""
    before = _deadlocks(kernel)
    yield
    assert _deadlocks(kernel) == before


def _deadlocks(kernel: Kernel) -> int:
    with kernel.engine.connect() as connection:
        counted = text("select deadlocks from pg_stat_database where datname = current_database()")
        return int(connection.execute(counted).scalar_one())
