"""Prices from the Kraken exchange: the middle of what is bid and asked now, since the last trade may be days old."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bitcart_rate_http import Answer, PriceService, RateSettings, credible_rate, to_decimal
from pydantic import Field

from bitcart_core import Pair, Plugin, Rate, RateSource, RateUnavailable, hookimpl

__all__ = ["Kraken", "KrakenSettings", "KrakenSource"]

_SYMBOLS = {"XBT": "BTC", "XDG": "DOGE"}
"""Kraken's symbols where they are not the usual ones."""

_LIST_SECONDS = 24 * 60 * 60.0
"""How long the list of markets is kept."""

_TOO_MANY = ("EAPI:Rate limit exceeded", "EGeneral:Too many requests", "EService:Throttled")


class KrakenSettings(RateSettings):
    """The operator's table `[kraken]` in plugins.toml."""

    base_url: str = "https://api.kraken.com/0/public"
    max_spread: Decimal = Field(
        default=Decimal("0.05"), gt=0, lt=1, description="With more between bid and ask a price is not used."
    )


class KrakenSource:
    """Asks `AssetPairs` once a day and `Ticker` each time (Kraken REST API, public market data)."""

    name = "kraken"

    def __init__(
        self,
        settings: KrakenSettings,
        service: PriceService | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._service = service or PriceService(self.name, settings.base_url, says_too_many=_says_too_many)
        self._settings = settings
        self._clock = clock
        self._markets: dict[Pair, str] = {}
        self._listed_at = float("-inf")

    def fetch(self, pairs: Sequence[Pair], *, timeout_seconds: float) -> Mapping[Pair, Rate]:
        """Ask for all pairs that have a market; a doubtful price is left out.

        Raises:
            RateUnavailable: No answer, or one with errors.
        """
        ends_at = self._clock() + timeout_seconds
        markets = self._list_markets(timeout_seconds)
        asked = {pair: markets[pair] for pair in pairs if pair in markets}
        if not asked:
            return {}
        question = {"pair": ",".join(sorted(asked.values()))}
        answer = self._ask("/Ticker", question, timeout_seconds=ends_at - self._clock())
        rates = {pair: self._rate(pair, answer.content["result"].get(name), answer) for pair, name in asked.items()}
        return {pair: rate for pair, rate in rates.items() if rate is not None}

    def _list_markets(self, timeout_seconds: float) -> dict[Pair, str]:
        """Return Kraken's name of each market that is open, as of today."""
        if self._clock() - self._listed_at > _LIST_SECONDS:
            listed = self._ask("/AssetPairs", {}, timeout_seconds=timeout_seconds).content["result"]
            self._markets = {pair: name for name, entry in listed.items() if (pair := _open_pair(entry)) is not None}
            self._listed_at = self._clock()
        return self._markets

    def _ask(self, path: str, question: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        answer = self._service.get(path, question, timeout_seconds=timeout_seconds)
        errors = _errors(answer.content)
        if errors or not isinstance(answer.content, dict) or not isinstance(answer.content.get("result"), dict):
            self._listed_at = float("-inf")  # a market may have gone from the list
            raise RateUnavailable(f"{self.name} answered without prices: {', '.join(errors)[:200] or 'no result'}")
        return answer

    def _rate(self, pair: Pair, ticker: Any, answer: Answer) -> Rate | None:
        return credible_rate(
            pair,
            _middle(ticker, self._settings.max_spread),
            observed_at=answer.sent_at,
            source=self.name,
            now=datetime.now(UTC),
            max_age_seconds=self._settings.max_age_seconds,
        )


class Kraken(Plugin):
    """Offer the Kraken exchange as the rate source `kraken`."""

    Settings = KrakenSettings
    settings: KrakenSettings

    @hookimpl
    def register_rate_sources(self) -> list[RateSource]:
        """Return the one source."""
        return [KrakenSource(self.settings)]


def _errors(content: Any) -> list[str]:
    return [str(error) for error in content.get("error") or []] if isinstance(content, dict) else []


def _says_too_many(content: Any) -> bool:
    return any(error.startswith(_TOO_MANY) for error in _errors(content))


def _open_pair(entry: Any) -> Pair | None:
    """Read a market from its `wsname`, such as `XBT/EUR`; None if it is not open for trade."""
    if not isinstance(entry, dict) or entry.get("status", "online") != "online":
        return None
    base, slash, quote = str(entry.get("wsname", "")).partition("/")
    return Pair(base=_SYMBOLS.get(base, base), quote=_SYMBOLS.get(quote, quote)) if slash else None


def _middle(ticker: Any, max_spread: Decimal) -> Decimal | None:
    """Return the middle of best ask and best bid, or None if they are missing, crossed or far apart."""
    try:
        ask, bid = to_decimal(ticker["a"][0]), to_decimal(ticker["b"][0])
    except (TypeError, LookupError):
        return None
    if ask is None or bid is None or not 0 < bid <= ask:
        return None
    middle = (ask + bid) / 2
    return middle if ask - bid <= middle * max_spread else None
