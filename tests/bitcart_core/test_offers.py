"""Coins that are slow, down or broken never keep a buyer from paying with another."""

import itertools
import threading

import pytest
from sqlmodel import Session, func, select

from bitcart_core import offers
from bitcart_core.db import transaction
from bitcart_core.errors import CoinError, CoinRefused, CoinUnreachable, InputError, RateUnavailable
from bitcart_core.models import Event, Invoice, PaymentMethod, Wallet
from bitcart_core.testing.shop import Shop


def nothing_is_left_behind(shop: Shop) -> bool:
    with Session(shop.kernel.engine) as session:
        return not any(
            session.exec(select(func.count()).select_from(table)).one() for table in (Invoice, PaymentMethod, Event)
        )


def symbols(case):
    return [method.symbol for method in case.methods]


def breaks(error):
    def create_request(*_, **__):
        raise error

    return create_request


def test_all_coins_are_offered_in_the_stores_order(bazaar: Shop):
    assert symbols(bazaar.sell("50")) == ["BTC", "LTC"]


def test_one_coin_down_leaves_the_other_offered(bazaar: Shop):
    bazaar.coin.is_down = True

    assert symbols(bazaar.sell("50")) == ["LTC"]


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyError("key"), OSError("no route"), AssertionError()])
def test_a_coin_that_breaks_in_its_own_way_leaves_the_other_offered(bazaar: Shop, monkeypatch, error):
    monkeypatch.setattr(bazaar.coin, "create_request", breaks(error))

    assert symbols(bazaar.sell("50")) == ["LTC"]


def test_a_coin_without_a_rate_leaves_the_other_offered(bazaar: Shop, monkeypatch):
    [rates] = bazaar.kernel.registry.rate_sources
    monkeypatch.delitem(rates.prices, "BTC_USD")

    assert symbols(bazaar.sell("50")) == ["LTC"]


def test_a_coin_too_dear_for_the_price_leaves_the_other_offered(bazaar: Shop, monkeypatch):
    [rates] = bazaar.kernel.registry.rate_sources
    monkeypatch.setitem(rates.prices, "BTC_USD", "5000000000")

    assert symbols(bazaar.sell("50")) == ["BTC", "LTC"]
    assert symbols(bazaar.sell("1")) == ["LTC"]


def test_with_all_coins_down_there_is_no_invoice_at_all(bazaar: Shop, litecoin):
    bazaar.coin.is_down = litecoin.is_down = True

    with pytest.raises(CoinUnreachable):
        bazaar.sell("50")
    assert nothing_is_left_behind(bazaar)


def test_a_wallet_of_a_coin_that_is_not_loaded_is_said_so(bazaar: Shop, monkeypatch):
    monkeypatch.delitem(bazaar.kernel.registry.coins, "btc")
    monkeypatch.delitem(bazaar.kernel.registry.coins, "ltc")

    with pytest.raises(CoinUnreachable, match="btc/regtest is not loaded here; add the coin"):
        bazaar.sell("50")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (InputError("the key is wrong", field="xpub"), InputError),
        (CoinRefused("not now"), CoinRefused),
        (RateUnavailable("no price"), RateUnavailable),
        (ZeroDivisionError("a bug"), CoinError),
    ],
)
def test_of_several_failures_the_one_that_can_be_mended_is_told(bazaar: Shop, litecoin, monkeypatch, error, told):
    bazaar.coin.is_down = True
    monkeypatch.setattr(litecoin, "create_request", breaks(error))

    with pytest.raises(told) as failure:
        bazaar.sell("50")
    assert not isinstance(failure.value, CoinUnreachable)
    assert nothing_is_left_behind(bazaar)


@pytest.fixture
def hanging(bazaar: Shop, monkeypatch):
    """The bazaar's Bitcoin daemon accepts questions and answers none of them, until the test is over."""
    release, was_asked = threading.Event(), threading.Event()

    def create_request(*_, **__):
        was_asked.set()
        release.wait()
        raise CoinUnreachable("the test is over")

    monkeypatch.setattr(bazaar.coin, "create_request", create_request)
    monkeypatch.setattr(offers, "DEADLINE_SECONDS", -0.8)  # with the second of grace: 0.2 seconds
    yield was_asked
    release.set()


def test_a_coin_that_hangs_delays_no_invoice_beyond_the_deadline(bazaar: Shop, hanging):
    case = bazaar.sell("50")

    assert hanging.is_set()
    assert symbols(case) == ["LTC"]


def test_a_coin_that_hangs_beside_one_that_is_down_is_unreachable(bazaar: Shop, litecoin, hanging):
    litecoin.is_down = True

    with pytest.raises(CoinUnreachable):
        bazaar.sell("50")
    assert hanging.is_set()
    assert nothing_is_left_behind(bazaar)


def test_no_transaction_is_open_while_a_coin_is_asked(bazaar: Shop, litecoin, monkeypatch):
    in_use = []
    create_request = litecoin.create_request

    def look(*args, **kwargs):
        in_use.append(bazaar.kernel.engine.pool.checkedout())
        return create_request(*args, **kwargs)

    monkeypatch.setattr(litecoin, "create_request", look)
    bazaar.sell("50")

    assert in_use == [0]


def test_a_coin_that_hands_out_one_request_twice_is_refused_the_second_time(shop: Shop):
    shop.sell("50")
    shop.coin._request_ids = itertools.count(1)

    with pytest.raises(CoinRefused, match="another invoice is waiting on"):
        shop.sell("50")
    with Session(shop.kernel.engine) as session:
        assert session.exec(select(func.count()).select_from(Invoice)).one() == 1


def test_the_wallets_confirmations_are_stronger_than_the_stores(shop: Shop):
    shop.configure(transaction_speed=3)
    case = shop.sell("50")
    assert case.methods[0].confirmations_required == 3

    with transaction(shop.kernel.engine) as session:
        session.exec(select(Wallet)).one().confirmations_required = 0
    assert shop.sell("50").methods[0].confirmations_required == 0
