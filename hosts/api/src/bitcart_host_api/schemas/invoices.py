"""Invoices and their payment methods (REST API contract, section 5)."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from babel.numbers import format_currency
from pydantic import EmailStr, Field

from bitcart_core.cases import Case, method_names
from bitcart_core.events import InvoiceView
from bitcart_core.models import PaymentMethod
from bitcart_host_api.schemas.common import AmountIn, AmountOut, Body, Display, Metadata, Time, money_text

ZERO = Decimal(0)


class CreateInvoice(Body):
    """A new invoice. `any_amount` is ours: the buyer chooses how much to send."""

    price: AmountIn | None = Field(default=None, examples=["10.50"])
    store_id: str
    currency: str = ""
    any_amount: bool = False
    order_id: str = ""
    notification_url: str | None = ""
    redirect_url: str | None = ""
    buyer_email: EmailStr | str | None = ""
    shipping_address: str = ""
    notes: str = ""
    promocode: str | None = ""
    products: list[str] | dict[str, int] = Field(default_factory=dict)
    expiration: int | None = Field(default=None, ge=0)
    payment_methods: list[str] | None = None
    metadata: Metadata

    def to_fields(self) -> dict[str, Any]:
        """Return the columns that are stored as they came."""
        return {
            "order_id": self.order_id,
            "notification_url": self.notification_url or "",
            "redirect_url": self.redirect_url or "",
            "buyer_email": self.buyer_email or "",
            "shipping_address": self.shipping_address,
            "notes": self.notes,
            "promocode": self.promocode or "",
            "products": dict.fromkeys(self.products, 1) if isinstance(self.products, list) else self.products,
            "meta": self.metadata,
        }


class PaymentData(Display):
    """One way to pay."""

    invoice_id: str
    wallet_id: str | None
    name: str
    currency: str
    symbol: str
    network: str = Field(description="Of the coin: mainnet, testnet, regtest. Anything but mainnet is play money.")
    amount: str
    received: str = Field(description="What arrived on this method.")
    due: str = Field(description="What is still to be sent on this method, after what arrived on any.")
    rate: str
    rate_str: str
    divisibility: int
    payment_address: str
    payment_url: str
    lookup_field: str
    lightning: bool
    rhash: str | None
    node_id: str | None
    contract: str
    label: str
    hint: str
    confirmations: int
    confirmations_required: int
    recommended_fee: AmountOut
    discount: str | None = None
    user_address: str | None = None
    is_used: bool
    explorer_url: str = Field(description="Page of a transaction, with `{txid}`; empty where there is none.")


class DisplayInvoice(Display):
    """An invoice. `any_amount` is ours, beside the contract's fields."""

    user_id: str
    store_id: str
    order_id: str
    price: str
    currency: str
    any_amount: bool
    status: str
    exception_status: str
    expiration: int
    expiration_seconds: int
    time_left: int
    notification_url: str
    redirect_url: str
    buyer_email: str
    shipping_address: str
    notes: str
    promocode: str
    discount: str | None = None
    products: list[str]
    product_names: dict[str, str]
    product_quantities: dict[str, int]
    payments: list[PaymentData]
    payment_methods: list[str]
    payment_id: str | None
    paid_currency: str | None
    paid_date: Time | None
    sent_amount: AmountOut
    tx_hashes: list[str]
    refund_id: str | None = None


def display_invoice(
    case: Case, *, now: datetime, decimals: int, explorers: Mapping[tuple[str, str], str]
) -> DisplayInvoice:
    """Return an invoice as the API shows it.

    Args:
        case: The invoice with all that belongs to it.
        now: By the database's clock.
        decimals: Of the invoice's currency.
        explorers: Page of a transaction, by coin and network.
    """
    invoice, view = case.invoice, case.view()
    names = method_names(case.methods)
    return DisplayInvoice(
        id=invoice.id,
        created=invoice.created_at,
        updated=invoice.updated_at,
        metadata=invoice.meta,
        user_id=invoice.user_id,
        store_id=invoice.store_id,
        order_id=invoice.order_id,
        price=money_text(invoice.price, decimals),
        currency=invoice.currency,
        any_amount=invoice.is_any_amount,
        status=invoice.status,
        exception_status=invoice.exception_status,
        expiration=invoice.expiration_minutes,
        expiration_seconds=invoice.expiration_minutes * 60,
        time_left=max(0, int((invoice.expires_at - now).total_seconds())),
        notification_url=invoice.notification_url,
        redirect_url=invoice.redirect_url,
        buyer_email=invoice.buyer_email,
        shipping_address=invoice.shipping_address,
        notes=invoice.notes,
        promocode=invoice.promocode,
        products=list(invoice.products),
        product_names={},
        product_quantities=invoice.products,
        payments=[
            _payment_data(
                case, method, view, name=names[method.id], explorer_url=explorers.get((method.coin, method.network), "")
            )
            for method in case.methods
        ],
        payment_methods=[method.wallet_id for method in case.methods if method.wallet_id],
        payment_id=invoice.paid_method_id,
        paid_currency=view.paid_currency,
        paid_date=invoice.paid_at,
        sent_amount=view.sent_amount,
        tx_hashes=list(view.tx_hashes),
    )


def _payment_data(case: Case, method: PaymentMethod, view: InvoiceView, *, name: str, explorer_url: str) -> PaymentData:
    confirmations = [case.confirmations(p) for p in case.payments if p.method_id == method.id and not p.is_replaced]
    return PaymentData(
        id=method.id,
        created=method.created_at,
        updated=method.updated_at,
        metadata=method.meta,
        invoice_id=method.invoice_id,
        wallet_id=method.wallet_id,
        name=name,
        currency=method.coin,
        symbol=method.symbol.lower(),
        network=method.network,
        amount=money_text(method.amount or ZERO, method.decimals),
        received=money_text(case.received_on(method), method.decimals),
        due=money_text(case.due_on(method), method.decimals),
        rate=f"{method.rate:f}",
        rate_str=f"{format_currency(method.rate, view.currency, locale='en_US')} ({view.currency})",
        divisibility=method.decimals,
        payment_address=method.address,
        payment_url=method.uri,
        lookup_field=method.lookup_key,
        lightning=method.is_lightning,
        rhash=method.payment_hash,
        node_id=method.node_id,
        contract=method.contract,
        label=method.label,
        hint=method.hint,
        confirmations=min(confirmations, default=0),
        confirmations_required=method.confirmations_required,
        recommended_fee=ZERO,
        is_used=method.id == case.invoice.paid_method_id,
        explorer_url=explorer_url,
    )
