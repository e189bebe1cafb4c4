"""Prices that the operator writes down, for tests, for demonstrations and for coins that no market knows."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, Field

from bitcart_core import Pair, Plugin, PluginSettings, Rate, RateSource, hookimpl

__all__ = ["Fixed", "FixedSettings", "FixedSource"]

_PAIR = re.compile(r"[A-Z0-9.]+_[A-Z0-9.]+")


def _price(value: object) -> Decimal:
    """Read a price written as text: TOML's numbers with a point are binary and would not be what was written."""
    if not isinstance(value, str):
        raise ValueError(f'write the price as text, such as "{value}"')  # noqa: TRY004 - pydantic wants ValueError
    try:
        price = Decimal(value)
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or not price > 0:
        raise ValueError(f'{value!r} is not a price; write digits above 0, such as "50000"')
    return price


def _pair(value: str) -> str:
    if not _PAIR.fullmatch(value):
        raise ValueError(f"{value!r} is not a pair; write one such as BTC_USD")
    return value


class FixedSettings(PluginSettings):
    """The operator's table `[fixed]` in plugins.toml."""

    prices: dict[Annotated[str, BeforeValidator(_pair)], Annotated[Decimal, BeforeValidator(_price)]] = Field(
        default_factory=dict, description="What one unit of the left costs in units of the right."
    )


class FixedSource:
    """Answers what is written down, as of now; knows no inverse and no path over a third currency."""

    name = "fixed"

    def __init__(self, prices: Mapping[str, Decimal]) -> None:
        self._prices = prices

    def fetch(self, pairs: Sequence[Pair], *, timeout_seconds: float) -> Mapping[Pair, Rate]:  # noqa: ARG002 - asks nobody
        """Return the pairs that are written down."""
        now = datetime.now(UTC)
        return {
            pair: Rate(
                base=pair.base, quote=pair.quote, value=self._prices[str(pair)], observed_at=now, source=self.name
            )
            for pair in pairs
            if str(pair) in self._prices
        }


class Fixed(Plugin):
    """Offer the operator's own prices as the rate source `fixed`."""

    Settings = FixedSettings
    settings: FixedSettings

    @hookimpl
    def register_rate_sources(self) -> list[RateSource]:
        """Return the one source."""
        return [FixedSource(self.settings.prices)]
