"""The listener host: one task for each coin, under a lease, that stores what the daemon says."""

from bitcart_core.hosts import Deployment, Process


def processes(deployment: Deployment) -> list[Process]:
    """One process for all coins; none where there is no coin."""
    return [Process(name="listener", arguments=("listener",))] if deployment.coins else []
