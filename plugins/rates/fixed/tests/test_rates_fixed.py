"""Prices that the operator wrote down."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from bitcart_rate_fixed import Fixed, FixedSettings
from pydantic import ValidationError

from bitcart_core import Pair

CONTEXT = object()


def fetch(prices, *pairs):
    (source,) = Fixed(FixedSettings(prices=prices), CONTEXT).register_rate_sources()
    return source.fetch([Pair(base=base, quote=quote) for base, quote in pairs], timeout_seconds=1)


def test_a_price_is_answered_as_it_was_written_and_as_of_now():
    before = datetime.now(UTC)
    rates = fetch({"BTC_USD": "50000.10", "LTC_USD": "80"}, ("BTC", "USD"))
    rate = rates[Pair(base="BTC", quote="USD")]
    assert str(rate.value) == "50000.10"
    assert rate.source == "fixed"
    assert before <= rate.observed_at <= datetime.now(UTC)


def test_pairs_that_are_not_written_down_are_left_out():
    assert fetch({"BTC_USD": "50000"}, ("BTC", "EUR"), ("USD", "BTC")) == {}
    assert fetch({}, ("BTC", "EUR")) == {}


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity", "dear", "", "1,5"])
def test_what_is_not_a_price_stops_the_boot(price):
    with pytest.raises(ValidationError, match="is not a price"):
        FixedSettings(prices={"BTC_USD": price})


@pytest.mark.parametrize("price", [50000, 50000.1, True, None, Decimal(1)])
def test_a_price_must_be_text_so_that_no_digit_is_lost(price):
    with pytest.raises(ValidationError, match=f'write the price as text, such as "{price}"'):
        FixedSettings(prices={"BTC_USD": price})


@pytest.mark.parametrize("pair", ["BTCUSD", "btc_usd", "BTC_", "_USD", "BTC_USD_EUR", "BTC USD"])
def test_what_is_not_a_pair_stops_the_boot(pair):
    with pytest.raises(ValidationError, match="is not a pair"):
        FixedSettings(prices={pair: "1"})


def test_an_unknown_setting_stops_the_boot():
    with pytest.raises(ValidationError):
        FixedSettings(price={})
