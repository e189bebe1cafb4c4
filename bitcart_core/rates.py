"""What a rate source supplies: prices with their time and their origin. Money is never asked for at an old price."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from bitcart_core.events import Value


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Which price: one unit of `base` costs so much `quote`. Upper case: `Pair(base="BTC", quote="EUR")`."""

    base: str
    quote: str

    def __str__(self) -> str:
        return f"{self.base}_{self.quote}"


@dataclass(frozen=True, kw_only=True)
class Rate(Value):
    """A price with where and when it was seen.

    Attributes:
        value: Units of the quote currency for one unit of the base currency; finite and above 0.
        observed_at: When the market said so; the source's own time where it gives one, else when it answered.
        source: Name of the rate source.
    """

    base: str
    quote: str
    value: Decimal
    observed_at: datetime
    source: str


class RateSource(Protocol):
    """Where prices come from."""

    name: str

    def fetch(self, pairs: Sequence[Pair], *, timeout_seconds: float) -> Mapping[Pair, Rate]:
        """Ask for current prices. Pairs the source does not know are left out; a doubtful price is left out too.

        Raises:
            RateUnavailable: The source did not answer, or not with prices.
        """
