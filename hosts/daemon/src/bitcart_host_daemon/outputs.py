"""Decide what is known of a request after the coin told all it sees. Pure: no database, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from bitcart_core.events import PaymentEvent

OutputKey = tuple[str, str]
"""Transaction and output: what tells two payments apart."""


def merge(
    lookup_key: str, known: Mapping[OutputKey, PaymentEvent], told: Iterable[PaymentEvent]
) -> dict[OutputKey, PaymentEvent]:
    """Return all outputs of a request, each as it is now.

    Args:
        lookup_key: The request.
        known: What was told before.
        told: Everything the coin sees now.

    Returns:
        Every output ever told. One keeps its first `first_seen_at`; one that is missing now is replaced and stands
        in no block any more.

    Raises:
        ValueError: An output belongs to another request; a fault of the coin.
    """
    merged = {key: _gone(output) for key, output in known.items()}
    for output in told:
        if output.lookup_key != lookup_key:
            raise ValueError(f"output of request {output.lookup_key} was told for request {lookup_key}")
        key = (output.txid, output.output)
        first = known.get(key, output)
        merged[key] = replace(output, first_seen_at=first.first_seen_at)
    return merged


def _gone(output: PaymentEvent) -> PaymentEvent:
    return replace(output, is_replaced=True, height=None, block_hash=None, block_time=None)
