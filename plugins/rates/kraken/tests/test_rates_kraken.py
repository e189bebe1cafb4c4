"""Kraken over real HTTP against a stub. Its answers were written from Kraken's documentation, not recorded."""

from decimal import Decimal

import pytest
from bitcart_rate_http.testing import stub_service
from bitcart_rate_kraken import Kraken, KrakenSettings, KrakenSource

from bitcart_core import Pair, RateUnavailable

BTC_USD = Pair(base="BTC", quote="USD")
BTC_EUR = Pair(base="BTC", quote="EUR")
LTC_BTC = Pair(base="LTC", quote="BTC")
DOGE_EUR = Pair(base="DOGE", quote="EUR")


def market(wsname: str, **more: str) -> dict[str, str]:
    return {"altname": wsname.replace("/", ""), "wsname": wsname, "status": "online", **more}


def ticker(ask: object, bid: object) -> dict[str, object]:
    return {"a": [ask, "1", "1.000"], "b": [bid, "2", "2.000"], "c": ["30303.20000", "0.00067643"], "o": "30502.8"}


@pytest.fixture
def stub():
    with stub_service() as running:
        running.pages["/AssetPairs"] = {
            "error": [],
            "result": {
                "XXBTZUSD": market("XBT/USD"),
                "XXBTZEUR": market("XBT/EUR"),
                "XLTCXXBT": market("LTC/XBT"),
                "XDGEUR": market("XDG/EUR"),
                "XETHZEUR": market("ETH/EUR", status="cancel_only"),
                "ODD": {"altname": "ODD"},
                "ODDER": None,
            },
        }
        running.pages["/Ticker"] = {
            "error": [],
            "result": {
                "XXBTZUSD": ticker("50000.20000", "50000.10000"),
                "XXBTZEUR": ticker("46000.0", "45999.0"),
                "XLTCXXBT": ticker("0.001500", "0.001490"),
                "XDGEUR": ticker("0.35", "0.34"),
            },
        }
        yield running


@pytest.fixture
def build(stub):
    def build(**settings):
        (source,) = Kraken(KrakenSettings(base_url=stub.url, **settings), object()).register_rate_sources()
        return source

    return build


def fetch(source, *pairs):
    return source.fetch(pairs, timeout_seconds=10)


def test_a_price_is_the_middle_of_bid_and_ask(build):
    rate = fetch(build(), BTC_USD)[BTC_USD]
    assert rate.value == Decimal("50000.15")
    assert rate.source == "kraken"


def test_krakens_own_symbols_are_translated(build):
    rates = fetch(build(), BTC_USD, BTC_EUR, LTC_BTC, DOGE_EUR)
    assert [str(rate.value) for rate in rates.values()] == ["50000.15000", "45999.5", "0.001495", "0.345"]


def test_only_the_pairs_that_are_wanted_are_asked_for(stub, build):
    fetch(build(), BTC_USD, LTC_BTC)
    assert stub.asked == [("/AssetPairs", {}), ("/Ticker", {"pair": "XLTCXXBT,XXBTZUSD"})]


def test_a_pair_without_an_open_market_is_left_out(stub, build):
    assert fetch(build(), Pair(base="ETH", quote="EUR"), Pair(base="FOO", quote="USD")) == {}
    assert [path for path, _ in stub.asked] == ["/AssetPairs"]


def test_the_list_of_markets_is_asked_for_once_a_day(stub):
    now = [0.0]
    source = KrakenSource(KrakenSettings(base_url=stub.url), clock=lambda: now[0])
    for seconds in (0, 60, 24 * 60 * 60 + 1):
        now[0] = seconds
        fetch(source, BTC_USD)
    assert [path for path, _ in stub.asked] == ["/AssetPairs", "/Ticker", "/Ticker", "/AssetPairs", "/Ticker"]


@pytest.mark.parametrize(
    ("ask", "bid"),
    [
        ("0", "0"), ("-1", "-2"), ("1e30", "1e30"), ("NaN", "NaN"), ("Infinity", "1"), ("50000", "50001"),
        ("50000", "0"), ("50000", "40000"), (None, "1"), ("dear", "cheap"), (True, True), ("1", ""),
    ],
)  # fmt: skip
def test_a_doubtful_price_is_left_out_and_the_others_stay(ask, bid, stub, build):
    stub.pages["/Ticker"]["result"]["XXBTZUSD"] = ticker(ask, bid)
    assert list(fetch(build(), BTC_USD, BTC_EUR)) == [BTC_EUR]


@pytest.mark.parametrize("entry", [None, [], {}, {"a": [], "b": []}, {"a": "1", "b": None}, "x"])
def test_a_ticker_of_another_shape_is_left_out(entry, stub, build):
    stub.pages["/Ticker"]["result"]["XXBTZUSD"] = entry
    assert list(fetch(build(), BTC_USD, BTC_EUR)) == [BTC_EUR]


def test_how_far_bid_and_ask_may_be_apart_is_a_setting(stub, build):
    stub.pages["/Ticker"]["result"]["XXBTZUSD"] = ticker("110", "90")
    assert fetch(build(max_spread="0.19"), BTC_USD) == {}
    assert fetch(build(max_spread="0.2"), BTC_USD)[BTC_USD].value == 100


def test_an_answer_from_a_stale_cache_is_left_out(stub, build):
    stub.headers["date"] = "Mon, 02 Nov 2026 12:00:00 GMT"
    assert fetch(build(max_age_seconds=60), BTC_USD) == {}


@pytest.mark.parametrize("page", ["/AssetPairs", "/Ticker"])
@pytest.mark.parametrize("content", ["[]", "null", "{}", '{"error": [], "result": []}', '{"error": ["EService:Busy"]}'])
def test_an_answer_without_prices_is_no_answer(content, page, stub, build):
    stub.pages[page] = content
    with pytest.raises(RateUnavailable, match="answered without prices"):
        fetch(build(), BTC_USD)


def test_a_pair_that_kraken_took_off_its_list_makes_the_list_be_read_again(stub, build):
    source, good = build(), stub.pages["/Ticker"]
    fetch(source, BTC_USD)
    stub.pages["/Ticker"] = {"error": ["EQuery:Unknown asset pair"]}
    with pytest.raises(RateUnavailable, match="EQuery:Unknown asset pair"):
        fetch(source, BTC_USD)
    stub.pages["/Ticker"] = good
    assert list(fetch(source, BTC_USD)) == [BTC_USD]
    assert [path for path, _ in stub.asked][-2:] == ["/AssetPairs", "/Ticker"]


@pytest.mark.parametrize(
    "error", ["EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EService:Throttled:1795435200"]
)
def test_kraken_is_left_alone_when_it_says_too_many(error, stub, build):
    source = build()
    stub.pages["/AssetPairs"] = {"error": [error]}
    with pytest.raises(RateUnavailable, match="asked too often"):
        fetch(source, BTC_USD)
    with pytest.raises(RateUnavailable, match="left alone"):
        fetch(source, BTC_USD)
    assert len(stub.asked) == 1


def test_429_is_remembered_too(stub, build):
    source = build()
    stub.status = 429
    with pytest.raises(RateUnavailable, match="answered 429"):
        fetch(source, BTC_USD)
    with pytest.raises(RateUnavailable, match="left alone"):
        fetch(source, BTC_USD)
