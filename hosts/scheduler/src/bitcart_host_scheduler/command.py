"""`bitcart scheduler`: put sweeps into their queue by interval until stopped."""

import logging
import time
from datetime import UTC, datetime

from redis import Redis
from rq.job import Job
from rq.serializers import JSONSerializer, Serializer
from rq_scheduler import Scheduler

from bitcart_core.kernel import Kernel
from bitcart_core.logs import configure
from bitcart_core.settings import Settings

log = logging.getLogger(__name__)

SWEEPS = {
    "sweep_expired": 1,
    "sweep_outbox": 15,
    "sweep_incoming": 15,
    "sweep_reconcile": 300,
    "sweep_methods": 3600,
}
"""Seconds between two runs of each sweep. All of them repair; none of them is the way things normally happen."""

_TICK_SECONDS = 1
_HEAL_SECONDS = 60


class JsonJob(Job):
    """A job that is JSON in Redis, whoever makes it: rq-scheduler passes no serializer."""

    def __init__(
        self,
        id: str | None = None,  # noqa: A002 - RQ's name
        connection: Redis | None = None,
        serializer: Serializer | str | None = None,
    ) -> None:
        super().__init__(id, connection, serializer or JSONSerializer)


class HealingScheduler(Scheduler):  # type: ignore[misc]  # the library has no types
    """rq-scheduler that puts back what a killed scheduler lost.

    The library takes a due job out of its set before it puts it back with a new time; killed in between, the job is
    gone for ever. Registering is by fixed ids, so doing it again changes nothing.
    """

    _healed_at = 0.0

    def enqueue_jobs(self) -> list[Job]:
        """Queue what is due, after a look at whether every sweep is still scheduled."""
        if time.monotonic() - self._healed_at > _HEAL_SECONDS or not self._healed_at:
            register(self)
            self._healed_at = time.monotonic()
        return list(super().enqueue_jobs())


def register(scheduler: Scheduler) -> None:
    """Schedule the sweeps that are not scheduled."""
    for name, seconds in SWEEPS.items():
        if name not in scheduler:
            scheduler.schedule(
                datetime.now(UTC).replace(tzinfo=None), f"bitcart_core.jobs.{name}", interval=seconds, id=name,
                result_ttl=seconds * 2, timeout=120,
            )  # fmt: skip


def scheduler() -> None:
    """Trigger sweeps. Start two for safety: one of them acts at a time."""
    settings = Settings()
    configure(settings.log_level)
    with Kernel(settings) as kernel:
        clock = HealingScheduler(
            queue=kernel.queue("sweep"), connection=kernel.redis, interval=_TICK_SECONDS, job_class=JsonJob
        )
        clock.run()
