"""Turn the amounts of callers into smallest units and back. Knows no coin by name and holds no state."""

from decimal import Decimal

from bitcart_core import InputError
from bitcart_core.money import format_amount, parse_amount, round_down


def to_units(amount: object, *, symbol: str, decimals: int) -> int:
    """Read an amount in whole coins as callers of the daemon send it: text, a number, or a decimal.

    JSON numbers arrive as binary floats; their shortest text is what the caller wrote. Digits below the smallest
    unit are cut, since callers divide prices without rounding.

    Raises:
        InputError: Not an amount, or negative.
    """
    if isinstance(amount, bool) or not isinstance(amount, str | int | float | Decimal):
        raise InputError(f'amount {str(amount)[:40]!r} is not an amount; send text such as "0.001"', field="amount")
    text = repr(amount) if isinstance(amount, float) else amount
    parsed = parse_amount(text, currency=symbol, decimals=None)
    return int(round_down(parsed, decimals).scaleb(decimals))


def to_coins(units: int, decimals: int) -> Decimal:
    """Return an amount in whole coins."""
    return Decimal(units).scaleb(-decimals)


def plain(units: int, decimals: int) -> str:
    """Write an amount in whole coins with no more digits than it needs: `0.5`, `0.00000001`, `1`."""
    text = format_amount(to_coins(units, decimals), decimals)
    return text.rstrip("0").rstrip(".") if "." in text else text


def padded(units: int, decimals: int) -> str:
    """Write an amount in whole coins with all its decimals: `0.50000000`."""
    return format_amount(to_coins(units, decimals), decimals)
