"""From what a daemon says to a settled invoice, on a real database."""

from sqlmodel import Session

from bitcart_core.db import transaction
from bitcart_core.models import IncomingEvent
from bitcart_core.testing.shop import Shop


def test_a_full_payment_is_paid_then_complete_at_once_where_no_confirmation_is_asked_for(shop: Shop):
    case = shop.sell("50")
    shop.pay(case, "0.001")

    assert shop.standing(case) == ("complete", "none")
    assert shop.kinds(case) == ["invoice_created", "payment_received", "invoice_paid", "invoice_completed"]
    shop.deliver()
    assert shop.told() == shop.kinds(case)


def test_two_part_payments_add_up(shop: Shop):
    case = shop.sell("50")
    shop.pay(case, "0.0004")
    assert shop.standing(case) == ("pending", "paid_partial")

    shop.pay(case, "0.0006")
    assert shop.standing(case) == ("complete", "none")


def test_too_much_is_recorded_as_paid_over(shop: Shop):
    case = shop.sell("50")
    shop.pay(case, "0.002")

    assert shop.standing(case) == ("complete", "paid_over")


def test_confirmations_are_counted_from_blocks(shop: Shop):
    shop.configure(transaction_speed=2)
    case = shop.sell("50")
    shop.pay(case, "0.001")
    assert shop.standing(case) == ("paid", "none")

    shop.mine()
    assert shop.standing(case) == ("confirmed", "none")

    shop.mine()
    assert shop.standing(case) == ("complete", "none")


def test_the_same_event_twice_is_one_payment_and_one_announcement(shop: Shop):
    case = shop.sell("50")
    item = shop.coin.pay(case.methods[0].lookup_key, "0.001", txid="tx")
    shop.hear(item)
    shop.hear(item)
    again = shop.coin.pay(case.methods[0].lookup_key, "0.001", txid="tx")
    shop.hear(again)

    assert len(shop.payments()) == 1
    assert shop.kinds(case).count("invoice_completed") == 1


def test_money_that_matches_no_invoice_is_kept_and_adopted_later(shop: Shop):
    shop.hear(shop.coin.pay("request-xpub1-1", "0.001"))
    assert shop.payments()[0].method_id is None

    case = shop.sell("50")
    assert case.methods[0].lookup_key == "request-xpub1-1"
    assert shop.standing(case) == ("complete", "none")


def test_a_poison_entry_blocks_nobody_but_itself(shop: Shop):
    case = shop.sell("50")
    good = shop.coin.pay(case.methods[0].lookup_key, "0.001")
    with transaction(shop.kernel.engine) as session:
        poison = IncomingEvent(coin="btc", network="regtest", epoch=1, seq=77, events=[{"kind": "nonsense"}])
        session.add(poison)
    shop.hear(good)

    assert shop.standing(case) == ("complete", "none")
    with Session(shop.kernel.engine) as session:
        kept = session.get_one(IncomingEvent, poison.id)
    assert kept.recorded_at is None
    assert "nonsense" in (kept.error or "")
