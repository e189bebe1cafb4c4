"""The ways to pay an invoice, and the money seen arriving."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field

from bitcart_core.models.base import Record, amount_column, object_column, text_column


class PaymentMethod(Record, table=True):
    """One way to pay one invoice. `is_open` while money may still arrive on its lookup key."""

    __tablename__ = "payment_methods"
    __table_args__ = (
        Index("ix_payment_methods_invoice", "invoice_id"),
        Index("uq_payment_methods_open", "coin", "network", "lookup_key", unique=True, postgresql_where="is_open"),
    )

    invoice_id: str = Field(foreign_key="invoices.id", ondelete="CASCADE")
    wallet_id: str | None = Field(default=None, foreign_key="wallets.id", ondelete="SET NULL", index=True)
    coin: str = Field(max_length=20)
    network: str = Field(max_length=20)
    symbol: str = Field(max_length=20)
    decimals: int
    contract: str = ""
    amount: Decimal | None = amount_column(is_optional=True)
    rate: Decimal = amount_column()
    rate_provenance: dict[str, Any] = object_column()
    lookup_key: str = text_column(default=None)
    address: str = text_column(default=None)
    uri: str = text_column(default=None)
    is_lightning: bool = False
    payment_hash: str | None = None
    node_id: str | None = None
    confirmations_required: int = 0
    label: str = text_column()
    hint: str = text_column()
    position: int = 0
    is_open: bool = True
    meta: dict[str, Any] = object_column("metadata")


class Payment(Record, table=True):
    """Money seen arriving at one output; without a method it is kept as unmatched until one adopts it.

    `epoch` and `seq` name the journal entry that was last applied: an older one never overwrites a newer one.
    """

    __tablename__ = "payments"
    __table_args__ = (
        UniqueConstraint("coin", "network", "txid", "output", name="uq_payments_output"),
        Index("ix_payments_invoice", "invoice_id"),
        Index("ix_payments_unmatched", "coin", "network", "lookup_key", postgresql_where="method_id is null"),
    )

    coin: str = Field(max_length=20)
    network: str = Field(max_length=20)
    txid: str = text_column(default=None)
    output: str = text_column(default=None)
    lookup_key: str = text_column(default=None)
    address: str = text_column(default=None)
    amount: Decimal = amount_column()
    first_seen_at: datetime
    height: int | None = None
    block_hash: str | None = None
    block_time: datetime | None = None
    is_replaced: bool = False
    is_settled: bool = False
    epoch: int = Field(sa_type=BigInteger)
    seq: int = Field(sa_type=BigInteger)
    method_id: str | None = Field(default=None, foreign_key="payment_methods.id", ondelete="SET NULL", index=True)
    invoice_id: str | None = Field(default=None, foreign_key="invoices.id", ondelete="SET NULL")
