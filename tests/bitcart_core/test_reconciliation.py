"""What a listener missed is found by asking, in bulk, and told as if it had been heard."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import text

from bitcart_core import invoices
from bitcart_core.db import transaction
from bitcart_core.errors import CoinUnreachable
from bitcart_core.reconciliation import reconcile
from bitcart_core.testing.shop import Shop


def ask(shop: Shop) -> int:
    return reconcile(shop.kernel, "btc", "regtest")


def test_a_payment_nobody_heard_of_is_found(shop: Shop):
    case = shop.sell("50")
    shop.coin.pay(case.methods[0].lookup_key, "0.001")

    assert ask(shop) == 1
    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]


def test_a_replacement_nobody_heard_of_is_found(shop: Shop):
    shop.configure(transaction_speed=1)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.coin.change(shop.coin.outputs[txid, "0"], is_replaced=True)
    ask(shop)

    assert shop.standing(case) == ("pending", "none")
    assert shop.kinds(case)[-2:] == ["payment_replaced", "invoice_stepped_down"]


def test_blocks_nobody_heard_of_bury_what_lies_below_them(shop: Shop):
    shop.configure(transaction_speed=3)
    case = shop.sell("50")
    shop.pay(case, "0.001")
    shop.coin.mine(3)
    shop.hear(shop.coin.heartbeat())  # the daemon came back after the blocks
    ask(shop)

    assert shop.standing(case) == ("complete", "none")


def test_asking_twice_tells_nothing_twice(shop: Shop):
    case = shop.sell("50")
    shop.coin.pay(case.methods[0].lookup_key, "0.001")
    ask(shop)
    told = shop.kinds(case)
    ask(shop)

    assert shop.kinds(case) == told
    assert len(shop.payments()) == 1


def test_an_answer_older_than_what_was_heard_meanwhile_changes_nothing(shop: Shop, monkeypatch):
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    answered = shop.coin.payments_of([case.methods[0].lookup_key])
    shop.change(txid, is_replaced=True)
    monkeypatch.setattr(shop.coin, "payments_of", Mock(return_value=answered))
    ask(shop)

    assert shop.payments()[0].is_replaced
    assert shop.standing(case) == ("pending", "none")


def test_a_daemon_that_is_down_is_said_so_and_changes_nothing(shop: Shop):
    case = shop.sell("50")
    shop.coin.is_down = True

    with pytest.raises(CoinUnreachable):
        ask(shop)
    assert shop.standing(case) == ("pending", "none")


@pytest.mark.parametrize(("methods", "questions"), [(0, 0), (1, 1), (1000, 1), (1001, 2), (2500, 3)])
def test_a_thousand_methods_are_one_question(shop: Shop, monkeypatch, methods, questions):
    if methods:
        multiply(shop, methods)
    asked = Mock(wraps=shop.coin.payments_of)
    monkeypatch.setattr(shop.coin, "payments_of", asked)
    ask(shop)

    keys = [key for call in asked.call_args_list for key in call.args[0]]
    assert asked.call_count == questions
    assert len(keys) == len(set(keys)) == methods


def multiply(shop: Shop, methods: int) -> None:
    """Sell once, and give the invoice as many methods as that."""
    shop.sell("50")
    with transaction(shop.kernel.engine) as session:
        session.execute(text("create temporary table more on commit drop as select * from payment_methods"))
        session.execute(text("""
            insert into payment_methods select copy.* from generate_series(2, :methods) number, more,
            jsonb_populate_record(more, jsonb_build_object('id', lpad(number::text, 26, '0'), 'lookup_key', number)) copy
        """), {"methods": methods})  # fmt: skip


def test_methods_that_are_watched_no_more_are_not_asked_for(shop: Shop, monkeypatch):
    case = shop.sell("50")
    shop.age(case, days=31)
    shop.sweep()
    invoices.close_watched_out(shop.kernel)
    asked = Mock(wraps=shop.coin.payments_of)
    monkeypatch.setattr(shop.coin, "payments_of", asked)

    assert ask(shop) == 0
    assert asked.call_count == 0


def test_money_that_came_in_time_while_the_listener_was_down_counts_as_in_time(shop: Shop):
    case = shop.sell("50")
    shop.coin.pay(case.methods[0].lookup_key, "0.001")
    expires_at = shop.age(case, minutes=20)
    item = shop.coin.outputs["tx-1", "0"]
    shop.coin.change(item, first_seen_at=expires_at - timedelta(seconds=1))
    ask(shop)

    assert shop.standing(case) == ("complete", "none")
