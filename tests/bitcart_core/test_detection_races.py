"""Several workers at once: one payment, one transition, no ring of locks."""

import random
import threading
from functools import partial

import pytest
from sqlmodel import Session, func, select

from bitcart_core import cases, detection, invoices, matching
from bitcart_core.db import transaction
from bitcart_core.models import IncomingEvent
from bitcart_core.settlement import Verdict
from bitcart_core.testing.shop import Shop

WORKERS = 8
STORY = ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]


def flood(shop: Shop, sold, *, copies=3):
    """Fill the inbox with every payment several times over, in any order."""
    events = [
        detection.to_stored(shop.coin.pay(case.methods[0].lookup_key, "0.001", txid=f"tx-{case.invoice.id}").events[0])
        for case in sold
        for _ in range(copies)
    ]
    random.Random(7).shuffle(events)  # noqa: S311 - the same order in every run
    with transaction(shop.kernel.engine) as session:
        session.add_all(
            IncomingEvent(coin="btc", network="regtest", epoch=1, seq=seq, events=[event])
            for seq, event in enumerate(events, 1000)
        )


@pytest.mark.usefixtures("no_deadlocks")
@pytest.mark.parametrize("batch", [1, 4, 200])
def test_eight_workers_on_a_shuffled_inbox_record_each_payment_once(shop: Shop, at_once, monkeypatch, batch):
    monkeypatch.setattr(detection, "BATCH", batch)
    sold = [shop.sell("50") for _ in range(10)]
    flood(shop, sold)

    at_once(*[partial(detection.record_due, shop.kernel, "btc", "regtest")] * WORKERS)
    detection.record_due(shop.kernel, "btc", "regtest")

    assert len(shop.payments()) == len(sold)
    assert [shop.kinds(case) for case in sold] == [STORY] * len(sold)
    assert [event.seq for event in shop.events()] == list(range(1, len(sold) * len(STORY) + 1))


@pytest.mark.usefixtures("no_deadlocks")
def test_poison_in_the_inbox_of_eight_workers_makes_no_ring_of_locks(shop: Shop, at_once, monkeypatch):
    monkeypatch.setattr(detection, "BATCH", 8)
    sold = [shop.sell("50") for _ in range(12)]
    flood(shop, sold)
    with transaction(shop.kernel.engine) as session:
        for entry in session.exec(select(IncomingEvent).where(IncomingEvent.seq % 5 == 0)):
            entry.events = [*entry.events, {"kind": "nonsense"}]

    at_once(*[partial(detection.record_due, shop.kernel, "btc", "regtest")] * WORKERS)

    with Session(shop.kernel.engine) as session:
        waiting = session.exec(select(IncomingEvent).where(IncomingEvent.recorded_at.is_(None))).all()
    assert {entry.seq % 5 for entry in waiting} == {0}
    assert all(entry.error for entry in waiting)


@pytest.mark.usefixtures("no_deadlocks")
def test_two_coins_paid_at_the_same_moment_do_not_wait_for_each_other_for_ever(bazaar: Shop, litecoin, at_once):
    sold = [bazaar.sell("50") for _ in range(10)]
    pay_in = {
        "btc": [bazaar.coin.pay(case.methods[0].lookup_key, "0.0005") for case in sold],
        "ltc": [litecoin.pay(case.methods[1].lookup_key, "0.25") for case in reversed(sold)],
    }

    at_once(*(partial(bazaar.hear, *items, coin=coin) for coin, items in pay_in.items()))

    assert {bazaar.standing(case) for case in sold} == {("complete", "none")}


@pytest.mark.usefixtures("no_deadlocks")
def test_two_transactions_that_each_inserted_a_payment_of_one_invoice_take_turns(bazaar: Shop, litecoin, at_once):
    case = bazaar.sell("50")
    barrier = threading.Barrier(2)

    def pay(coin, item):
        with transaction(bazaar.kernel.engine) as session:
            now = session.exec(select(func.now())).one()
            news = matching.apply_payments(session, coin, "regtest", [(item.events[0], item.position)], now)
            barrier.wait(timeout=30)  # both hold the invoice by their payment's foreign key
            cases.settle(session, cases.load(session, news, is_locking=True), now=now, news=news)

    at_once(
        partial(pay, "btc", bazaar.coin.pay(case.methods[0].lookup_key, "0.0005")),
        partial(pay, "ltc", litecoin.pay(case.methods[1].lookup_key, "0.25")),
    )

    assert bazaar.standing(case) == ("complete", "none")


@pytest.mark.usefixtures("no_deadlocks")
def test_marks_sweeps_sales_and_payments_of_two_stores_run_side_by_side(kernel, coin, at_once):
    shops = [Shop.open(kernel, coin, email=f"{name}@example.com") for name in ("green", "brown")]
    sold = [(shop, shop.sell("50")) for _ in range(6) for shop in shops]
    for shop, case in sold[:6]:
        shop.age(case, minutes=20)
    flood(shops[0], [case for _, case in sold])
    record = partial(detection.record_due, kernel, "btc", "regtest")

    def mark_all():
        for _, case in sold:
            invoices.mark(kernel, case.invoice.id, Verdict.COMPLETE, user_id=None)

    def sell_some():
        for shop in shops:
            shop.sell("50")

    at_once(
        record, record, mark_all, mark_all, shops[0].sweep, partial(invoices.expire_due, kernel), sell_some, sell_some
    )

    assert {shop.standing(case)[0] for shop, case in sold} == {"complete"}
    for shop in shops:
        assert [event.seq for event in shop.events()] == list(range(1, len(shop.events()) + 1))
