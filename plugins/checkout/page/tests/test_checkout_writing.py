"""Amounts, times and addresses as people read them."""

import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from babel import Locale
from bitcart_checkout_page.writing import Writer, address_groups, digit_groups

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def plain(html: str) -> str:
    return re.sub(r"<[^>]+>", "", html)


@pytest.fixture
def english() -> Writer:
    return Writer(locale=Locale("en"), now=NOW)


@pytest.fixture
def german() -> Writer:
    return Writer(locale=Locale("de"), now=NOW)


@pytest.mark.parametrize(
    ("amount", "decimals", "written"),
    [
        ("0.00068312", 8, "0.00068312"),
        ("1", 8, "1.00000000"),
        ("1234567.5", 2, "1234567.50"),
        ("68312", 0, "68312"),
        ("0.00000001", 8, "0.00000001"),
        ("12345678901234567890.123456789012345678", 18, "12345678901234567890.123456789012345678"),
    ],
)
def test_a_coin_is_written_with_its_own_digits_in_every_language(english, german, amount, decimals, written):
    assert english.coin_digits(Decimal(amount), decimals) == written
    assert german.coin_digits(Decimal(amount), decimals) == written


@pytest.mark.parametrize(
    ("amount", "currency", "written"),
    [
        ("1234.50", "USD", "$1,234.50"),
        ("42.00", "EUR", "€42.00"),
        ("1500", "JPY", "¥1,500"),
        ("1.250", "KWD", "KWD\u202f1.250"),
        ("0.00068312", "BTC", "BTC\u202f0.00068312"),
        ("68312", "SATS", "SATS\u202f68,312"),
        ("0.10000000", "BTC", "BTC\u202f0.10000000"),
        ("123456789012345678901234567890.12", "USD", "$123,456,789,012,345,678,901,234,567,890.12"),
    ],
)
def test_a_shops_price_keeps_the_digits_of_its_currency(english, amount, currency, written):
    assert plain(english.money(Decimal(amount), currency)) == written


def test_a_price_is_written_by_the_readers_language(german):
    assert plain(german.money(Decimal("1234.50"), "EUR")) == "1.234,50\u00a0€"


def test_a_tiny_rate_does_not_become_nothing(english):
    assert plain(english.rate(Decimal("61482.1"), "EUR")) == "€61,482.10"
    assert plain(english.rate(Decimal("0.00001234"), "USD")) == "$0.00001234"


@pytest.mark.parametrize(
    ("digits", "groups"),
    [
        ("0.00068312", ["0.00", "068", "312"]),
        ("42.00", ["42.00"]),
        ("68312", ["68312"]),
        ("42.000000", ["42.000000"]),
        ("0.210000000000", ["0.210000", "000", "000"]),
        ("1.123456789012345678", ["1.123456", "789", "012", "345", "678"]),
    ],
)
def test_gaps_help_the_eye_and_never_look_like_thousands(digits, groups):
    assert digit_groups(digits) == groups


def test_an_address_is_grouped_by_four_with_its_ends_emphasized():
    groups = address_groups("bc1qar0srrr7xfkvy5")

    assert ["".join(part for part, _ in group) for group in groups] == ["bc1q", "ar0s", "rrr7", "xfkv", "y5"]
    assert "".join(part for group in groups for part, is_strong in group if is_strong) == "bc1qarfkvy5"[:6] + "xfkvy5"


def test_a_short_address_is_emphasized_as_a_whole():
    assert address_groups("abcdef") == [[("abcd", True)], [("ef", True)]]


def test_a_time_names_its_zone_and_a_machine_can_read_it(english):
    written = english.time(datetime(2026, 11, 23, 14, 35, tzinfo=UTC))

    assert written == '<time datetime="2026-11-23T14:35:00+00:00">14:35\u00a0UTC</time>'


def test_a_time_of_another_day_names_the_day(english, german):
    tomorrow = datetime(2026, 12, 1, 14, 35, tzinfo=UTC)

    assert plain(english.time(tomorrow)) == "1 Dec, 14:35\u00a0UTC"
    assert plain(german.time(tomorrow)) == "1 Dez., 14:35\u00a0UTC"
