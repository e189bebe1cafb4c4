"""The scheduler host: rq-scheduler as a clock that triggers sweeps. It may die at any time without harm."""

from bitcart_core.hosts import Deployment, Process


def processes(_: Deployment) -> list[Process]:
    """One clock."""
    return [Process(name="scheduler", arguments=("scheduler",))]
