"""Decide how a payment request stands, from the outputs that pay it. Pure: no wallet, no clock, no journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

HOUR, DAY, MONTH = 3600, 86_400, 2_592_000


class Status(IntEnum):
    """The states of a request that occur on the chain (daemon contract, section 4.1)."""

    UNPAID = 0
    EXPIRED = 1
    PAID = 3
    UNCONFIRMED = 7


@dataclass(frozen=True, slots=True)
class Output:
    """Money at one address, as a server told it and as far as a proof of its block was checked.

    Attributes:
        txid: The transaction.
        index: Which output of it.
        units: In smallest units.
        height: The block it was proven to stand in, or None.
        block_hash: Hash of that block.
        block_time: Unix time in seconds that the block claims.
    """

    txid: str
    index: int
    units: int
    height: int | None
    block_hash: str | None
    block_time: int | None


@dataclass(frozen=True)
class Standing:
    """What a request has become.

    Attributes:
        status: Its state.
        text: The state in words.
        units: Everything that arrived, in smallest units.
        txids: The transactions it arrived in.
        confirmations: Of the youngest transaction that is needed to fill the amount; None while it is not filled.
    """

    status: Status
    text: str
    units: int
    txids: tuple[str, ...]
    confirmations: int | None


def stand(wanted: int | None, expires_at: int | None, outputs: Sequence[Output], *, tip: int, now: int) -> Standing:
    """Return how a request stands.

    Args:
        wanted: Its amount in smallest units, or None for any.
        expires_at: Unix time in seconds after which it has expired; None for never.
        outputs: Everything that pays its address.
        tip: Height of the best block.
        now: Unix time in seconds.
    """
    confirmations = _confirmations_of_filling(wanted or 1, outputs, tip)
    status = _status(expires_at, confirmations, now)
    return Standing(
        status=status,
        text=_in_words(status, expires_at, now),
        units=sum(output.units for output in outputs),
        txids=tuple(dict.fromkeys(output.txid for output in outputs)),
        confirmations=confirmations,
    )


def _confirmations_of_filling(wanted: int, outputs: Sequence[Output], tip: int) -> int | None:
    filled = 0
    deepest_first = sorted(((_confirmations(output, tip), output.units) for output in outputs), reverse=True)
    for confirmations, units in deepest_first:
        filled += units
        if filled >= wanted:
            return confirmations
    return None


def _confirmations(output: Output, tip: int) -> int:
    return 0 if output.height is None else max(tip - output.height + 1, 1)


def _status(expires_at: int | None, confirmations: int | None, now: int) -> Status:
    if confirmations is not None:
        return Status.PAID if confirmations else Status.UNCONFIRMED
    return Status.EXPIRED if expires_at is not None and expires_at < now else Status.UNPAID


def _in_words(status: Status, expires_at: int | None, now: int) -> str:
    if status is Status.UNPAID and expires_at is not None:
        return f"Expires in {_span(expires_at - now)}"
    return status.name.capitalize()


def _span(seconds: int) -> str:
    """Say a length of time as the contract's examples do."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return f"{seconds} seconds"
    if minutes < 45:
        return f"about {minutes} minute{'s' if minutes > 1 else ''}"
    if minutes < 90:
        return "about 1 hour"
    if seconds < DAY:
        return f"about {round(seconds / HOUR)} hours"
    if seconds < 2 * DAY:
        return "1 day"
    return f"{round(seconds / DAY)} days" if seconds < MONTH else f"about {round(seconds / MONTH)} months"
