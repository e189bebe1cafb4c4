"""The clock: every sweep is scheduled, heals itself, and is JSON all the way."""

from datetime import UTC, datetime, timedelta

import pytest
from bitcart_host_scheduler.command import SWEEPS, HealingScheduler, JsonJob, register
from rq.serializers import JSONSerializer
from rq.worker import SimpleWorker

from bitcart_core import jobs
from bitcart_core.kernel import Kernel, set_current_kernel
from bitcart_core.settlement import Status
from bitcart_core.testing.shop import Shop


@pytest.fixture
def clock(kernel: Kernel) -> HealingScheduler:
    return HealingScheduler(queue=kernel.queue("sweep"), connection=kernel.redis, interval=1, job_class=JsonJob)


def test_every_sweep_is_a_job_that_exists(clock: HealingScheduler):
    register(clock)

    assert {job.id for job in clock.get_jobs()} == set(SWEEPS)
    assert all(hasattr(jobs, name) for name in SWEEPS)


def test_registering_again_changes_nothing(clock: HealingScheduler):
    register(clock)
    before = dict(clock.get_jobs(with_times=True))
    register(clock)

    assert dict(clock.get_jobs(with_times=True)).keys() == before.keys()


def test_a_sweep_that_a_killed_scheduler_lost_comes_back(clock: HealingScheduler):
    register(clock)
    clock.cancel("sweep_expired")
    clock.enqueue_jobs()

    assert "sweep_expired" in clock or "sweep_expired" in clock._queue.job_ids


def test_a_sweep_runs_as_json_and_expires_what_is_due(clock: HealingScheduler, shop: Shop):
    case = shop.sell("50", expiration_minutes=1)
    with shop.kernel.engine.begin() as connection:
        past = datetime.now(UTC) - timedelta(hours=3)
        connection.exec_driver_sql("update invoices set expires_at = %s", (past,))
    clock.enqueue_jobs()
    set_current_kernel(shop.kernel)
    SimpleWorker([shop.kernel.queue("sweep")], connection=shop.kernel.redis, serializer=JSONSerializer).work(burst=True)
    set_current_kernel(None)

    assert shop.invoice(case).status is Status.EXPIRED
