"""The worker host: RQ workers, each listening to one lane, and the dispatcher of the outbox."""

from bitcart_core.hosts import Deployment, Process

_LANES = ("record", "inline", "isolated", "sweep")


def processes(_: Deployment) -> list[Process]:
    """One process for each lane: a slow hook must never stand before a payment."""
    return [Process(name=f"worker-{lane}", arguments=("worker", "--lane", lane)) for lane in _LANES]
