"""Invoices: made with their payment methods in one stroke, marked by hand, expired when their time has come."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, cast, func, or_, true, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from bitcart_core import cases, matching, money, offers, outbox
from bitcart_core.cases import Case, Push
from bitcart_core.db import storable, transaction
from bitcart_core.errors import CoinRefused, ForbiddenError, InputError, NotFoundError
from bitcart_core.events import InvoiceEventKind
from bitcart_core.models import Cursor, Invoice, Mark, PaymentMethod, Store, StoreWallet, Wallet
from bitcart_core.models.base import new_id
from bitcart_core.settlement import Status, Verdict
from bitcart_core.stores import CheckoutSettings, checkout_settings

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

_MAX_MINUTES = 60 * 24 * 365


@dataclass(frozen=True, kw_only=True)
class NewInvoice:
    """What a merchant or a buyer asks for.

    Attributes:
        price: In `currency`; None only if `is_any_amount`.
        currency: ISO 4217 code or a coin's symbol; empty for the store's default.
        expiration_minutes: None for the store's setting.
        wallet_ids: A part of the store's wallets, or None for all.
    """

    store_id: str
    price: Decimal | None
    currency: str = ""
    is_any_amount: bool = False
    expiration_minutes: int | None = None
    wallet_ids: Sequence[str] | None = None
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Shop:
    """What creating an invoice must know of its store, read in one short transaction."""

    store: Store
    settings: CheckoutSettings
    wallets: list[Wallet]
    now: datetime


def create(kernel: "Kernel", new: NewInvoice, *, is_anonymous: bool = False) -> Case:
    """Make an invoice with its payment methods, or nothing at all.

    Rates and daemons are asked with no transaction open, all daemons at once under one deadline; a coin that fails is
    left out while another is offered.

    Args:
        kernel: Everything.
        new: What is asked for.
        is_anonymous: Nobody is signed in; refused if the store wants to be the only one to make invoices.

    Raises:
        NotFoundError: No such store.
        ForbiddenError: The store does not take invoices from strangers.
        InputError: Something asked for is wrong; names the field and the remedy.
        RateUnavailable: No rate for any of the coins.
        CoinUnreachable: No coin's daemon answered in time.
        CoinError: A coin answered in a way that no invoice can be made of.
    """
    shop = _read_shop(kernel, new)
    if is_anonymous and not shop.settings.allow_anonymous_invoice_creation:
        raise ForbiddenError("Anonymous invoice creation is disabled")
    currency = (new.currency or shop.store.default_currency).upper()
    _check_text(new)
    price = _check_price(kernel, new, currency)
    minutes = _check_minutes(new, shop.settings)
    invoice = _build(new, shop, currency=currency, price=price, minutes=minutes)
    agreed = offers.ask(kernel, invoice, shop.wallets, currency_decimals=currency_decimals(kernel, currency))
    methods = [offers.method(invoice, offer, position, shop.settings) for position, offer in enumerate(agreed)]
    return _store(kernel, invoice, methods)


def mark(kernel: "Kernel", invoice_id: str, verdict: Verdict, *, user_id: str | None) -> None:
    """Say by hand what an invoice is; repeating it changes nothing.

    Raises:
        NotFoundError: No such invoice, or it belongs to someone else.
    """
    with transaction(kernel.engine) as session:
        loaded = cases.load(session, [invoice_id], is_locking=True)
        if not loaded or (user_id is not None and loaded[0].invoice.user_id != user_id):
            raise NotFoundError("No item found when one was expected")
        case = loaded[0]
        now = session.exec(select(func.clock_timestamp())).one()  # read under the lock, so that it orders the marks
        if case.marks and case.marks[-1].verdict is verdict:
            return
        row = Mark(invoice_id=invoice_id, verdict=verdict, user_id=user_id, created_at=now)
        session.add(row)
        case.marks.append(row)
        pushes = cases.settle(session, [case], now=now)
    kernel.push(pushes)


def expire_due(kernel: "Kernel", *, limit: int = 500) -> int:
    """Judge invoices whose time is over; those whose daemons lag are left for a later sweep.

    Returns:
        How many expired.
    """
    pushes: list[Push] = []
    with transaction(kernel.engine) as session:
        now = session.exec(select(func.now())).one()
        due = session.exec(
            select(Invoice.id)
            .where(Invoice.status == Status.PENDING, col(Invoice.expires_at) <= now, _can_expire(now))
            .order_by(col(Invoice.id))
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        ).all()
        pushes = cases.settle(session, cases.load(session, due, is_locking=True), now=now)
    kernel.push(pushes)
    return len(pushes)


def _can_expire(now: datetime) -> ColumnElement[bool]:
    """Say of which invoices there is something to decide, so that those of a lagging coin stand before no others."""
    grace = func.make_interval(0, 0, 0, 0, 0, 0, col(Invoice.expiry_grace_seconds))
    lagging = (
        select(PaymentMethod.id)
        .outerjoin(Cursor, (col(Cursor.coin) == PaymentMethod.coin) & (col(Cursor.network) == PaymentMethod.network))
        .where(
            PaymentMethod.invoice_id == Invoice.id,
            func.coalesce(col(Cursor.heard_until) < col(Invoice.expires_at), true()),
        )
    )
    return or_(col(Invoice.expires_at) + grace <= now, ~lagging.exists())


def close_watched_out(kernel: "Kernel") -> int:
    """Close payment methods whose invoice is settled or expired and past the late watch of its store.

    Money that still arrives is matched to the method that was closed last, so closing loses nothing; it frees the
    lookup key and shortens the bulk questions.

    Returns:
        How many were closed.
    """
    days = func.coalesce(
        cast(col(Store.checkout_settings)["late_watch_days"].astext, Integer), CheckoutSettings().late_watch_days
    )
    watched_out = (
        select(PaymentMethod.id)
        .join(Invoice, col(Invoice.id) == col(PaymentMethod.invoice_id))
        .join(Store, col(Store.id) == col(Invoice.store_id))
        .where(
            col(PaymentMethod.is_open),
            col(Invoice.status).not_in([Status.PENDING, Status.PAID, Status.CONFIRMED]),
            col(Invoice.expires_at) + func.make_interval(0, 0, 0, days) < func.now(),
        )
    )
    with transaction(kernel.engine) as session:
        closed = session.execute(
            update(PaymentMethod)
            .where(col(PaymentMethod.id).in_(watched_out))
            .values(is_open=False)
            .returning(col(PaymentMethod.id))
            .execution_options(synchronize_session=False)
        ).all()
    return len(closed)


def find(session: Session, invoice_id: str) -> Case:
    """Return an invoice with all that belongs to it.

    Raises:
        NotFoundError: There is none.
    """
    loaded = cases.load(session, [invoice_id], is_locking=False)
    if not loaded:
        raise NotFoundError("No item found when one was expected")
    return loaded[0]


def currency_decimals(kernel: "Kernel", currency: str) -> int:
    """Return how many decimals a currency has, be it a coin's symbol or an ISO 4217 code.

    Raises:
        InputError: It is neither.
    """
    coin = next((coin for coin in kernel.registry.coins.values() if coin.symbol.upper() == currency), None)
    return coin.decimals if coin else money.fiat_decimals(currency)


def shown_decimals(kernel: "Kernel", currency: str) -> int:
    """Return how many decimals to show of what is stored, also of a coin that was taken out since: 8, as most have."""
    try:
        return currency_decimals(kernel, currency)
    except InputError:
        return 8


def _read_shop(kernel: "Kernel", new: NewInvoice) -> _Shop:
    with transaction(kernel.engine) as session:
        row = session.exec(select(Store, func.now()).where(Store.id == new.store_id)).first()
        if row is None:
            raise NotFoundError("No item found when one was expected")
        store, now = row
        wallets = session.exec(
            select(Wallet)
            .join(StoreWallet, col(StoreWallet.wallet_id) == col(Wallet.id))
            .where(StoreWallet.store_id == store.id)
            .order_by(col(StoreWallet.position))
        ).all()
    chosen = _choose(wallets, new, store.id)
    return _Shop(store=store, settings=checkout_settings(store), wallets=chosen, now=now)


def _choose(wallets: Sequence[Wallet], new: NewInvoice, store_id: str) -> list[Wallet]:
    if not wallets:
        raise InputError("No wallet linked", field="store_id")
    if new.wallet_ids is None:
        return list(wallets)
    if not new.wallet_ids:
        raise InputError("Payment methods cannot be empty", field="payment_methods")
    by_id = {wallet.id: wallet for wallet in wallets}
    for wallet_id in new.wallet_ids:
        if wallet_id not in by_id:
            raise InputError(f"Wallet {wallet_id} is not connected to store {store_id}", field="payment_methods")
    return [by_id[wallet_id] for wallet_id in dict.fromkeys(new.wallet_ids)]


def _check_price(kernel: "Kernel", new: NewInvoice, currency: str) -> Decimal | None:
    decimals = currency_decimals(kernel, currency)
    if new.is_any_amount:
        if new.price:
            raise InputError("an invoice for any amount has no price; leave the price out", field="price")
        return None
    if new.price is None:
        raise InputError("a price is missing; send one, or set any_amount", field="price")
    price = money.parse_amount(new.price, currency=currency, decimals=decimals, field="price")
    if price == 0:
        raise InputError("price 0 asks for nothing; send a price above 0, or set any_amount", field="price")
    return money.round_down(price, decimals)  # takes nothing away: it writes all decimals of the currency


def _check_text(new: NewInvoice) -> None:
    """Refuse text that PostgreSQL cannot hold: what the merchant reads must be what the buyer wrote."""
    for name, value in new.fields.items():
        if storable(value) != value:
            field_name = "metadata" if name == "meta" else name
            raise InputError(f"{field_name} holds NUL or half a character; send valid text", field=field_name)


def _check_minutes(new: NewInvoice, settings: CheckoutSettings) -> int:
    minutes = settings.expiration if new.expiration_minutes is None else new.expiration_minutes
    if not 0 < minutes <= _MAX_MINUTES:
        raise InputError(f"expiration {minutes} is not between 1 minute and a year", field="expiration")
    return minutes


def _build(new: NewInvoice, shop: _Shop, *, currency: str, price: Decimal | None, minutes: int) -> Invoice:
    return Invoice(
        id=new_id(),
        user_id=shop.store.user_id,
        store_id=shop.store.id,
        price=price or Decimal(0),
        currency=currency,
        is_any_amount=new.is_any_amount,
        expiration_minutes=minutes,
        expires_at=shop.now + timedelta(minutes=minutes),
        tolerance=shop.settings.tolerance,
        accepts_late=shop.settings.accept_late_payments,
        expiry_grace_seconds=shop.settings.expiry_grace_seconds,
        created_at=shop.now,
        **new.fields,
    )


def _store(kernel: "Kernel", invoice: Invoice, methods: list[PaymentMethod]) -> Case:
    """Write the invoice, its methods and its first event, and adopt what was paid before we got here."""
    case = Case(invoice=invoice, methods=methods)
    pushes: list[Push] = []
    with transaction(kernel.engine) as session:
        for method in sorted(methods, key=lambda m: (m.coin, m.network, m.lookup_key)):  # one order for all
            matching.lock_keys(session, method.coin, method.network, [method.lookup_key])
        session.add(invoice)
        session.flush()
        session.add_all(methods)
        try:
            session.flush()
        except IntegrityError:
            raise CoinRefused("a coin handed out a request that another invoice is waiting on; try again") from None
        created = outbox.Announcement(kind=InvoiceEventKind.CREATED, invoice=case.view())
        outbox.announce(session, invoice.store_id, [created], now=invoice.created_at)
        if news := matching.adopt(session, methods):
            adopted = cases.load(session, news, is_locking=True)
            pushes = cases.settle(session, adopted, now=invoice.created_at, news=news)
            case = adopted[0]
    kernel.push(pushes)
    return case
