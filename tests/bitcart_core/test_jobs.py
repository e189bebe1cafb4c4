"""Jobs: their names and arguments are a wire format, and each of them may run twice."""

import inspect

import pytest
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import update
from sqlmodel import func

from bitcart_core import detection, jobs, kernel
from bitcart_core.db import transaction
from bitcart_core.errors import ConfigError
from bitcart_core.kernel import current_kernel, set_current_kernel
from bitcart_core.models import Delivery, IncomingEvent
from bitcart_core.testing.shop import Shop

WIRE_FORMAT = {
    "deliver": "(claims: list[list[str | int]]) -> None",
    "reconcile": "(coin: str, network: str) -> None",
    "record_due": "(coin: str, network: str) -> None",
    "sweep_expired": "() -> None",
    "sweep_incoming": "() -> None",
    "sweep_methods": "() -> None",
    "sweep_outbox": "() -> None",
    "sweep_reconcile": "() -> None",
}
"""Jobs queued by the version before must still be found, so nothing here is ever renamed or taken away."""


@pytest.fixture
def here(shop: Shop):
    """Let the jobs of this process work for the shop."""
    set_current_kernel(shop.kernel)
    yield shop
    set_current_kernel(None)


def work(shop: Shop, *queues: str) -> None:
    """Work off queues in this process."""
    SimpleWorker(
        [shop.kernel.queue(name) for name in queues], connection=shop.kernel.redis, serializer=JSONSerializer
    ).work(burst=True, logging_level="WARNING")


def test_names_and_arguments_stay_as_they_are():
    functions = inspect.getmembers(jobs, lambda thing: inspect.isfunction(thing) and thing.__module__ == jobs.__name__)

    assert {name: str(inspect.signature(function)) for name, function in functions} == WIRE_FORMAT


def test_the_queues_stay_as_they_are():
    assert kernel.QUEUES == ("record", "inline", "isolated", "sweep")


def test_a_process_without_a_kernel_says_where_jobs_belong():
    with pytest.raises(ConfigError, match="jobs run inside `bitcart worker`; this process has no kernel"):
        current_kernel()


def test_a_queued_job_is_json_and_finds_its_function(here: Shop):
    case = here.sell("50")
    item = here.coin.pay(case.methods[0].lookup_key, "0.001")
    with transaction(here.kernel.engine) as session:
        detection.store(session, "btc", "regtest", [item], fence=1)
    assert here.kernel.enqueue("record", "record_due", "btc", "regtest")
    [job] = here.kernel.queue("record").jobs
    assert job.data.startswith(b"[")
    assert (job.func_name, job.args) == ("bitcart_core.jobs.record_due", ["btc", "regtest"])

    work(here, "record")
    assert here.standing(case) == ("complete", "none")


def test_an_event_is_dispatched_and_delivered_through_the_queues(here: Shop):
    case = here.sell("50")
    jobs.sweep_outbox()
    work(here, "inline")

    assert here.told() == here.kinds(case) == ["invoice_created"]


def test_a_delivery_queued_twice_is_made_once(here: Shop):
    here.sell("50")
    jobs.sweep_outbox()
    [job] = here.kernel.queue("inline").jobs
    for _ in range(2):
        jobs.deliver(*job.args)

    assert here.told() == ["invoice_created"]


def test_what_a_lost_queue_held_is_delivered_by_the_sweep(here: Shop):
    here.sell("50")
    jobs.sweep_outbox()
    here.kernel.redis.flushall()
    with transaction(here.kernel.engine) as session:
        session.execute(update(Delivery).values(locked_until=func.now()))
    jobs.sweep_outbox()
    work(here, "inline")

    assert here.told() == ["invoice_created"]


def test_what_a_lost_queue_held_is_recorded_by_the_sweep(here: Shop):
    case = here.sell("50")
    event = detection.to_stored(here.coin.pay(case.methods[0].lookup_key, "0.001").events[0])
    with transaction(here.kernel.engine) as session:
        session.add(IncomingEvent(coin="btc", network="regtest", epoch=1, seq=1, events=[event]))
    for _ in range(2):
        jobs.sweep_incoming()

    assert here.standing(case) == ("complete", "none")
    assert len(here.payments()) == 1


def test_the_sweeps_expire_and_close_what_has_had_its_time(here: Shop):
    case = here.sell("50")
    here.age(case, days=40)
    here.hear(here.coin.heartbeat())
    for sweep in (jobs.sweep_expired, jobs.sweep_methods) * 2:
        sweep()

    assert here.standing(case) == ("expired", "none")
    assert here.kinds(case) == ["invoice_created", "invoice_expired"]


def test_reconciling_finds_what_was_missed_and_a_daemon_that_is_down_breaks_no_worker(here: Shop, caplog):
    case = here.sell("50")
    here.coin.pay(case.methods[0].lookup_key, "0.001")
    here.coin.is_down = True
    jobs.sweep_reconcile()
    assert "btc/regtest could not be reconciled: the fake daemon is down" in caplog.text
    assert here.standing(case) == ("pending", "none")

    here.coin.is_down = False
    jobs.sweep_reconcile()
    assert here.standing(case) == ("complete", "none")
