"""What an amount in one currency is in another, at a price that is fresh and whose origin is kept."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bitcart_core import money
from bitcart_core.errors import InputError, RateUnavailable
from bitcart_core.rates import Pair, Rate, RateSource

log = logging.getLogger(__name__)

_SHORT_OF_ONE = 18


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a buyer has to send.

    Attributes:
        amount: In whole coins, with exactly the coin's decimals; None for any amount.
        rate: Price of one coin in the invoice's currency.
        provenance: Which source said so and when; stored with the payment method.
    """

    amount: Decimal | None
    rate: Decimal
    provenance: Rate


class RateBook:
    """The last price of each pair, asked for again when it is no longer young, refused when it is old.

    Args:
        sources: Asked in order; the first that knows a pair answers.
        young: A price younger than this is used without asking again.
        max_age: A price older than this is never used.
        timeout_seconds: For one source.
    """

    def __init__(
        self,
        sources: Sequence[RateSource],
        *,
        young: timedelta = timedelta(seconds=60),
        max_age: timedelta = timedelta(minutes=10),
        timeout_seconds: float = 5,
    ) -> None:
        self._sources = sources
        self._young = young
        self._max_age = max_age
        self._timeout_seconds = timeout_seconds
        self._rates: dict[Pair, tuple[Rate, datetime]] = {}
        self._failed_at: dict[Pair, datetime] = {}
        self._locks: dict[Pair, threading.Lock] = {}
        self._guard = threading.Lock()

    def rate(self, pair: Pair) -> Rate:
        """Return the current price.

        Raises:
            RateUnavailable: No source has one that is fresh; money is not asked for at a guess.
        """
        now = datetime.now(UTC)
        if pair.base == pair.quote:
            return Rate(base=pair.base, quote=pair.quote, value=Decimal(1), observed_at=now, source="identity")
        with self._guard:
            lock = self._locks.setdefault(pair, threading.Lock())
        with lock:  # one question at a time for each pair, and its answer is for all who waited
            known = self._rates.get(pair)
            if known and now - known[1] < self._young:
                return known[0]
            fresh = None if self._failed_since(pair, now) else self._ask(pair, now)
            if fresh is not None:
                self._rates[pair] = (fresh, now)
                return fresh
            if known and now - known[0].observed_at <= self._max_age:
                return known[0]
        raise RateUnavailable(
            f"there is no current rate for {pair}; set another currency, or add a rate source to plugins.toml"
        )

    def _failed_since(self, pair: Pair, moment: datetime) -> bool:
        return pair in self._failed_at and self._failed_at[pair] >= moment

    def _ask(self, pair: Pair, now: datetime) -> Rate | None:
        for source in self._sources:
            try:
                rate = source.fetch([pair], timeout_seconds=self._timeout_seconds).get(pair)
                if rate is not None and self._is_usable(rate, now):
                    return rate
            except RateUnavailable as error:
                log.warning("rate source %s: %s", source.name, error)
            except Exception:  # a source may raise anything, and answer with anything
                log.exception("rate source %s failed", source.name)
        self._failed_at[pair] = datetime.now(UTC)
        return None

    def _is_usable(self, rate: Rate, now: datetime) -> bool:
        is_sound = rate.value.is_finite() and rate.value > 0
        is_fresh = now - rate.observed_at <= self._max_age
        if not (is_sound and is_fresh):
            log.warning("rate source %s: %s_%s is unsound or old: %s", rate.source, rate.base, rate.quote, rate)
        return is_sound and is_fresh


def quote(rate: Rate, price: Decimal | None, *, symbol: str, decimals: int, currency_decimals: int) -> Quote:
    """Say how much of a coin a price is.

    The amount is cut to the coin's decimals, and the rate is derived again from the cut amount, so that amount times
    rate is the price (REST API contract, section 5).

    Args:
        rate: Of one coin in the currency of the price.
        price: What the buyer owes, or None for any amount.
        symbol: Of the coin, for errors.
        decimals: Of the coin.
        currency_decimals: Of the currency of the price.

    Raises:
        InputError: The price is less than the coin's smallest unit.
    """
    if price is None:
        return Quote(amount=None, rate=rate.value, provenance=rate)
    amount = money.round_down(money.divide(price, rate.value), decimals)
    if amount <= 0:
        raise InputError(f"price {price} is less than the smallest amount of {symbol}; raise the price", field="price")
    derived = money.divide(price, amount)
    shown = money.round_down(derived, currency_decimals)
    return Quote(amount=amount, rate=shown if shown > 0 else money.round_down(derived, _SHORT_OF_ONE), provenance=rate)
