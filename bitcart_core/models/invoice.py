"""What a buyer owes a store, and what was done to it by hand."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field

from bitcart_core.models.base import Record, amount_column, object_column, text_column, word_column
from bitcart_core.settlement import ExceptionStatus, Status, Verdict


class Invoice(Record, table=True):
    """An invoice with the policy it was made under. `status` is a cache of `settlement.decide`, nothing more."""

    __tablename__ = "invoices"
    __table_args__ = (
        Index("ix_invoices_user", "user_id", "created_at"),
        Index("ix_invoices_store", "store_id", "created_at"),
        Index("ix_invoices_expiring", "expires_at", postgresql_where="status = 'pending'"),
        Index("ix_invoices_unsettled", "status", postgresql_where="status in ('paid', 'confirmed')"),
        Index("ix_invoices_order", "store_id", "order_id", postgresql_where="order_id <> ''"),
    )

    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE")
    store_id: str = Field(foreign_key="stores.id", ondelete="CASCADE")
    price: Decimal = amount_column()
    currency: str = Field(max_length=12)
    is_any_amount: bool = False
    order_id: str = text_column()
    notification_url: str = text_column()
    redirect_url: str = text_column()
    buyer_email: str = text_column()
    shipping_address: str = text_column()
    notes: str = text_column()
    promocode: str = text_column()
    products: dict[str, Any] = object_column()
    expiration_minutes: int
    expires_at: datetime
    tolerance: Decimal = amount_column()
    accepts_late: bool = False
    expiry_grace_seconds: int = 3600
    status: Status = word_column(Status, default=Status.PENDING)
    exception_status: ExceptionStatus = word_column(ExceptionStatus, default=ExceptionStatus.NONE)
    paid_at: datetime | None = None
    paid_method_id: str | None = None
    meta: dict[str, Any] = object_column("metadata")


class Mark(Record, table=True):
    """Something done to an invoice by hand; `settlement.decide` reads the last one."""

    __tablename__ = "invoice_marks"

    invoice_id: str = Field(foreign_key="invoices.id", ondelete="CASCADE", index=True)
    verdict: Verdict = word_column(Verdict)
    user_id: str | None = None
    detail: dict[str, Any] = object_column()
