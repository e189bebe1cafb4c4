"""One bounded question to a price service, and the doubts about its answer."""

import os
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bitcart_rate_http import PriceService, credible_rate, service
from bitcart_rate_http.testing import stub_service

from bitcart_core import Pair, RateUnavailable

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
PAIR = Pair(base="BTC", quote="EUR")


@pytest.fixture
def stub():
    with stub_service() as running:
        running.pages["/price"] = '{"price": 50000.10, "count": 3}'
        yield running


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def ask(prices: PriceService, path: str = "/price", timeout_seconds: float = 10):
    return prices.get(path, {"a": "b c"}, timeout_seconds=timeout_seconds)


def test_numbers_with_a_point_keep_their_digits(stub):
    answer = ask(PriceService("test", stub.url, headers={"x-key": "k"}))
    assert answer.content == {"price": Decimal("50000.10"), "count": 3}
    assert stub.asked == [("/price", {"a": "b c"})]
    assert stub.received[0]["x-key"] == "k"


def test_the_time_is_the_services_own(stub):
    stub.headers["date"] = "Mon, 23 Nov 2026 12:00:00 GMT"
    assert ask(PriceService("test", stub.url)).sent_at == NOW
    stub.headers["date"] = "yesterday"
    assert ask(PriceService("test", stub.url)).sent_at > NOW - timedelta(days=365)


@pytest.mark.parametrize(
    "text",
    ["", "<html>", "[1", "NaN", '{"p": NaN}', '{"p": Infinity}', '{"p": -Infinity}', "[" * 100_000, "9" * 5000, "\xff"],
)
def test_what_is_not_json_is_no_answer(text, stub):
    stub.pages["/price"] = text
    with pytest.raises(RateUnavailable, match="did not answer with JSON"):
        ask(PriceService("test", stub.url))


@pytest.mark.parametrize("status", [301, 400, 403, 404, 500])
def test_an_error_is_no_answer_and_the_next_question_is_asked(status, stub):
    stub.status = status
    prices = PriceService("test", stub.url)
    for _ in range(2):
        with pytest.raises(RateUnavailable, match=f"test answered {status}"):
            ask(prices)
    assert len(stub.asked) == 2


def test_after_429_the_service_is_left_alone_as_long_as_it_asks(stub):
    clock = Clock()
    prices = PriceService("test", stub.url, clock=clock)
    stub.status, stub.headers["retry-after"] = 429, "120"
    with pytest.raises(RateUnavailable, match="answered 429"):
        ask(prices)
    clock.now += 119
    with pytest.raises(RateUnavailable, match="asked to be left alone; it is asked again in 1 seconds"):
        ask(prices)
    assert len(stub.asked) == 1
    stub.status = 200
    clock.now += 1
    assert ask(prices).content["count"] == 3


def test_each_429_in_a_row_doubles_the_pause_up_to_an_hour(stub):
    clock = Clock()
    prices = PriceService("test", stub.url, clock=clock)
    stub.status = 429
    for pause in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        with pytest.raises(RateUnavailable, match="answered 429"):
            ask(prices)
        clock.now += pause - 0.5
        with pytest.raises(RateUnavailable, match="left alone"):
            ask(prices)
        clock.now += 0.5
    stub.status = 200
    ask(prices)
    stub.status = 429
    with pytest.raises(RateUnavailable, match="answered 429"):
        ask(prices)
    clock.now += 30
    stub.status = 200
    ask(prices)


def test_a_service_may_say_too_many_in_its_json_and_is_left_alone_ever_longer(stub):
    clock = Clock()
    prices = PriceService("test", stub.url, says_too_many=lambda content: content == "calm", clock=clock)
    stub.pages["/price"] = '"calm"'
    for pause in (30, 60):
        with pytest.raises(RateUnavailable, match="asked too often"):
            ask(prices)
        clock.now += pause - 0.5
        with pytest.raises(RateUnavailable, match="left alone"):
            ask(prices)
        clock.now += 0.5


