"""What crosses from one process to another: values, frozen, that turn into JSON and back without loss.

Amounts become strings, times become ISO 8601 with an offset. No session, no row and no clock in here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Self

from pydantic import TypeAdapter


class Value:
    """A frozen dataclass that can be stored as JSON."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types; amounts as strings."""
        dumped: dict[str, Any] = _adapter(type(self)).dump_python(self, mode="json")
        return dumped

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote; unknown keys are ignored, so that an older process can read a newer one.

        Raises:
            pydantic.ValidationError: A key is missing or has the wrong type.
        """
        value: Self = _adapter(cls).validate_python(dict(data))
        return value


@dataclass(frozen=True, kw_only=True)
class Position(Value):
    """A place in a daemon's journal.

    Attributes:
        epoch: Milliseconds since 1970 at which this journal was begun; a lost journal gets a later one.
        seq: Number of the entry, from 1 without gaps; 0 is the place before the first entry.
    """

    epoch: int
    seq: int

    def __lt__(self, other: "Position") -> bool:
        return (self.epoch, self.seq) < (other.epoch, other.seq)

    def __le__(self, other: "Position") -> bool:
        return (self.epoch, self.seq) <= (other.epoch, other.seq)


@dataclass(frozen=True, kw_only=True)
class PaymentEvent(Value):
    """Money seen arriving at one output of one transaction, as the daemon knows it now.

    Attributes:
        lookup_key: What the daemon called the payment request (contract: `request_id` or the address).
        address: Where the money went.
        txid: The transaction; on Lightning the payment hash.
        output: Which output of it; what else tells two payments of one transaction apart on other chains.
        amount: In whole coins.
        first_seen_at: When the daemon first saw the transaction.
        height: The block it stands in, or None while it waits.
        block_hash: Hash of that block.
        block_time: The time the block claims.
        is_replaced: The transaction is gone: double spent, replaced or dropped.
        is_settled: Final without any block (Lightning).
    """

    kind: ClassVar[str] = "payment"

    lookup_key: str
    address: str
    txid: str
    output: str
    amount: Decimal
    first_seen_at: datetime
    height: int | None = None
    block_hash: str | None = None
    block_time: datetime | None = None
    is_replaced: bool = False
    is_settled: bool = False


@dataclass(frozen=True, kw_only=True)
class BlockEvent(Value):
    """A new best block; after a reorganisation its height may be lower than the last.

    Attributes:
        height: Height of the new tip.
        block_hash: Hash of the new tip.
        block_time: The time the block claims.
    """

    kind: ClassVar[str] = "block"

    height: int
    block_hash: str | None = None
    block_time: datetime | None = None


class InvoiceEventKind(StrEnum):
    """What can be announced of an invoice. Stored, and the name of the hook that hears of it."""

    CREATED = "invoice_created"
    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_REPLACED = "payment_replaced"
    PAID = "invoice_paid"
    CONFIRMED = "invoice_confirmed"
    COMPLETED = "invoice_completed"
    EXPIRED = "invoice_expired"
    INVALIDATED = "invoice_invalidated"
    REFUNDED = "invoice_refunded"
    STEPPED_DOWN = "invoice_stepped_down"


PAYMENT_UNMATCHED = "payment_unmatched"
"""Kind of the event for money that belongs to no invoice; it has no store, so no store hears of it."""


@dataclass(frozen=True, kw_only=True)
class PaymentView(Value):
    """One payment of an invoice as an event tells it."""

    coin: str
    network: str
    txid: str
    output: str
    amount: Decimal
    symbol: str
    confirmations: int
    is_late: bool = False
    is_replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class InvoiceView(Value):
    """An invoice as plugins see it: no row, no session, nothing secret.

    Attributes:
        price: In `currency`, with that currency's decimals.
        status: pending, paid, confirmed, complete, expired, invalid or refunded.
        exception_status: none, paid_partial, paid_over, paid_late or failed_confirm.
        paid_currency: Name of the first payment method that filled the bill, such as "BTC".
        sent_amount: What arrived on that method, in its coin.
    """

    id: str
    store_id: str
    order_id: str
    price: Decimal
    currency: str
    status: str
    exception_status: str
    created_at: datetime
    expires_at: datetime
    paid_at: datetime | None = None
    paid_currency: str | None = None
    sent_amount: Decimal = Decimal(0)
    tx_hashes: tuple[str, ...] = ()
    payments: tuple[PaymentView, ...] = ()
    buyer_email: str = ""
    notification_url: str = ""
    redirect_url: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class InvoiceEvent(Value):
    """A stored fact about an invoice, as it was when it was committed.

    Attributes:
        id: The same over every delivery and retry; receivers deduplicate by it.
        kind: One of `InvoiceEventKind`.
        seq: Number of the event in its store, from 1 without gaps; the order in which things happened.
        reason: Why, in a sentence, where the kind alone does not say it.
    """

    id: str
    kind: str
    seq: int
    created_at: datetime
    invoice: InvoiceView
    reason: str = ""


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]
