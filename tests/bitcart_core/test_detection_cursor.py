"""How far a coin was listened to, who may say so, and what an expiry makes of it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update
from sqlmodel import Session, func, select

from bitcart_core import detection, invoices
from bitcart_core.db import transaction
from bitcart_core.detection import LostLeaseError
from bitcart_core.models import Cursor, IncomingEvent
from bitcart_core.testing.shop import Shop


def cursor(shop: Shop) -> Cursor:
    with Session(shop.kernel.engine) as session:
        return detection.cursor(session, "btc", "regtest")


def store(shop: Shop, *items, fence=1) -> bool:
    with transaction(shop.kernel.engine) as session:
        return detection.store(session, "btc", "regtest", items, fence=fence)


def test_a_coin_nobody_listened_to_has_no_cursor(shop: Shop):
    assert cursor(shop) is None


def test_the_cursor_stands_at_the_last_entry_stored(shop: Shop):
    store(shop, shop.coin.pay("key", "1"), shop.coin.mine(3))

    assert (cursor(shop).epoch, cursor(shop).seq, cursor(shop).height) == (1, 2, 103)


def test_an_entry_is_due_and_a_heartbeat_is_not(shop: Shop):
    assert store(shop, shop.coin.pay("key", "1"))
    assert not store(shop, shop.coin.heartbeat())


def test_whoever_lost_the_lease_stores_nothing(shop: Shop):
    store(shop, shop.coin.heartbeat(), fence=7)
    with pytest.raises(LostLeaseError, match="btc/regtest is listened to under a later lease"):
        store(shop, shop.coin.pay("key", "1"), fence=6)

    with Session(shop.kernel.engine) as session:
        assert session.exec(select(IncomingEvent)).all() == []
    assert (cursor(shop).seq, cursor(shop).fence) == (0, 7)


def test_the_same_lease_and_a_later_one_go_on(shop: Shop):
    store(shop, shop.coin.heartbeat(), fence=7)
    store(shop, shop.coin.pay("key", "1"), fence=7)
    store(shop, shop.coin.pay("key", "1"), fence=8)

    assert (cursor(shop).seq, cursor(shop).fence) == (2, 8)


def test_a_daemon_that_is_still_catching_up_was_not_heard_until_now(shop: Shop):
    store(shop, replace(shop.coin.pay("key", "1"), is_caught_up=False))
    assert cursor(shop).heard_until is None

    caught_up = shop.coin.heartbeat()
    store(shop, caught_up)
    store(shop, replace(shop.coin.pay("key", "1"), is_caught_up=False))
    assert cursor(shop).heard_until == caught_up.at


def test_an_invoice_waits_for_a_daemon_that_was_not_heard_until_its_expiry(shop: Shop):
    case = shop.sell("50")
    expires_at = shop.age(case, minutes=16)
    shop.coin.clock = expires_at - timedelta(seconds=1)
    assert shop.sweep() == 0
    assert shop.standing(case) == ("pending", "none")

    shop.coin.clock = expires_at
    assert shop.sweep() == 1
    assert shop.standing(case) == ("expired", "none")


def test_a_payment_stored_in_time_and_not_yet_recorded_holds_the_expiry_back(shop: Shop):
    case = shop.sell("50")
    store(shop, shop.coin.pay(case.methods[0].lookup_key, "0.001"))
    shop.age(case, minutes=20)
    with transaction(shop.kernel.engine) as session:
        session.execute(update(IncomingEvent).values(at=func.now() - timedelta(minutes=6)))
    store(shop, shop.coin.heartbeat())

    assert invoices.expire_due(shop.kernel) == 0
    assert shop.standing(case) == ("pending", "none")
