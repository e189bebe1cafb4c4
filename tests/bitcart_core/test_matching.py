"""Money finds its invoice: by name, later, across a race, and never twice."""

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy import text, update
from sqlmodel import Session, func, select

from bitcart_core import invoices, matching
from bitcart_core.db import transaction
from bitcart_core.models import Event, PaymentMethod
from bitcart_core.testing.shop import Shop

NEXT_KEY = "request-xpub1-1"
"""What the fake coin calls the first request it hands out."""


def unmatched(shop: Shop):
    with Session(shop.kernel.engine) as session:
        return session.exec(select(Event).where(Event.kind == "payment_unmatched")).all()


def test_money_that_matches_nothing_is_kept_and_told_to_the_operator(shop: Shop, caplog):
    shop.hear(shop.coin.pay("a stranger's request", "0.001", txid="tx"))

    assert shop.payments()[0].invoice_id is None
    assert [event.payload["txid"] for event in unmatched(shop)] == ["tx"]
    assert "payment tx:0 of 0.001 matches no invoice" in caplog.text


def test_unmatched_money_is_told_once(shop: Shop):
    txid = "tx"
    shop.hear(shop.coin.pay("stranger", "0.001", txid=txid))
    shop.hear(shop.coin.mine())
    shop.hear(shop.coin.change(shop.coin.outputs[txid, "0"], is_replaced=True))

    assert len(unmatched(shop)) == 1
    assert shop.payments()[0].is_replaced


def test_unmatched_money_is_adopted_when_its_invoice_is_made(shop: Shop):
    shop.hear(shop.coin.pay(NEXT_KEY, "0.001"))
    case = shop.sell("50")

    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]


def test_unmatched_money_that_is_gone_again_is_adopted_and_not_told(shop: Shop):
    shop.hear(shop.coin.pay(NEXT_KEY, "0.001", txid="tx"))
    shop.hear(shop.coin.change(shop.coin.outputs["tx", "0"], is_replaced=True))
    case = shop.sell("50")

    assert shop.payments()[0].invoice_id == case.invoice.id
    assert shop.kinds(case) == ["invoice_created"]


def test_two_unmatched_payments_are_both_told_once_adopted(shop: Shop):
    shop.hear(shop.coin.pay(NEXT_KEY, "0.0004"), shop.coin.pay(NEXT_KEY, "0.0006"))
    case = shop.sell("50")

    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case).count("payment_received") == 2


def test_money_left_unmatched_is_adopted_by_the_next_word_of_it(shop: Shop):
    case = shop.sell("50")
    shop.hear(shop.coin.pay("a name the daemon gave up", "0.001", txid="tx"))
    shop.hear(shop.coin.pay(case.methods[0].lookup_key, "0.001", txid="tx"))

    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]


def test_money_for_a_closed_method_still_finds_its_invoice(shop: Shop):
    case = shop.sell("50")
    shop.age(case, days=60)
    shop.sweep()
    assert invoices.close_watched_out(shop.kernel) == 1
    shop.pay(case, "0.001")

    assert shop.standing(case) == ("expired", "paid_late")


def test_an_open_method_is_preferred_to_a_closed_one_of_the_same_name(shop: Shop):
    old = shop.sell("50")
    with transaction(shop.kernel.engine) as session:
        session.execute(update(PaymentMethod).values(is_open=False))
    shop.coin._request_ids = itertools.count(1)
    new = shop.sell("50")
    assert new.methods[0].lookup_key == old.methods[0].lookup_key
    shop.pay(new, "0.001")

    assert shop.standing(new)[0] == "complete"
    assert shop.standing(old)[0] == "pending"


def test_the_same_output_on_two_coins_is_two_payments(bazaar: Shop, litecoin):
    case = bazaar.sell("50")
    bazaar.hear(bazaar.coin.pay(case.methods[0].lookup_key, "0.0005", txid="tx"))
    bazaar.hear(litecoin.pay(case.methods[1].lookup_key, "0.25", txid="tx"), coin="ltc")

    assert bazaar.standing(case) == ("complete", "none")


def test_two_outputs_of_one_transaction_are_two_payments(shop: Shop):
    case = shop.sell("50")
    key = case.methods[0].lookup_key
    shop.hear(shop.coin.pay(key, "0.0005", txid="tx", output="0"), shop.coin.pay(key, "0.0005", txid="tx", output="1"))

    assert shop.standing(case) == ("complete", "none")


def wait_until_someone_waits(shop: Shop):
    """Return once a transaction waits for a lookup key that another holds."""
    waiting = text("select count(*) from pg_locks where locktype = 'advisory' and not granted")
    with shop.kernel.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not connection.execute(waiting).scalar_one():
            threading.Event().wait(0.01)


def test_an_invoice_made_while_its_payment_is_being_recorded_adopts_it(shop: Shop):
    item = shop.coin.pay(NEXT_KEY, "0.001")
    with ThreadPoolExecutor(1) as pool:
        with transaction(shop.kernel.engine) as session:
            now = session.exec(select(func.now())).one()
            matching.apply_payments(session, "btc", "regtest", [(item.events[0], item.position)], now)
            selling = pool.submit(shop.sell, "50")
            wait_until_someone_waits(shop)
        case = selling.result(timeout=30)

    assert shop.standing(case) == ("complete", "none")


def test_a_payment_recorded_while_its_invoice_is_being_made_finds_it(shop: Shop, monkeypatch):
    found_nothing, may_commit, adopt = threading.Event(), threading.Event(), matching.adopt

    def adopt_slowly(session, methods):
        news = adopt(session, methods)
        found_nothing.set()
        assert may_commit.wait(timeout=30)
        return news

    monkeypatch.setattr(matching, "adopt", adopt_slowly)
    with ThreadPoolExecutor(2) as pool:
        selling = pool.submit(shop.sell, "50")
        assert found_nothing.wait(timeout=30)
        hearing = pool.submit(shop.hear, shop.coin.pay(NEXT_KEY, "0.001"))
        wait_until_someone_waits(shop)
        may_commit.set()
        hearing.result(timeout=30)

    assert shop.standing(selling.result()) == ("complete", "none")


def test_whoever_comes_first_the_payment_finds_its_invoice(shop: Shop, at_once):
    for number in range(1, 9):
        item = shop.coin.pay(f"request-xpub1-{number}", "0.001")
        case, _ = at_once(partial(shop.sell, "50"), partial(shop.hear, item))

        assert shop.standing(case) == ("complete", "none")
        assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]
