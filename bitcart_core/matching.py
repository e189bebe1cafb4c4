"""Money to payment methods: payments written as the daemon knows them, matched by lookup key, adopted, unmatched."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import text, tuple_, update
from sqlmodel import Session, col, select

from bitcart_core.events import PAYMENT_UNMATCHED, InvoiceEventKind, PaymentEvent, Position
from bitcart_core.models import Event, Invoice, Payment, PaymentMethod
from bitcart_core.settlement import Status

log = logging.getLogger(__name__)

News = dict[str, list[InvoiceEventKind]]
"""What happened to the payments of invoices, by invoice id; an empty list means: judge it again."""


def apply_payments(
    session: Session, coin: str, network: str, seen: Sequence[tuple[PaymentEvent, Position]], now: datetime
) -> News:
    """Write payments as the daemon knows them now, and match those that can be.

    An older entry never overwrites a newer one, so the order of arrival does not matter.

    Returns:
        What happened, by the id of each invoice that must be judged again.
    """
    if not seen:
        return {}
    lock_keys(session, coin, network, {event.lookup_key for event, _ in seen})
    methods = _methods(session, coin, network, {event.lookup_key for event, _ in seen})
    known = _known(session, coin, network, [(event.txid, event.output) for event, _ in seen])
    news: News = defaultdict(list)
    for event, position in seen:
        method = methods.get(event.lookup_key)
        payment = known.get((event.txid, event.output))
        if payment is None:
            payment = known[event.txid, event.output] = _new_payment(coin, network, event, position)
            session.add(payment)
            if method is None:
                _announce_unmatched(session, payment, now)
        else:
            _renew(payment, event, position, news)
        if payment.method_id is None and method is not None:
            payment.method_id, payment.invoice_id = method.id, method.invoice_id
            # one that is gone already was never seen standing: nothing to tell, but the invoice is judged
            news[method.invoice_id] += [] if payment.is_replaced else [InvoiceEventKind.PAYMENT_RECEIVED]
    session.flush()
    return dict(news)


def _renew(payment: Payment, event: PaymentEvent, position: Position, news: News) -> None:
    """Bring a payment up to date; of an older entry only an earlier first sight is new."""
    changed = news[payment.invoice_id] if payment.invoice_id is not None else []
    payment.first_seen_at = min(payment.first_seen_at, event.first_seen_at)
    if Position(epoch=payment.epoch, seq=payment.seq) > position:
        return
    if event.is_replaced != payment.is_replaced:
        changed.append(InvoiceEventKind.PAYMENT_REPLACED if event.is_replaced else InvoiceEventKind.PAYMENT_RECEIVED)
    payment.height, payment.block_hash, payment.block_time = event.height, event.block_hash, event.block_time
    payment.is_replaced, payment.is_settled = event.is_replaced, event.is_settled
    payment.epoch, payment.seq = position.epoch, position.seq


def _new_payment(coin: str, network: str, event: PaymentEvent, position: Position) -> Payment:
    return Payment(
        coin=coin, network=network, txid=event.txid, output=event.output, lookup_key=event.lookup_key,
        address=event.address, amount=event.amount, first_seen_at=event.first_seen_at, height=event.height,
        block_hash=event.block_hash, block_time=event.block_time, is_replaced=event.is_replaced,
        is_settled=event.is_settled, epoch=position.epoch, seq=position.seq,
    )  # fmt: skip


def lock_keys(session: Session, coin: str, network: str, lookup_keys: Iterable[str]) -> None:
    """Hold lookup keys until the end of the transaction.

    Whoever inserts a payment and whoever inserts a payment method with the same key wait for each other here, so that
    one of the two always sees the other's row.
    """
    session.execute(
        text("select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest(cast(:keys as text[])) key"),
        {"keys": [f"{coin}:{network}:{key}" for key in sorted(set(lookup_keys))]},
    )


def _methods(session: Session, coin: str, network: str, keys: Iterable[str]) -> dict[str, PaymentMethod]:
    """Return the method of each key: the open one, else the one that was closed last."""
    rows = session.exec(
        select(PaymentMethod)
        .where(
            PaymentMethod.coin == coin, PaymentMethod.network == network, col(PaymentMethod.lookup_key).in_(set(keys))
        )
        .order_by(col(PaymentMethod.is_open), col(PaymentMethod.id))
    )
    return {method.lookup_key: method for method in rows}


def _known(
    session: Session, coin: str, network: str, outputs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Payment]:
    rows = session.exec(
        select(Payment).where(
            Payment.coin == coin,
            Payment.network == network,
            tuple_(col(Payment.txid), col(Payment.output)).in_(outputs),
        )
    )
    return {(payment.txid, payment.output): payment for payment in rows}


def adopt(session: Session, methods: Sequence[PaymentMethod]) -> News:
    """Match payments that arrived before their method was known; called in the transaction that inserts methods.

    Returns:
        What happened, by the id of each invoice that must be judged again; nothing if no payment was found.
    """
    news: News = defaultdict(list)
    for method in methods:
        adopted = session.execute(
            update(Payment)
            .where(
                col(Payment.coin) == method.coin,
                col(Payment.network) == method.network,
                col(Payment.lookup_key) == method.lookup_key,
                col(Payment.method_id).is_(None),
            )
            .values(method_id=method.id, invoice_id=method.invoice_id)
            .returning(col(Payment.is_replaced))
            .execution_options(synchronize_session=False)
        ).scalars()
        for is_replaced in adopted:
            news[method.invoice_id] += [] if is_replaced else [InvoiceEventKind.PAYMENT_RECEIVED]
    return dict(news)


def _announce_unmatched(session: Session, payment: Payment, now: datetime) -> None:
    """Keep money that belongs to no invoice, and say so to the operator."""
    log.warning(
        "%s/%s payment %s:%s of %s matches no invoice; it is kept until one adopts it",
        payment.coin, payment.network, payment.txid, payment.output, payment.amount,
    )  # fmt: skip
    session.add(
        Event(
            seq=0, kind=PAYMENT_UNMATCHED, created_at=now, spread_due_at=now, spread_at=now,
            payload={"coin": payment.coin, "network": payment.network, "txid": payment.txid, "output": payment.output,
                     "amount": str(payment.amount), "lookup_key": payment.lookup_key},
        )
    )  # fmt: skip


def newly_buried(session: Session, coin: str, network: str, height: int) -> list[str]:
    """Return the unsettled invoices that a new block may have buried deep enough, in one statement."""
    statement = (
        select(Invoice.id)
        .distinct()
        .join(Payment, col(Payment.invoice_id) == col(Invoice.id))
        .join(PaymentMethod, col(PaymentMethod.id) == col(Payment.method_id))
        .where(
            col(Invoice.status).in_([Status.PAID, Status.CONFIRMED]),
            Payment.coin == coin,
            Payment.network == network,
            col(Payment.height).is_not(None),
            height - col(Payment.height) + 1 >= col(PaymentMethod.confirmations_required),
        )
    )
    return list(session.exec(statement))
