"""CoinGecko over real HTTP against a stub. Its answers were written from CoinGecko's documentation, not recorded."""

import time
from decimal import Decimal

import pytest
from bitcart_rate_coingecko import CoinGecko, CoinGeckoSettings
from bitcart_rate_http.testing import stub_service
from pydantic import ValidationError

from bitcart_core import Pair, RateUnavailable

BTC_USD = Pair(base="BTC", quote="USD")
BTC_EUR = Pair(base="BTC", quote="EUR")
LTC_USD = Pair(base="LTC", quote="USD")
PATH = "/simple/price"


@pytest.fixture
def stub():
    with stub_service() as running:
        now = int(time.time())
        running.pages[PATH] = (
            f'{{"bitcoin": {{"usd": 67187.3358936566, "eur": 61234.5, "last_updated_at": {now}}},'
            f' "litecoin": {{"usd": 84.06, "last_updated_at": {now - 30}}}}}'
        )
        yield running


def fetch(stub, *pairs, **settings):
    (source,) = CoinGecko(CoinGeckoSettings(base_url=stub.url, **settings), object()).register_rate_sources()
    return source.fetch(pairs, timeout_seconds=10)


def test_prices_come_with_all_their_digits_and_the_time_coingecko_gives_them(stub):
    rates = fetch(stub, BTC_USD, BTC_EUR, LTC_USD)
    assert {str(pair): rate.value for pair, rate in rates.items()} == {
        "BTC_USD": Decimal("67187.3358936566"),
        "BTC_EUR": Decimal("61234.5"),
        "LTC_USD": Decimal("84.06"),
    }
    assert int(rates[BTC_USD].observed_at.timestamp()) - int(rates[LTC_USD].observed_at.timestamp()) == 30
    assert rates[BTC_USD].source == "coingecko"


def test_all_pairs_are_asked_for_in_one_question(stub):
    fetch(stub, BTC_USD, BTC_EUR, LTC_USD)
    ((path, question),) = stub.asked
    assert path == PATH
    assert question == {
        "ids": "bitcoin,litecoin",
        "vs_currencies": "eur,usd",
        "include_last_updated_at": "true",
        "precision": "full",
    }


def test_a_coin_without_an_id_is_left_out_and_never_guessed(stub):
    assert fetch(stub, Pair(base="FOO", quote="USD")) == {}
    assert stub.asked == []


def test_a_currency_that_is_not_quoted_is_left_out(stub):
    assert list(fetch(stub, BTC_USD, Pair(base="BTC", quote="XYZ"))) == [BTC_USD]


def test_an_operator_may_name_further_coins(stub):
    stub.pages[PATH] = {"kaspa": {"usd": "0.15", "last_updated_at": int(time.time())}}
    kas = Pair(base="KAS", quote="USD")
    assert fetch(stub, kas, ids={"KAS": "kaspa"})[kas].value == Decimal("0.15")


@pytest.mark.parametrize("price", ["null", "0", "-1", "1e30", '"cheap"', "true", "[]", "{}"])
def test_a_doubtful_price_is_left_out_and_the_others_stay(price, stub):
    now = int(time.time())
    stub.pages[PATH] = (
        f'{{"bitcoin": {{"usd": {price}, "eur": 1, "last_updated_at": {now}}},'
        f' "litecoin": {{"usd": 84, "last_updated_at": {now}}}}}'
    )
    assert set(fetch(stub, BTC_USD, BTC_EUR, LTC_USD)) == {BTC_EUR, LTC_USD}


@pytest.mark.parametrize("updated_at", ["null", '"now"', "1e99", "-1e18", "[]"])
def test_a_price_without_a_time_is_left_out(updated_at, stub):
    stub.pages[PATH] = f'{{"bitcoin": {{"usd": 1, "last_updated_at": {updated_at}}}}}'
    assert fetch(stub, BTC_USD) == {}


def test_a_price_that_is_too_old_is_left_out(stub):
    stub.pages[PATH] = {"bitcoin": {"usd": 1, "last_updated_at": int(time.time()) - 1000}}
    assert fetch(stub, BTC_USD) == {}
    assert list(fetch(stub, BTC_USD, max_age_seconds=2000)) == [BTC_USD]


@pytest.mark.parametrize("content", ["[]", "null", '"x"', "1"])
def test_an_answer_without_prices_is_no_answer(content, stub):
    stub.pages[PATH] = content
    with pytest.raises(RateUnavailable, match="answered without prices"):
        fetch(stub, BTC_USD)


@pytest.mark.parametrize("content", ["{}", '{"bitcoin": null}', '{"bitcoin": []}', '{"bitcoin": {}}'])
def test_a_coin_without_prices_is_left_out(content, stub):
    stub.pages[PATH] = content
    assert fetch(stub, BTC_USD) == {}


def test_429_is_unavailable_and_remembered(stub):
    stub.status = 429
    (source,) = CoinGecko(CoinGeckoSettings(base_url=stub.url), object()).register_rate_sources()
    with pytest.raises(RateUnavailable, match="answered 429"):
        source.fetch([BTC_USD], timeout_seconds=10)
    with pytest.raises(RateUnavailable, match="left alone"):
        source.fetch([BTC_USD], timeout_seconds=10)
    assert len(stub.asked) == 1


@pytest.mark.parametrize(("plan", "header"), [("demo", "x-cg-demo-api-key"), ("pro", "x-cg-pro-api-key")])
def test_a_key_is_sent_in_the_header_of_its_plan_and_never_in_the_url(plan, header, stub):
    fetch(stub, BTC_USD, api_key="hush", plan=plan)
    assert stub.received[0][header] == "hush"
    assert "hush" not in str(stub.asked)


def test_a_key_is_not_shown():
    assert "hush" not in repr(CoinGeckoSettings(api_key="hush"))


def test_a_base_url_that_is_no_web_address_stops_the_boot():
    with pytest.raises(ValidationError, match="is not a web address"):
        CoinGeckoSettings(base_url="api.coingecko.com")
