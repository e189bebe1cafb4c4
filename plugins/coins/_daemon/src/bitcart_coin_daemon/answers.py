"""Read what a daemon answers into the values of the kernel. Pure: opens nothing, asks nobody."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from bitcart_core import BlockEvent, DaemonState, PaymentEvent, PaymentRequest, PaymentsSnapshot, Position, WalletKey

BALANCES = ("confirmed", "unconfirmed", "unmatured", "lightning")


def write_key(key: WalletKey) -> str | dict[str, Any]:
    """Return a wallet key as the contract writes `xpub`: text, or an object where there is more to say."""
    if key.contract is None and not key.extra:
        return key.key
    return {**key.extra, "xpub": key.key, "contract": key.contract}


def read_request(result: Mapping[str, Any]) -> PaymentRequest:
    """Read the answer to `add_request` (contract, sections 4.1 and 4.3).

    Raises:
        KeyError: It is no payment request.
    """
    if result.get("is_lightning"):
        invoice = str(result["lightning_invoice"])
        return PaymentRequest(
            lookup_key=str(result.get("request_id") or result["rhash"]),
            address=invoice,
            uri=invoice,
            is_lightning=True,
            payment_hash=str(result["rhash"]),
        )
    address = str(result["address"])
    # Coins without request ids find their requests by the address (contract, section 6).
    return PaymentRequest(
        lookup_key=str(result.get("request_id") or address), address=address, uri=str(result.get("URI") or address)
    )


def read_position(frame: Mapping[str, Any]) -> Position:
    """Read `epoch` and `seq`."""
    return Position(epoch=int(frame["epoch"]), seq=int(frame["seq"]))


def read_state(result: Mapping[str, Any]) -> DaemonState:
    """Read the answer to `state`."""
    return DaemonState(
        height=result["height"],
        is_synchronized=bool(result["synchronized"]),
        position=read_position(result),
        version=str(result["version"]),
        at=datetime.fromisoformat(result["at"]),
    )


def read_snapshot(result: Mapping[str, Any]) -> PaymentsSnapshot:
    """Read the answer to `payments_of`."""
    payments = tuple(PaymentEvent.from_json(payment) for payment in result["payments"])
    return PaymentsSnapshot(position=read_position(result), height=result["height"], payments=payments)


def read_events(updates: Iterable[Mapping[str, Any]]) -> tuple[PaymentEvent | BlockEvent, ...]:
    """Read the `updates` of a frame; what the kernel has no use for is left out."""
    return tuple(event for update in updates for event in _read_update(update))


def read_balance(result: Mapping[str, Any]) -> dict[str, Decimal]:
    """Read the answer to `getbalance`; what is not told is zero."""
    return {name: Decimal(str(result.get(name) or 0)) for name in BALANCES}


def _read_update(update: Mapping[str, Any]) -> Iterable[PaymentEvent | BlockEvent]:
    if update.get("event") == "new_payment":
        return [PaymentEvent.from_json(payment) for payment in update.get("payments", ())]
    if update.get("event") == "new_block":
        data = {"height": update["height"], "block_hash": update.get("hash"), "block_time": update.get("time")}
        return [BlockEvent.from_json(data)]
    return []
