"""`bitcart worker`: work off one lane, and dispatch the outbox beside it."""

import contextlib
from enum import StrEnum
from typing import Annotated

import typer
from rq.serializers import JSONSerializer
from rq.worker import BaseWorker, SimpleWorker, Worker

from bitcart_core.kernel import Kernel, set_current_kernel
from bitcart_core.logs import configure
from bitcart_core.settings import Settings
from bitcart_host_worker.dispatcher import Dispatcher

_TTL_SECONDS = 30
_MAINTENANCE_SECONDS = 15


class Lane(StrEnum):
    """What a worker works on."""

    RECORD = "record"
    INLINE = "inline"
    ISOLATED = "isolated"
    SWEEP = "sweep"


def worker(
    lane: Annotated[Lane, typer.Option(help="record: payments; inline, isolated: deliveries; sweep: repairs.")],
    *,
    dispatch: Annotated[
        bool | None, typer.Option(help="Also dispatch the outbox; by default the record lane does.")
    ] = None,
    burst: Annotated[bool, typer.Option(help="End when the lane is empty.")] = False,
) -> None:
    """Work off one lane until stopped. Start as many as you like, also on other machines.

    Example: bitcart worker --lane record
    """
    settings = Settings()
    configure(settings.log_level)
    with Kernel(settings) as kernel, contextlib.ExitStack() as stack:
        set_current_kernel(kernel)
        if lane is Lane.RECORD if dispatch is None else dispatch:
            stack.enter_context(Dispatcher(kernel))
        _worker(kernel, lane).work(burst=burst, logging_level="WARNING")


def _worker(kernel: Kernel, lane: Lane) -> BaseWorker:
    """Build the worker of a lane: a strange plugin gets a process of its own for each job, the rest needs none."""
    kind = Worker if lane is Lane.ISOLATED else SimpleWorker
    return kind(
        [kernel.queue(lane)],
        connection=kernel.redis,
        serializer=JSONSerializer,
        worker_ttl=_TTL_SECONDS,
        job_monitoring_interval=5,
        maintenance_interval=_MAINTENANCE_SECONDS,
        log_job_description=False,
    )
