"""The rules of money: decimals from strings, one place that rounds, currencies with their decimals.

Amounts are `Decimal` and never travel without a currency. Nothing here knows a rate or a coin's name:
a coin brings its own number of decimals, a fiat currency takes it from ISO 4217 by way of Unicode CLDR.
"""

import math
from collections.abc import Iterable
from decimal import ROUND_DOWN, Context, Decimal, DecimalException
from fractions import Fraction
from functools import cache, reduce

from babel.core import get_global
from babel.numbers import get_currency_precision, list_currencies

from bitcart_core.errors import InputError

MAX_DIGITS = 40
"""More digits than any real amount has; keeps an exponent bomb from becoming a huge number."""

_CONTEXT = Context(prec=80)


def parse_amount(value: str | int | Decimal, *, currency: str, decimals: int | None, field: str = "amount") -> Decimal:
    """Read an amount that came from outside.

    Args:
        value: Text, whole number or decimal; a binary float is refused by its type.
        currency: Named in errors.
        decimals: The most decimals the currency has, or None to accept any number of them.
        field: The name of the field as the caller knows it.

    Returns:
        A finite decimal that is not negative.

    Raises:
        InputError: Not a number, not finite, negative, or more digits than the currency has.
    """
    if isinstance(value, float | bool):
        raise InputError(f'{field} must be given as text or a whole number, such as "10.50"', field=field)
    too_long = InputError(f"{field} has too many digits; {MAX_DIGITS} are the most", field=field)
    if isinstance(value, int) and value.bit_length() > MAX_DIGITS * 4:  # Python may refuse to write it as text
        raise too_long
    try:
        amount = _CONTEXT.create_decimal(str(value).strip()) if len(str(value)) <= MAX_DIGITS * 2 else None
    except DecimalException:
        amount = None
    if amount is None or not amount.is_finite():
        raise InputError(f'{field} {str(value)[:40]!r} is not an amount; send digits such as "10.50"', field=field)
    if amount.is_signed():
        raise InputError(f"{field} {value} is negative; send 0 or more", field=field)
    if amount.adjusted() > MAX_DIGITS or _decimals_of(amount) > MAX_DIGITS:
        raise too_long
    if decimals is not None and _decimals_of(amount.normalize(_CONTEXT)) > decimals:
        raise InputError(f"{field} {value} has more decimals than {currency} has; send at most {decimals}", field=field)
    return amount


def round_down(amount: Decimal, decimals: int) -> Decimal:
    """Cut an amount to so many decimals, toward zero.

    Args:
        amount: Any finite amount.
        decimals: The decimals of its currency.

    Returns:
        The amount with exactly that many decimals.
    """
    return amount.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_DOWN, context=_CONTEXT)


def part_of(amount: Decimal, share: Fraction, decimals: int) -> Decimal:
    """Return a part of an amount, rounded up to so many decimals, so that the parts never fall short of the whole."""
    smallest = Decimal(1).scaleb(-decimals)
    units = Fraction(amount) * share / Fraction(smallest)
    return _CONTEXT.multiply(Decimal(math.ceil(units)), smallest)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """Add without losing digits that a coin could hold (80 significant digits)."""
    return reduce(_CONTEXT.add, amounts, Decimal(0))


def divide(amount: Decimal, by: Decimal) -> Decimal:
    """Divide without losing digits that a coin could hold (80 significant digits)."""
    return _CONTEXT.divide(amount, by)


def multiply(amount: Decimal, by: Decimal) -> Decimal:
    """Multiply without losing digits that a coin could hold (80 significant digits)."""
    return _CONTEXT.multiply(amount, by)


def format_amount(amount: Decimal, decimals: int) -> str:
    """Write an amount as the REST API does: plain digits, all decimals of its currency, cut and never rounded up.

    >>> format_amount(Decimal("5"), 2)
    '5.00'
    """
    return format(round_down(amount, decimals), "f")


@cache
def fiat_currencies() -> frozenset[str]:
    """Return the ISO 4217 codes of all currencies in use today, as Unicode CLDR knows them.

    The tender records of CLDR tell a currency in use from one that has only a history; `XXX` and the other
    codes that are no country's tender are left out.
    """
    tenders = get_global("territory_currencies")
    in_use = {
        code for entries in tenders.values() for code, _, until, is_tender in entries if is_tender and until is None
    }
    return frozenset(in_use & set(list_currencies()))


def fiat_decimals(currency: str) -> int:
    """Return how many decimals a fiat currency has (ISO 4217): 2 for USD, 0 for JPY, 3 for KWD.

    Raises:
        InputError: No such currency is in use.
    """
    if currency not in fiat_currencies():
        raise InputError(
            f"{currency[:12]!r} is not a currency in use; send an ISO 4217 code such as USD", field="currency"
        )
    return int(get_currency_precision(currency))


def _decimals_of(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
