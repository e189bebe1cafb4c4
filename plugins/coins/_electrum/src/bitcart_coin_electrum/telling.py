"""Decide what the journal is told of a request: in which words, and whether it may be told yet. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bitcart_coin_electrum import units
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.standing import Output, Standing
from bitcart_coin_electrum.store import StoredRequest
from bitcart_core import PaymentEvent, WatchedRequest


def watched(request: StoredRequest, profile: CoinProfile) -> WatchedRequest:
    """Return a request as the journal keeps it."""
    return WatchedRequest(
        lookup_key=request.id,
        wallet=request.wallet,
        address=request.address,
        amount=None if request.units is None else units.to_coins(request.units, profile.decimals),
        expires_at=None if request.expires_at is None else datetime.fromtimestamp(request.expires_at, UTC),
    )


def stored(request: WatchedRequest, profile: CoinProfile, *, now: int) -> StoredRequest:
    """Return a request that only the journal still knows; what it does not know is left empty.

    Args:
        request: As the journal has it.
        profile: Of the coin.
        now: Unix time in seconds.
    """
    expires_at = None if request.expires_at is None else int(request.expires_at.timestamp())
    created_at = now if expires_at is None else min(now, expires_at - 1)
    return StoredRequest(
        id=request.lookup_key,
        wallet=request.wallet,
        address=request.address,
        address_index=None,
        units=wanted_units(request, profile),
        memo="",
        created_at=created_at,
        lifetime=0 if expires_at is None else expires_at - created_at,
    )


def wanted_units(request: WatchedRequest, profile: CoinProfile) -> int | None:
    """Return the amount of a request in smallest units, or None for any."""
    return None if request.amount is None else int(request.amount.scaleb(profile.decimals))


def events(
    request: WatchedRequest, outputs: Sequence[Output], profile: CoinProfile, *, now: datetime
) -> list[PaymentEvent]:
    """Return what pays a request as the kernel hears of it; the journal keeps the first time an output was seen."""
    return [
        PaymentEvent(
            lookup_key=request.lookup_key,
            address=request.address,
            txid=output.txid,
            output=str(output.index),
            amount=units.to_coins(output.units, profile.decimals),
            first_seen_at=now,
            height=output.height,
            block_hash=output.block_hash,
            block_time=None if output.block_time is None else datetime.fromtimestamp(output.block_time, UTC),
        )
        for output in outputs
    ]


def summary(request: WatchedRequest, standing: Standing, profile: CoinProfile) -> Mapping[str, object]:
    """Return the contract's `new_payment` (section 3); its `address` is the id of the request."""
    return {
        "address": request.lookup_key,
        "status": int(standing.status),
        "status_str": standing.text,
        "tx_hashes": list(standing.txids),
        "sent_amount": units.padded(standing.units, profile.decimals),
    }


def only_adds(told: Sequence[Output] | None, outputs: Sequence[Output]) -> bool:
    """Return whether nothing told before is gone, or out of its block again.

    Only a wallet in step with its server can say that money is gone; in between Electrum forgets and finds again.
    Before anything was told by this process (None), it is not known what the journal holds.
    """
    if told is None:
        return False
    now = {(output.txid, output.index): output for output in outputs}
    kept = (now.get((before.txid, before.index)) for before in told)
    return all(
        after is not None and (before.height is None or after.height is not None)
        for before, after in zip(told, kept, strict=True)
    )
