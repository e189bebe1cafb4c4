"""Prices: fresh or refused, asked for once, and turned into amounts that give the price back."""

import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
import time_machine
from hypothesis import assume, given
from hypothesis import strategies as st

from bitcart_core.errors import InputError, RateUnavailable
from bitcart_core.quotes import RateBook, quote
from bitcart_core.rates import Pair, Rate

BTC_USD = Pair(base="BTC", quote="USD")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def rate(value="50000", *, at=None, source="fake", pair=BTC_USD):
    return Rate(
        base=pair.base, quote=pair.quote, value=Decimal(value), observed_at=at or datetime.now(UTC), source=source
    )


class Source:
    """Answers with what it is given, by pair, or raises it; counts the questions."""

    def __init__(self, answer, *, name="fake"):
        self.name = name
        self.answer = answer
        self.questions = 0
        self.timeouts = []

    def fetch(self, pairs, *, timeout_seconds):
        self.questions += 1
        self.timeouts.append(timeout_seconds)
        answer = self.answer() if callable(self.answer) else self.answer
        if isinstance(answer, Exception):
            raise answer
        return {} if answer is None else dict.fromkeys(pairs, answer)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def test_a_young_price_is_used_again_without_asking(clock):
    source = Source(rate)
    book = RateBook([source], young=timedelta(seconds=60))
    first = book.rate(BTC_USD)
    clock.shift(59)
    assert book.rate(BTC_USD) is first
    assert source.questions == 1

    clock.shift(1)
    assert book.rate(BTC_USD) is not first
    assert source.questions == 2


def test_an_older_price_serves_while_no_source_answers_and_no_longer_than_it_may(clock):
    source = Source(rate)
    book = RateBook([source], max_age=timedelta(minutes=10))
    first = book.rate(BTC_USD)
    source.answer = RateUnavailable("down")

    clock.shift(10 * 60)
    assert book.rate(BTC_USD) is first
    clock.shift(1)
    with pytest.raises(RateUnavailable, match="no current rate for BTC_USD"):
        book.rate(BTC_USD)


def test_the_age_of_a_price_counts_from_when_the_market_said_so(clock):
    book = RateBook([Source(rate(at=NOON - timedelta(minutes=9)))], max_age=timedelta(minutes=10))
    assert book.rate(BTC_USD).value == 50_000

    clock.shift(2 * 60)
    with pytest.raises(RateUnavailable):
        book.rate(BTC_USD)


def test_a_stale_answer_is_refused(clock):
    stale, fresh = Source(rate(at=NOON - timedelta(minutes=11)), name="slow"), Source(rate("49000"))

    assert RateBook([stale, fresh]).rate(BTC_USD).value == 49_000
    with pytest.raises(RateUnavailable):
        RateBook([stale]).rate(BTC_USD)


