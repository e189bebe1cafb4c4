"""Daemons repeat themselves, speak out of order and take back what they said; the invoice never minds."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bitcart_core.coins import StreamItem
from bitcart_core.events import BlockEvent, PaymentEvent, Position
from bitcart_core.testing.shop import Shop

SEEN_AT = datetime(2026, 1, 1, tzinfo=UTC)


def entry(seq, *events, epoch=1):
    return StreamItem(
        position=Position(epoch=epoch, seq=seq), at=datetime.now(UTC), events=events, height=101, is_caught_up=True
    )


def life_of(key):
    """Four journal entries that tell one payment from first sight to its second replacement by a block."""
    seen = PaymentEvent(
        lookup_key=key, address=key, txid="tx", output="0", amount=Decimal("0.001"), first_seen_at=SEEN_AT
    )
    later = replace(seen, first_seen_at=SEEN_AT + timedelta(minutes=1))
    mined = replace(later, height=101, block_hash="b101", block_time=SEEN_AT + timedelta(minutes=9))
    return [
        entry(1, seen),
        entry(2, replace(later, is_replaced=True)),
        entry(3, later),
        entry(4, mined, BlockEvent(height=101)),
    ]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_payment_ends_the_same_whatever_entry_is_recorded_first(shop: Shop, order):
    shop.configure(transaction_speed=1)
    case = shop.sell("50")
    entries = life_of(case.methods[0].lookup_key)
    for index in order:
        shop.hear(entries[index])

    payment = shop.payments()[0]
    assert (payment.height, payment.is_replaced, payment.seq, payment.first_seen_at) == (101, False, 4, SEEN_AT)
    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case).count("invoice_completed") == 1


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5])
def test_an_entry_told_many_times_is_recorded_once(shop: Shop, times):
    case = shop.sell("50")
    item = shop.coin.pay(case.methods[0].lookup_key, "0.001")
    for _ in range(times):
        shop.hear(item)

    assert len(shop.payments()) == 1
    assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]


@pytest.mark.parametrize("times", [2, 5])
def test_a_payment_told_by_many_entries_is_one_payment(shop: Shop, times):
    case = shop.sell("50")
    key = case.methods[0].lookup_key
    shop.hear(*(shop.coin.pay(key, "0.001", txid="tx") for _ in range(times)))

    assert len(shop.payments()) == 1
    assert shop.kinds(case).count("payment_received") == 1


def test_a_new_journal_counts_as_later_than_the_one_that_was_lost(shop: Shop):
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.coin.epoch, shop.coin.seq = 2, 0
    shop.change(txid, is_replaced=True)

    assert shop.standing(case)[0] == "pending"


def test_a_replaced_payment_steps_down_and_is_told(shop: Shop):
    shop.configure(transaction_speed=1)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.change(txid, is_replaced=True)

    assert shop.standing(case) == ("pending", "none")
    assert shop.kinds(case)[-2:] == ["payment_replaced", "invoice_stepped_down"]


def test_a_payment_replaced_before_anyone_heard_of_it_is_kept_and_not_told(shop: Shop):
    case = shop.sell("50")
    first = shop.coin.pay(case.methods[0].lookup_key, "0.001", txid="tx")
    gone = shop.coin.change(shop.coin.outputs["tx", "0"], is_replaced=True)
    shop.hear(first, gone)

    assert shop.payments()[0].is_replaced
    assert shop.kinds(case) == ["invoice_created"]


def test_a_fee_raised_while_there_is_time_leaves_the_invoice_paid(shop: Shop):
    shop.configure(transaction_speed=1)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    bumped = shop.coin.pay(case.methods[0].lookup_key, "0.001")
    gone = shop.coin.change(shop.coin.outputs[txid, "0"], is_replaced=True)
    shop.hear(bumped, gone)

    assert shop.standing(case) == ("paid", "none")
    assert "invoice_stepped_down" not in shop.kinds(case)


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganisation_that_drops_the_block_takes_the_confirmations_back(shop: Shop, depth):
    shop.configure(transaction_speed=3)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.mine(depth)
    assert shop.standing(case) == ("confirmed", "none")

    shop.coin.height -= depth
    shop.change(txid, height=None, block_hash=None, block_time=None)

    assert shop.standing(case) == ("paid", "none")
    assert shop.kinds(case)[-1] == "invoice_stepped_down"


@pytest.mark.parametrize("depth", [1, 2])
def test_a_reorganisation_after_complete_is_told_loudly(shop: Shop, depth):
    shop.configure(transaction_speed=depth)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.mine(depth)
    assert shop.standing(case) == ("complete", "none")

    shop.coin.height -= depth
    shop.change(txid, height=None, block_hash=None, block_time=None)

    assert shop.standing(case) == ("paid", "none")
    assert shop.kinds(case)[-1] == "invoice_stepped_down"
    shop.mine(depth)
    assert shop.standing(case) == ("complete", "none")


def test_a_completed_invoice_whose_money_is_double_spent_steps_down_and_is_invalid_once_its_time_is_over(shop: Shop):
    shop.configure(transaction_speed=1)
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")
    shop.mine()
    shop.age(case, minutes=20)
    shop.hear(shop.coin.heartbeat())
    shop.change(txid, is_replaced=True, height=None, block_hash=None, block_time=None)

    assert shop.standing(case) == ("invalid", "failed_confirm")
    assert shop.kinds(case)[-3:] == ["payment_replaced", "invoice_stepped_down", "invoice_invalidated"]


@pytest.mark.parametrize("late_by", [timedelta(seconds=1), timedelta(hours=25)])
def test_late_money_is_kept_flagged_and_told(shop: Shop, late_by):
    case = shop.sell("50")
    expires_at = shop.age(case, hours=30)
    assert shop.sweep() == 1
    shop.pay(case, "0.001", at=expires_at + late_by)

    assert shop.standing(case) == ("expired", "paid_late")
    assert shop.kinds(case) == ["invoice_created", "invoice_expired", "payment_received"]
    assert shop.events(case)[-1].invoice.payments[0].is_late


@pytest.mark.parametrize("late_by", [timedelta(seconds=1), timedelta(hours=25)])
def test_late_money_completes_the_invoice_where_the_store_says_so(shop: Shop, late_by):
    shop.configure(accept_late_payments=True)
    case = shop.sell("50")
    expires_at = shop.age(case, hours=30)
    shop.sweep()
    shop.pay(case, "0.001", at=expires_at + late_by)

    assert shop.standing(case) == ("complete", "paid_late")


def test_money_in_a_block_of_before_the_expiry_is_on_time_though_the_daemon_was_down(shop: Shop):
    case = shop.sell("50")
    expires_at = shop.age(case, minutes=20)
    txid = shop.pay(case, "0.001")
    assert shop.standing(case) == ("expired", "paid_late")

    shop.change(txid, height=101, block_hash="b101", block_time=expires_at - timedelta(seconds=1))

    assert shop.standing(case) == ("complete", "none")


def test_one_block_buries_the_payments_of_many_invoices(shop: Shop):
    shop.configure(transaction_speed=2)
    sold = [shop.sell("50") for _ in range(30)]
    shop.hear(*(shop.coin.pay(case.methods[0].lookup_key, "0.001") for case in sold))
    shop.mine()
    assert {shop.standing(case) for case in sold} == {("confirmed", "none")}

    shop.mine()

    assert {shop.standing(case) for case in sold} == {("complete", "none")}


def test_two_coins_add_up_to_one_bill(bazaar: Shop, litecoin):
    case = bazaar.sell("50")
    bitcoin_key, litecoin_key = (method.lookup_key for method in case.methods)
    bazaar.hear(bazaar.coin.pay(bitcoin_key, "0.0004"))
    assert bazaar.standing(case) == ("pending", "paid_partial")

    bazaar.hear(litecoin.pay(litecoin_key, "0.3"), coin="ltc")

    assert bazaar.standing(case) == ("complete", "none")
    assert bazaar.events(case)[-1].invoice.paid_currency == "LTC"
