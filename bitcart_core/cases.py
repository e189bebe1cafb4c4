"""An invoice with everything that decides it: loaded and locked together, judged, written down, announced.

The judging itself is `settlement.decide`; here is only what it needs to know and what follows from its answer.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bitcart_core import money, outbox, settlement
from bitcart_core.events import InvoiceEventKind, InvoiceView, PaymentView
from bitcart_core.models import Cursor, IncomingEvent, Invoice, Mark, Payment, PaymentMethod
from bitcart_core.settlement import Decision, Marks, Policy, Receipt


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """How far one coin has been listened to.

    Attributes:
        height: Best block of the coin's daemon.
        until: Everything the daemon saw up to then is recorded; None if it never reported.
    """

    height: int | None
    until: datetime | None


@dataclass(kw_only=True)
class Case:
    """One invoice with its methods, payments and marks."""

    invoice: Invoice
    methods: list[PaymentMethod] = field(default_factory=list)
    payments: list[Payment] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    hearings: dict[tuple[str, str], Hearing] = field(default_factory=dict)

    def method_of(self, payment: Payment) -> PaymentMethod:
        """Return the method a payment arrived on."""
        return next(method for method in self.methods if method.id == payment.method_id)

    def confirmations(self, payment: Payment) -> int:
        """Return how many blocks stand on a payment, its own included; 0 while it waits."""
        if payment.height is None or payment.is_replaced:
            return 0
        hearing = self.hearings.get((payment.coin, payment.network))
        tip = hearing.height if hearing else None
        return max(1, (tip or 0) - payment.height + 1)

    def heard_until(self) -> datetime | None:
        """Return the moment up to which every coin of the invoice was listened to."""
        ends = [self.hearings.get((m.coin, m.network), _NEVER).until for m in self.methods]
        known = [end for end in ends if end is not None]
        return min(known) if known and len(known) == len(ends) else None

    def decide(self, now: datetime) -> Decision:
        """Return what the invoice has become."""
        invoice = self.invoice
        policy = Policy(
            expires_at=invoice.expires_at,
            tolerance=Fraction(invoice.tolerance),
            accepts_late=invoice.accepts_late,
            is_any_amount=invoice.is_any_amount,
            expiry_grace=timedelta(seconds=invoice.expiry_grace_seconds),
        )
        verdict = self.marks[-1].verdict if self.marks else None
        receipts = [self._receipt(payment) for payment in self.payments]
        return settlement.decide(policy, receipts, Marks(verdict=verdict), now=now, heard_until=self.heard_until())

    def view(self) -> InvoiceView:
        """Return the invoice as plugins and receivers see it."""
        invoice = self.invoice
        paid = next((method for method in self.methods if method.id == invoice.paid_method_id), None)
        return InvoiceView(
            id=invoice.id,
            store_id=invoice.store_id,
            order_id=invoice.order_id,
            price=invoice.price,
            currency=invoice.currency,
            status=invoice.status,
            exception_status=invoice.exception_status,
            created_at=invoice.created_at,
            expires_at=invoice.expires_at,
            paid_at=invoice.paid_at,
            paid_currency=method_names(self.methods)[paid.id] if paid else None,
            sent_amount=self.received_on(paid) if paid else Decimal(0),
            tx_hashes=tuple(dict.fromkeys(p.txid for p in self.payments if not p.is_replaced)),
            payments=tuple(self._payment_view(payment) for payment in self.payments),
            buyer_email=invoice.buyer_email,
            notification_url=invoice.notification_url,
            redirect_url=invoice.redirect_url,
            metadata=invoice.meta,
        )

    def received_on(self, method: PaymentMethod) -> Decimal:
        """Return what stands on one method, in its coin."""
        return money.total(p.amount for p in self.payments if p.method_id == method.id and not p.is_replaced)

    def due_on(self, method: PaymentMethod) -> Decimal:
        """Return what is still to be sent on one method, after what stands on any of them; in its coin."""
        if method.amount is None:
            return Decimal(0)
        paid = sum((r.share for r in map(self._receipt, self.payments) if not r.is_replaced), Fraction(0))
        return money.part_of(method.amount, max(Fraction(0), 1 - paid), method.decimals)

    def push_message(self) -> dict[str, Any]:
        """Return what an open page is told (REST API contract, section 8)."""
        view = self.view()
        decimals = next((m.decimals for m in self.methods if m.id == self.invoice.paid_method_id), 8)
        return {
            "status": view.status,
            "exception_status": view.exception_status,
            "sent_amount": money.format_amount(view.sent_amount, decimals),
            "paid_currency": view.paid_currency,
            "payment_id": self.invoice.paid_method_id,
        }

    def first_seen_at(self, payment: Payment) -> datetime:
        """Return the earlier of the daemon's first sight and the block's time: the daemon may have been down."""
        return min(payment.first_seen_at, payment.block_time or payment.first_seen_at)

    def _receipt(self, payment: Payment) -> Receipt:
        method = self.method_of(payment)
        confirmations = self.confirmations(payment)
        return Receipt(
            key=f"{payment.coin}:{payment.network}:{payment.txid}:{payment.output}",
            method=method.id,
            share=_share(payment.amount, method),
            unit=_share(Decimal(1).scaleb(-method.decimals), method),
            first_seen_at=self.first_seen_at(payment),
            is_confirmed=payment.is_settled or confirmations >= 1,
            is_buried=payment.is_settled or confirmations >= method.confirmations_required,
            is_replaced=payment.is_replaced,
        )

    def _payment_view(self, payment: Payment) -> PaymentView:
        return PaymentView(
            coin=payment.coin,
            network=payment.network,
            txid=payment.txid,
            output=payment.output,
            amount=payment.amount,
            symbol=self.method_of(payment).symbol,
            confirmations=self.confirmations(payment),
            is_late=self.first_seen_at(payment) >= self.invoice.expires_at,
            is_replaced=payment.is_replaced,
        )


_NEVER = Hearing(height=None, until=None)


def _share(amount: Decimal, method: PaymentMethod) -> Fraction:
    """Return which part of the bill an amount is; where the buyer chooses how much, anything at all is the whole."""
    return Fraction(amount > 0) if method.amount is None else Fraction(amount) / Fraction(method.amount)


def load(session: Session, invoice_ids: Iterable[str], *, is_locking: bool) -> list[Case]:
    """Load invoices with all that decides them.

    Args:
        session: In a transaction if locking.
        invoice_ids: Unknown ids are left out.
        is_locking: Lock the invoices, in the order of their ids, so that two who lock several never wait in a ring.
    """
    statement = select(Invoice).where(col(Invoice.id).in_(sorted(set(invoice_ids)))).order_by(col(Invoice.id))
    if is_locking:
        # no stronger than that: a payment being inserted holds its invoice by the foreign key
        statement = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    cases = {invoice.id: Case(invoice=invoice) for invoice in session.exec(statement)}
    if not cases:
        return []
    for method in session.exec(
        select(PaymentMethod).where(col(PaymentMethod.invoice_id).in_(cases)).order_by(col(PaymentMethod.position))
    ):
        cases[method.invoice_id].methods.append(method)
    for payment in session.exec(
        select(Payment).where(col(Payment.invoice_id).in_(cases)).order_by(col(Payment.first_seen_at), col(Payment.id))
    ):
        cases[payment.invoice_id or ""].payments.append(payment)
    for mark in session.exec(select(Mark).where(col(Mark.invoice_id).in_(cases)).order_by(col(Mark.created_at))):
        cases[mark.invoice_id].marks.append(mark)
    heard = hearings(session)
    for case in cases.values():
        case.hearings = heard
    return list(cases.values())


def hearings(session: Session) -> dict[tuple[str, str], Hearing]:
    """Return how far each coin has been listened to; what is stored and not yet recorded does not count as heard."""
    waiting: dict[tuple[str, str], datetime] = {
        (coin, network): oldest
        for coin, network, oldest in session.exec(
            select(IncomingEvent.coin, IncomingEvent.network, func.min(IncomingEvent.at))
            .where(col(IncomingEvent.recorded_at).is_(None), col(IncomingEvent.error).is_(None))
            .group_by(col(IncomingEvent.coin), col(IncomingEvent.network))
        )
    }
    found = {}
    for cursor in session.exec(select(Cursor)):
        key = (cursor.coin, cursor.network)
        ends = [end for end in (cursor.heard_until, waiting.get(key)) if end is not None]
        until = min(ends) if cursor.heard_until is not None else None
        found[key] = Hearing(height=cursor.height, until=until)
    return found


@dataclass(frozen=True, kw_only=True)
class Push:
    """What the open pages of an invoice are told once the transaction is committed."""

    invoice_id: str
    message: dict[str, Any]


def settle(
    session: Session,
    cases: Sequence[Case],
    *,
    now: datetime,
    news: dict[str, list[InvoiceEventKind]] | None = None,
) -> list[Push]:
    """Judge locked invoices, write what they have become and announce what changed.

    Args:
        session: The transaction that holds the locks.
        cases: From `load` with locks.
        now: By the database's clock.
        news: What happened to their payments, by invoice id; announced before changes of status.
    """
    by_store: dict[str, list[outbox.Announcement]] = defaultdict(list)
    pushes = []
    for case in cases:
        items = _settle_one(case, now, (news or {}).get(case.invoice.id, []))
        by_store[case.invoice.store_id] += items
        if items:
            pushes.append(Push(invoice_id=case.invoice.id, message=case.push_message()))
    session.flush()
    for store_id in sorted(by_store):  # one order for all, so that two transactions never wait in a ring
        outbox.announce(session, store_id, by_store[store_id], now=now)
    return pushes


def _settle_one(case: Case, now: datetime, news: list[InvoiceEventKind]) -> list[outbox.Announcement]:
    invoice, decision = case.invoice, case.decide(now)
    kinds = news + settlement.announcements(invoice.status, decision)
    is_changed = (invoice.status, invoice.exception_status, invoice.paid_method_id, invoice.paid_at) != (
        decision.status,
        decision.exception_status,
        decision.paid_method,
        decision.paid_at,
    )
    if is_changed:
        invoice.status = decision.status
        invoice.exception_status = decision.exception_status
        invoice.paid_method_id = decision.paid_method
        invoice.paid_at = decision.paid_at
        invoice.updated_at = now
    if not kinds:
        return []
    view = case.view()
    return [outbox.Announcement(kind=kind, invoice=view, reason=decision.reason) for kind in kinds]


def method_names(methods: Sequence[PaymentMethod]) -> dict[str, str]:
    """Return the name a buyer sees for each method: `BTC`, `BTC (⚡)`, `BTC (1)` among several, or its label."""
    unlabelled = [m for m in methods if not m.label]
    names = {}
    for method in methods:
        twins = [m for m in unlabelled if (m.symbol, m.is_lightning) == (method.symbol, method.is_lightning)]
        name = method.label or (f"{method.symbol} (⚡)" if method.is_lightning else method.symbol)
        if not method.label and len(twins) > 1:
            name = f"{name} ({twins.index(method) + 1})"
        names[method.id] = name.upper()
    return names