BAD_ANSWERS = {
    "it does not know the pair": None,
    "it is down": RateUnavailable("down"),
    "it has a bug": ZeroDivisionError(),
    "a price of nothing": rate("0"),
    "a price below nothing": rate("-1"),
    "no number": rate("NaN"),
    "a number that signals": rate("sNaN"),
    "an endless price": rate("Infinity"),
    "a price of years ago": rate(at=datetime(2020, 1, 1, tzinfo=UTC)),
    "a time without a zone": rate(at=datetime(2026, 1, 1, 12)),  # noqa: DTZ001 - that is what is wrong with it
    "a float": SimpleNamespace(value=50_000.0, observed_at=NOON, source="fake"),
    "a word": "50000",
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_source_without_a_sound_answer_is_passed_over(answer):
    bad, good = Source(answer, name="bad"), Source(rate("49000", source="good"), name="good")

    assert RateBook([bad, good]).rate(BTC_USD).source == "good"
    assert bad.questions == 1


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_without_any_sound_answer_no_money_is_asked_for(answer):
    with pytest.raises(RateUnavailable, match="set another currency, or add a rate source to plugins"):
        RateBook([Source(answer)]).rate(BTC_USD)


def test_without_a_source_no_money_is_asked_for():
    with pytest.raises(RateUnavailable):
        RateBook([]).rate(BTC_USD)


def test_the_first_source_that_knows_the_pair_answers_alone():
    first, second = Source(rate("1")), Source(rate("2"))

    assert RateBook([first, second]).rate(BTC_USD).value == 1
    assert second.questions == 0


def test_a_currency_costs_one_of_itself():
    assert RateBook([]).rate(Pair(base="BTC", quote="BTC")).value == 1


def test_a_source_is_told_how_long_it_may_take():
    source = Source(rate)
    RateBook([source], timeout_seconds=2.5).rate(BTC_USD)

    assert source.timeouts == [2.5]


@pytest.mark.parametrize("answer", [rate(), RateUnavailable("down")], ids=["it answers", "it is down"])
def test_many_invoices_that_wait_for_a_price_ask_once(at_once, answer):
    everyone_is_here, arrived = threading.Event(), []

    class Watched(datetime):
        """Tells when each thread came for its price."""

        @classmethod
        def now(cls, tz=None):
            arrived.append(1)
            if len(arrived) >= 8:
                everyone_is_here.set()
            return datetime.now(tz)

    def slow():
        assert everyone_is_here.wait(timeout=30)
        return answer

    source = Source(slow)
    book = RateBook([source])

    def ask():
        try:
            return book.rate(BTC_USD)
        except RateUnavailable as error:
            return type(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bitcart_core.quotes.datetime", Watched)
        answers = at_once(*[ask] * 8)

    assert source.questions == 1
    assert set(answers) == {answer if isinstance(answer, Rate) else RateUnavailable}


def test_whoever_comes_after_a_failure_asks_again():
    source = Source(RateUnavailable("down"))
    book = RateBook([source])
    with pytest.raises(RateUnavailable):
        book.rate(BTC_USD)
    source.answer = rate()

    assert book.rate(BTC_USD).value == 50_000


def test_one_pair_that_hangs_holds_up_no_other(at_once):
    release = threading.Event()
    litecoin = Pair(base="LTC", quote="USD")

    class Hanging(Source):
        def fetch(self, pairs, *, timeout_seconds):
            if pairs == [BTC_USD]:
                assert release.wait(timeout=30)
            return super().fetch(pairs, timeout_seconds=timeout_seconds)

    book = RateBook([Hanging(rate)])

    def ask_for_the_other():
        book.rate(litecoin)
        release.set()

    at_once(lambda: book.rate(BTC_USD), ask_for_the_other)
    assert release.is_set()


# Amounts


def ask_price(price, value, *, places=8, currency_places=2):
    observed = rate(value, at=NOON)
    return quote(observed, Decimal(price), symbol="BTC", decimals=places, currency_decimals=currency_places)


@given(
    st.decimals("0.01", 10**9, places=2),
    st.decimals("0.00000001", 10**7, places=8),
    st.integers(6, 18),
)
def test_amount_times_rate_is_the_price_within_a_unit_of_its_currency(price, value, places):
    assume(price / value >= Decimal(1).scaleb(-places))
    quoted = ask_price(price, value, places=places)
    paid = quoted.amount * quoted.rate

    assert 0 < quoted.amount <= price / value * (1 + Decimal("1e-20"))
    assert -quoted.amount.as_tuple().exponent == places
    assert paid <= price * (1 + Decimal("1e-20"))
    assert price - paid <= max(Decimal("0.01") * quoted.amount, price * Decimal("1e-9"))


@pytest.mark.parametrize(
    ("price", "value", "amount", "shown"),
    [
        ("50", "50000", "0.00100000", "50000.00"),
        ("0.01", "50000", "0.00000020", "50000.00"),
        ("10", "3", "3.33333333", "3.00"),
        ("1", "0.00001234", "81037.27714748", "0.000012340000000001"),
        ("0.01", "99999.99", "0.00000010", "100000.00"),
    ],
)
def test_an_amount_is_cut_to_the_coin_and_the_rate_is_what_it_then_was(price, value, amount, shown):
    quoted = ask_price(price, value)

    assert format(quoted.amount, "f") == amount
    assert format(quoted.rate, "f") == shown
    assert quoted.provenance.value == Decimal(value)


@pytest.mark.parametrize(("price", "value", "places"), [("0.01", "1000001", 8), ("1", "2", 0), ("0.01", "1e30", 18)])
def test_a_price_below_the_smallest_unit_names_the_coin_and_the_remedy(price, value, places):
    with pytest.raises(InputError, match="is less than the smallest amount of BTC; raise the price") as refused:
        ask_price(price, value, places=places)
    assert refused.value.field == "price"


def test_where_the_buyer_chooses_the_rate_is_the_markets():
    quoted = quote(rate("49999.999"), None, symbol="BTC", decimals=8, currency_decimals=2)

    assert quoted.amount is None
    assert quoted.rate == Decimal("49999.999")
