"""The rules of money: what is read, what is refused, and that rounding never gains."""

import contextlib
import decimal
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bitcart_core import money
from bitcart_core.errors import InputError

amounts = st.decimals(min_value=0, max_value=10**20, allow_nan=False, allow_infinity=False, places=8)
decimals = st.integers(0, 18)


def parse(value, *, currency="USD", places=2):
    return money.parse_amount(value, currency=currency, decimals=places)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("10.50", "10.50"), ("0", "0"), (" 7 ", "7"), ("+7", "7"), (".5", "0.5"), ("5.", "5"), ("1e2", "100"), ("1.10e1", "11"),
        (5, "5"), (0, "0"), (Decimal("1.5"), "1.5"), ("0.100", "0.1"), ("9" * 38, "9" * 38),
    ],
)  # fmt: skip
def test_an_amount_is_read_as_it_was_written(text, amount):
    assert parse(text) == Decimal(amount)


@pytest.mark.parametrize("value", [1.5, 0.0, float("nan"), float("inf"), True, False])
def test_a_binary_float_is_no_amount(value):
    with pytest.raises(InputError, match="must be given as text or a whole number"):
        parse(value)


REFUSED = {
    "": "is not an amount", "ten": "is not an amount", "1,50": "is not an amount", "1 000": "is not an amount",
    "0x10": "is not an amount", "NaN": "is not an amount", "-NaN": "is not an amount", "sNaN": "is not an amount",
    "nan123": "is not an amount", "Infinity": "is not an amount", "-inf": "is not an amount", "1e9999999999": "is not an amount",
    "1\x00": "is not an amount", "\ud800": "is not an amount", "9" * 10**6: "is not an amount", "1/3": "is not an amount",
    "-1": "is negative", "-0": "is negative", "-0.00": "is negative", "-1e-30": "is negative",
    "1e41": "too many digits", "1e400": "too many digits", "1e-41": "too many digits", "0e-9999": "too many digits",
    "0.001": "has more decimals than USD has; send at most 2", "1e-3": "has more decimals than USD has; send at most 2",
}  # fmt: skip


@pytest.mark.parametrize(("text", "reason"), REFUSED.items(), ids=[ascii(text[:14]) for text in REFUSED])
def test_what_is_no_amount_is_refused_with_its_reason(text, reason):
    with pytest.raises(InputError, match=reason) as refused:
        parse(text)

    assert refused.value.field == "amount"
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", [10**41, 10**5000, -(10**5000), Decimal(10) ** 400], ids=range(4))
def test_a_number_of_any_size_is_refused_and_breaks_nothing(value):
    with pytest.raises(InputError):
        parse(value)


@given(st.text() | st.from_regex(r"[+-]?[0-9_]*\.?[0-9]*([eE][+-]?[0-9]*)?|s?nan[0-9]*|inf", fullmatch=True))
@example("١٢٣")
@example("1_0")
def test_no_text_raises_anything_but_an_input_error(text):
    try:
        amount = parse(text, places=None)
    except InputError:
        return
    assert amount.is_finite()
    assert amount >= 0
    assert not amount.is_signed()
    assert len(format(amount, "f")) < 100


@given(st.integers() | st.decimals())
def test_no_number_raises_anything_but_an_input_error(number):
    with contextlib.suppress(InputError):
        assert parse(number, places=None) == number


@given(amounts, decimals)
def test_what_was_written_out_is_read_back(amount, places):
    written = money.format_amount(amount, places)

    assert parse(written, places=places) == money.round_down(amount, places)


@given(amounts, decimals)
def test_rounding_never_gains_and_loses_less_than_one_unit(amount, places):
    rounded = money.round_down(amount, places)

    assert 0 <= amount - rounded < Decimal(1).scaleb(-places)
    assert -rounded.as_tuple().exponent == places


@given(amounts.map(lambda amount: -amount), decimals)
def test_rounding_a_debt_never_makes_it_larger(amount, places):
    assert amount <= money.round_down(amount, places) <= 0


@given(amounts, st.lists(st.integers(0, 100), min_size=1, max_size=6).filter(any), decimals)
def test_the_parts_of_an_amount_never_fall_short_of_it(amount, weights, places):
    parts = [Fraction(money.part_of(amount, Fraction(weight, sum(weights)), places)) for weight in weights]
    unit = Fraction(1, 10**places)

    assert Fraction(amount) <= sum(parts) < Fraction(amount) + len(parts) * unit
    assert all(part >= 0 for part in parts)
    assert all(part % unit == 0 for part in parts)


@given(amounts, decimals)
def test_the_whole_is_all_of_it_and_nothing_is_nothing(amount, places):
    assert money.part_of(money.round_down(amount, places), Fraction(1), places) == money.round_down(amount, places)
    assert money.part_of(amount, Fraction(0), places) == 0


@given(amounts.filter(bool), amounts.filter(bool))
def test_dividing_and_multiplying_keep_what_a_coin_could_hold(amount, by):
    there_and_back = money.multiply(money.divide(amount, by), by)

    assert abs(there_and_back - amount) <= amount * Decimal("1e-78")


@given(st.lists(st.decimals(0, 10**20, places=18), max_size=5))
def test_a_total_keeps_every_digit(parts):
    assert Fraction(money.total(parts)) == sum(map(Fraction, parts))


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        ("5", 2, "5.00"),
        ("0.00000001", 8, "0.00000001"),
        ("1e3", 0, "1000"),
        ("0.999", 2, "0.99"),
        ("0", 8, "0.00000000"),
    ],
)
def test_an_amount_is_written_with_all_decimals_of_its_currency(amount, places, text):
    assert money.format_amount(Decimal(amount), places) == text


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("CHF", 2), ("CLP", 0)]
)
def test_a_currency_in_use_has_its_decimals(currency, places):
    assert money.fiat_decimals(currency) == places


@pytest.mark.parametrize("currency", ["", "usd", "DEM", "XXX", "XTS", "BTC", "US$", "USDUSDUSDUSDUSD", "\x00"])
def test_a_currency_not_in_use_is_refused_with_what_to_send(currency):
    with pytest.raises(InputError, match="send an ISO 4217 code such as USD") as refused:
        money.fiat_decimals(currency)
    assert refused.value.field == "currency"


def test_no_sum_depends_on_the_decimal_context_of_its_thread():
    with decimal.localcontext(prec=3, rounding=decimal.ROUND_UP):
        assert parse("123456.78") == Decimal("123456.78")
        assert money.round_down(Decimal("123456.789"), 2) == Decimal("123456.78")
        assert money.multiply(Decimal("123456.78"), Decimal(2)) == Decimal("246913.56")
        assert money.part_of(Decimal("123456.78"), Fraction(1, 2), 2) == Decimal("61728.39")
