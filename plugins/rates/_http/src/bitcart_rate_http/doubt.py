"""Refuse prices that cannot be true; a price left out is asked for elsewhere, a wrong one is paid by somebody."""

from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from bitcart_core import Pair, Rate

MIN_RATE = Decimal("1e-18")
MAX_RATE = Decimal("1e15")
"""No currency in use costs less or more of another; what does is a slip of a comma or of a unit."""

_CLOCK_SKEW = timedelta(minutes=5)
_MAX_CHARACTERS = 64


def to_decimal(value: object) -> Decimal | None:
    """Read a number from JSON that was parsed without floats; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str) or len(str(value)) > _MAX_CHARACTERS:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def credible_rate(
    pair: Pair, value: object, *, observed_at: datetime, source: str, now: datetime, max_age_seconds: float
) -> Rate | None:
    """Return a rate, or None if it is doubtful.

    Args:
        pair: What the price is of.
        value: As it came out of JSON.
        observed_at: When the market said so.
        source: Name of the rate source.
        now: The present.
        max_age_seconds: An older price is doubtful; so is one from the future.
    """
    number = to_decimal(value)
    if number is None or not MIN_RATE <= number <= MAX_RATE:
        return None
    if not now - timedelta(seconds=max_age_seconds) <= observed_at <= now + _CLOCK_SKEW:
        return None
    return Rate(base=pair.base, quote=pair.quote, value=number, observed_at=min(observed_at, now), source=source)