def test_a_service_may_not_silence_us_for_ever(stub):
    clock = Clock()
    prices = PriceService("test", stub.url, clock=clock)
    stub.status, stub.headers["retry-after"] = 503, "999999999"
    with pytest.raises(RateUnavailable, match="answered 503"):
        ask(prices)
    clock.now += 3600
    stub.status = 200
    ask(prices)


def hang(handler, release):
    release.wait()


def drip_headers(handler, release):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nx: ")
    while not release.wait(0.02):
        handler.wfile.write(b"x")


def drip_body(handler, release):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not release.wait(0.02):
        handler.wfile.write(b"x")


@pytest.mark.parametrize("behaviour", [hang, drip_headers, drip_body])
def test_a_service_cannot_hold_us_beyond_the_deadline(behaviour, stub):
    release = threading.Event()
    stub.pages["/price"] = lambda handler: behaviour(handler, release)
    with pytest.raises(RateUnavailable):
        ask(PriceService("test", stub.url), timeout_seconds=0.2)
    release.set()


def test_unanswered_questions_do_not_pile_up(stub):
    release = threading.Event()
    stub.pages["/price"] = lambda handler: drip_headers(handler, release)
    prices = PriceService("test", stub.url)
    for _ in range(8):
        with pytest.raises(RateUnavailable, match="did not answer within"):
            ask(prices, timeout_seconds=0.05)
    with pytest.raises(RateUnavailable, match="8 questions are still without an answer"):
        ask(prices, timeout_seconds=0.05)
    release.set()


def test_without_time_nothing_is_asked(stub):
    with pytest.raises(RateUnavailable, match="no time was left"):
        ask(PriceService("test", stub.url), timeout_seconds=0)
    assert stub.asked == []


def test_an_endless_answer_is_cut(stub, monkeypatch):
    monkeypatch.setattr(service, "MAX_ANSWER_BYTES", 1000)
    stub.pages["/price"] = "1" * 1001
    with pytest.raises(RateUnavailable, match="more than it should"):
        ask(PriceService("test", stub.url))


def test_a_service_that_is_down_is_unavailable(stub):
    with pytest.raises(RateUnavailable, match="could not be asked"):
        ask(PriceService("test", "http://127.0.0.1:1"))


def test_a_redirect_is_not_followed(stub):
    stub.status, stub.headers["location"] = 302, stub.url + "/other"
    with pytest.raises(RateUnavailable, match="answered 302"):
        ask(PriceService("test", stub.url))
    assert [path for path, _ in stub.asked] == ["/price"]


def test_a_forked_process_opens_connections_of_its_own(stub):
    prices = PriceService("test", stub.url)
    ask(prices)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            ask(prices)
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert ask(prices).content["count"] == 3


def credible(value, observed_at=NOW):
    return credible_rate(PAIR, value, observed_at=observed_at, source="test", now=NOW, max_age_seconds=60)


@pytest.mark.parametrize("value", [Decimal("50000.10"), "50000.10", 1, Decimal("1e-10"), "1E3", Decimal("1e15")])
def test_a_usual_price_is_believed(value):
    rate = credible(value)
    assert (rate.base, rate.quote, rate.value, rate.source) == ("BTC", "EUR", Decimal(value), "test")


DOUBTFUL = [
    None, True, False, 1.5, [], {}, "", "free", "1,5", "0x10", 0, "0", "-0", -1, "-1", Decimal("-0.1"),
    Decimal("NaN"), "nan", "sNaN", Decimal("Infinity"), "inf", "-inf", Decimal("1e30"), "1e30", 10**30,
    Decimal("1e-30"), "1e999999999", "1e-999999999", "1" * 65, "1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("value", DOUBTFUL, ids=lambda value: str(value)[:12])
def test_a_price_that_cannot_be_true_is_left_out(value):
    assert credible(value) is None


def test_an_old_price_or_one_from_the_future_is_left_out():
    assert credible(1, NOW - timedelta(seconds=60)) is not None
    assert credible(1, NOW - timedelta(seconds=61)) is None
    assert credible(1, NOW + timedelta(minutes=6)) is None


def test_a_clock_that_is_a_little_ahead_does_not_make_a_price_from_the_future():
    assert credible(1, NOW + timedelta(minutes=4)).observed_at == NOW
