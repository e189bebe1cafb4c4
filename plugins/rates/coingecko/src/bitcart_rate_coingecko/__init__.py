"""Prices from CoinGecko, for coins whose CoinGecko id is known; a symbol is never guessed, many tokens share one."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from bitcart_rate_http import PriceService, RateSettings, credible_rate
from pydantic import Field

from bitcart_core import Pair, Plugin, Rate, RateSource, RateUnavailable, SecretStr, hookimpl

__all__ = ["CoinGecko", "CoinGeckoSettings", "CoinGeckoSource"]

IDS = {
    "ADA": "cardano",
    "BCH": "bitcoin-cash",
    "BNB": "binancecoin",
    "BTC": "bitcoin",
    "DAI": "dai",
    "DASH": "dash",
    "DOGE": "dogecoin",
    "ETH": "ethereum",
    "GRS": "groestlcoin",
    "LTC": "litecoin",
    "POL": "polygon-ecosystem-token",
    "SOL": "solana",
    "TRX": "tron",
    "USDC": "usd-coin",
    "USDT": "tether",
    "XMR": "monero",
    "XRP": "ripple",
    "ZEC": "zcash",
}
"""CoinGecko's own ids (their list of coins) by the symbol that people use."""

_KEY_HEADERS = {"demo": "x-cg-demo-api-key", "pro": "x-cg-pro-api-key"}


class CoinGeckoSettings(RateSettings):
    """The operator's table `[coingecko]` in plugins.toml."""

    base_url: str = "https://api.coingecko.com/api/v3"
    api_key: SecretStr | None = Field(default=None, description="Of a CoinGecko plan; works without.")
    plan: Literal["demo", "pro"] = Field(default="demo", description="Which plan the key is of.")
    ids: dict[str, str] = Field(default_factory=dict, description="CoinGecko's id of further coins, by symbol.")


class CoinGeckoSource:
    """Asks `/simple/price` (CoinGecko API v3)."""

    name = "coingecko"

    def __init__(self, settings: CoinGeckoSettings, service: PriceService | None = None) -> None:
        key = {_KEY_HEADERS[settings.plan]: settings.api_key.get_secret_value()} if settings.api_key else {}
        self._service = service or PriceService(self.name, settings.base_url, headers=key)
        self._ids = {**IDS, **settings.ids}
        self._max_age_seconds = settings.max_age_seconds

    def fetch(self, pairs: Sequence[Pair], *, timeout_seconds: float) -> Mapping[Pair, Rate]:
        """Ask once for all pairs; what CoinGecko does not know or what is doubtful is left out.

        Raises:
            RateUnavailable: No answer, or not one with prices.
        """
        known = [pair for pair in pairs if pair.base in self._ids]
        if not known:
            return {}
        answer = self._service.get("/simple/price", self._question(known), timeout_seconds=timeout_seconds)
        if not isinstance(answer.content, dict):
            raise RateUnavailable(f"{self.name} answered without prices: {str(answer.content)[:100]}")
        rates = {pair: self._rate(pair, answer.content.get(self._ids[pair.base])) for pair in known}
        return {pair: rate for pair, rate in rates.items() if rate is not None}

    def _question(self, pairs: Sequence[Pair]) -> dict[str, str]:
        return {
            "ids": ",".join(sorted({self._ids[pair.base] for pair in pairs})),
            "vs_currencies": ",".join(sorted({pair.quote.lower() for pair in pairs})),
            "include_last_updated_at": "true",
            "precision": "full",
        }

    def _rate(self, pair: Pair, prices: Any) -> Rate | None:
        updated_at = prices.get("last_updated_at") if isinstance(prices, dict) else None
        try:
            observed_at = datetime.fromtimestamp(int(updated_at), UTC)  # type: ignore[arg-type] # caught below
        except (TypeError, ValueError, OverflowError, OSError):
            return None
        return credible_rate(
            pair,
            prices.get(pair.quote.lower()),
            observed_at=observed_at,
            source=self.name,
            now=datetime.now(UTC),
            max_age_seconds=self._max_age_seconds,
        )


class CoinGecko(Plugin):
    """Offer CoinGecko as the rate source `coingecko`."""

    Settings = CoinGeckoSettings
    settings: CoinGeckoSettings

    @hookimpl
    def register_rate_sources(self) -> list[RateSource]:
        """Return the one source."""
        return [CoinGeckoSource(self.settings)]
