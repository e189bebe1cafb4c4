"""From a committed event to a delivery, through Redis and RQ as in production."""

import time
from collections.abc import Callable

from bitcart_host_worker.dispatcher import Dispatcher
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from bitcart_core.kernel import set_current_kernel
from bitcart_core.testing.shop import Shop


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


def work(shop: Shop, lane: str) -> None:
    """Work off a lane in this process, as `bitcart worker --burst` does."""
    set_current_kernel(shop.kernel)
    queue = shop.kernel.queue(lane)
    SimpleWorker([queue], connection=shop.kernel.redis, serializer=JSONSerializer).work(burst=True)
    set_current_kernel(None)


def test_a_committed_event_wakes_the_dispatcher_and_reaches_its_target(shop: Shop):
    with Dispatcher(shop.kernel):
        case = shop.sell("50")
        shop.pay(case, "0.001")
        assert until(lambda: work(shop, "inline") or len(shop.told()) == len(shop.kinds(case)))

    assert shop.told() == shop.kinds(case)


def test_what_is_queued_is_json_and_holds_ids_only(shop: Shop):
    with Dispatcher(shop.kernel):
        shop.sell("50")
        assert until(lambda: len(shop.kernel.queue("inline")) > 0)
    (job,) = shop.kernel.queue("inline").jobs

    assert job.func_name == "bitcart_core.jobs.deliver"
    ((delivery_id, attempt),) = job.args[0]
    assert (len(delivery_id), attempt) == (26, 1)
    assert b"pickle" not in job.data
    assert job.data.lstrip()[:1] == b"["


def test_a_dispatcher_survives_losing_its_database_connection(shop: Shop):
    with Dispatcher(shop.kernel):
        first = shop.sell("50")
        assert until(lambda: len(shop.kernel.queue("inline")) == 1)
        with shop.kernel.engine.connect() as connection:
            connection.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%%'"
            )
        second = shop.sell("50")
        assert until(lambda: len(shop.kernel.queue("inline")) == 2)

    assert first.invoice.id != second.invoice.id
