"""What RQ calls. The names and arguments are a wire format: jobs queued by an older version still arrive.

A job fetches, calls, commits; the logic is elsewhere and has its own name. Every job may run twice or beside itself.
"""

import logging

from bitcart_core import attempts, detection, invoices, outbox, reconciliation
from bitcart_core.errors import CoinError
from bitcart_core.kernel import current_kernel

log = logging.getLogger(__name__)


def record_due(coin: str, network: str) -> None:
    """Record the stored journal entries of one coin that are due."""
    detection.record_due(current_kernel(), coin, network)


def deliver(claims: list[list[str | int]]) -> None:
    """Attempt deliveries.

    Args:
        claims: Pairs of a delivery's id and the attempt that was claimed.
    """
    attempts.make(current_kernel(), [(str(id_), int(attempt)) for id_, attempt in claims])


def sweep_incoming() -> None:
    """Record what is due for any coin: entries whose job was lost, and poison that may have been mended."""
    kernel = current_kernel()
    for coin in kernel.registry.coins.values():
        detection.record_due(kernel, coin.code, coin.network)


def sweep_expired() -> None:
    """Expire invoices whose time has come."""
    invoices.expire_due(current_kernel())


def sweep_methods() -> None:
    """Close payment methods that are past the late watch of their store."""
    invoices.close_watched_out(current_kernel())


def reconcile(coin: str, network: str) -> None:
    """Compare one coin's open payment methods with its daemon."""
    try:
        judged = reconciliation.reconcile(current_kernel(), coin, network)
    except CoinError as error:
        log.warning("%s/%s could not be reconciled: %s; the next sweep tries again", coin, network, error)
        return
    log.debug("%s/%s reconciled, %s invoices judged", coin, network, judged)


def sweep_reconcile() -> None:
    """Reconcile every coin."""
    for coin in current_kernel().registry.coins.values():
        reconcile(coin.code, coin.network)


def sweep_outbox() -> None:
    """Spread events and claim deliveries that a dispatcher missed."""
    kernel = current_kernel()
    outbox.dispatch(kernel)
