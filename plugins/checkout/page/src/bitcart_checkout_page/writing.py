"""Write amounts, times and addresses the way people read them; the digits shown are the digits asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.numbers import format_decimal, get_currency_precision, get_currency_symbol
from markupsafe import Markup

NARROW_SPACE = "\u202f"
NO_BREAK_SPACE = "\u00a0"
_EMPHASIZED = 6
_RATE_DIGITS = 8
_PRECISION = 80


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes for one reader.

    Attributes:
        locale: The reader's language and region.
        now: Today's dates are left out, and the year of this year.
    """

    locale: Locale
    now: datetime

    def coin_digits(self, amount: Decimal, decimals: int) -> str:
        """Write a coin's amount with all the coin's digits: a dot and no thousands marks, in every language."""
        pattern = "0." + "0" * decimals if decimals else "0"
        with localcontext(prec=_PRECISION):  # babel quantizes, which the usual context refuses for long amounts
            return format_decimal(amount, format=pattern, locale="en", numbering_system="latn")

    def number(self, amount: Decimal, decimals: int) -> Markup:
        """Write a coin's amount without its symbol, from left to right."""
        return _on_one_line(self.coin_digits(amount, decimals))

    def coin(self, amount: Decimal, decimals: int, symbol: str) -> Markup:
        """Write a coin's amount with its symbol, kept on one line and from left to right."""
        text = f"{self.coin_digits(amount, decimals)}{NO_BREAK_SPACE}{symbol}"
        return _on_one_line(text)

    def money(self, amount: Decimal, currency: str) -> Markup:
        """Write an amount of a shop's currency with the digits it came with: the API gives all the currency has."""
        exponent = amount.as_tuple().exponent
        given = max(0, -exponent) if isinstance(exponent, int) else 0
        return self._money(amount, currency, digits=(given, given))

    def rate(self, rate: Decimal, currency: str) -> Markup:
        """Write a price of one coin, with more digits where the currency's own would say nothing."""
        usual = get_currency_precision(currency)
        return self._money(rate, currency, digits=(usual, usual if rate >= 1 else max(usual, _RATE_DIGITS)))

    def _money(self, amount: Decimal, currency: str, *, digits: tuple[int, int]) -> Markup:
        fewest, most = digits
        number = "#,##0" + ("." if most else "") + "0" * fewest + "#" * (most - fewest)
        symbol = get_currency_symbol(currency, locale=self.locale)
        gap = NARROW_SPACE if symbol[-1:].isalpha() else ""
        usual = self.locale.currency_formats["standard"].pattern.split(";")[0]
        is_after = usual.rstrip().endswith("\u00a4")
        with localcontext(prec=_PRECISION):
            text = format_decimal(amount, format=number, locale=self.locale, numbering_system="latn")
        text = f"{text}{NO_BREAK_SPACE}{symbol}" if is_after else f"{symbol}{gap}{text}"
        return _on_one_line(text)

    def time(self, moment: datetime) -> Markup:
        """Write a moment in UTC, with the zone's name; a script may rewrite it in the reader's own zone."""
        moment, today = moment.astimezone(UTC), self.now.astimezone(UTC)
        pattern = "HH:mm"
        if moment.date() != today.date():
            pattern = "d MMM, HH:mm" if moment.year == today.year else "d MMM y, HH:mm"
        text = f"{format_datetime(moment, pattern, locale=self.locale)}{NO_BREAK_SPACE}UTC"
        return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), text)

    def all_of(self, parts: Iterable[Markup]) -> Markup:
        """Write a list in the reader's language: `1 BTC and 2 LTC`."""
        # The words between the parts are CLDR's own, and the parts are safe already.
        return Markup(format_list([str(part) for part in parts], locale=self.locale))  # noqa: S704


def _on_one_line(text: str) -> Markup:
    return Markup('<bdi dir="ltr" class="amount">{}</bdi>').format(text)


def minutes_and_seconds(seconds: int) -> str:
    """Write a short time that is left: `4:07`."""
    return f"{seconds // 60}:{seconds % 60:02}"


def digit_groups(digits: str) -> Sequence[str]:
    """Split an amount where the eye wants a gap, three decimals at a time from the end: `0.00`, `068`, `312`.

    Never are just three digits left behind the dot: `42.000 000` would read as thousands.
    """
    whole, dot, decimals = digits.partition(".")
    first = len(decimals) % 3 or 6
    return [whole + dot + decimals[:first]] + [decimals[at : at + 3] for at in range(first, len(decimals), 3)]


def address_groups(address: str) -> Sequence[Sequence[tuple[str, bool]]]:
    """Split an address into groups of four characters, and say which parts of a group buyers compare.

    Returns:
        For each group its parts in order, each with whether it belongs to the first or last six characters.
    """
    marked = [(sign, at < _EMPHASIZED or at >= len(address) - _EMPHASIZED) for at, sign in enumerate(address)]
    return [_runs(marked[at : at + 4]) for at in range(0, len(marked), 4)]


def _runs(marked: Iterable[tuple[str, bool]]) -> Sequence[tuple[str, bool]]:
    runs: list[tuple[str, bool]] = []
    for sign, is_strong in marked:
        if runs and runs[-1][1] == is_strong:
            runs[-1] = (runs[-1][0] + sign, is_strong)
        else:
            runs.append((sign, is_strong))
    return runs
