"""Plugins for tests, and kernels made of them without any file."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bitcart_core.coins import Coin
from bitcart_core.deliveries import Outcome, StoreView, Target
from bitcart_core.events import InvoiceEvent
from bitcart_core.hookspecs import Template, hookimpl
from bitcart_core.loader import FoundPlugin
from bitcart_core.notifiers import Notifier
from bitcart_core.plugin import Plugin, PluginContext, PluginSettings
from bitcart_core.rates import Pair, Rate, RateSource


class FakeRates:
    """A rate source with the prices a test gives it."""

    name = "fake"

    def __init__(self, prices: dict[str, str]) -> None:
        self.prices = prices

    def fetch(self, pairs: Iterable[Pair], *, timeout_seconds: float) -> dict[Pair, Rate]:
        """Return the known prices, observed now."""
        del timeout_seconds
        return {
            pair: Rate(
                base=pair.base, quote=pair.quote, value=Decimal(self.prices[str(pair)]),
                observed_at=datetime.now(UTC), source=self.name,
            )
            for pair in pairs
            if str(pair) in self.prices
        }  # fmt: skip


class Recording(Plugin):
    """A plugin that remembers every event it was told."""

    lane = "inline"

    def __init__(self, settings: PluginSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        self.events: list[InvoiceEvent] = []

    @property
    def kinds(self) -> list[str]:
        """The kinds of the events told, in order."""
        return [event.kind for event in self.events]

    @hookimpl
    def announced(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:
        """Remember the event."""
        del store, target
        self.events.append(event)
        return Outcome(summary="remembered")


def supplying(
    *,
    coins: Iterable[Coin] = (),
    rates: Iterable[RateSource] = (),
    templates: Iterable[Template] = (),
    notifiers: Iterable[Notifier] = (),
) -> type[Plugin]:
    """Return a plugin class that registers what is given."""
    coins, rates, templates, notifiers = list(coins), list(rates), list(templates), list(notifiers)

    class Supplying(Plugin):
        @hookimpl
        def register_coins(self) -> Iterable[Coin]:
            return coins

        @hookimpl
        def register_rate_sources(self) -> Iterable[RateSource]:
            return rates

        @hookimpl
        def register_templates(self) -> Iterable[Template]:
            return templates

        @hookimpl
        def register_notifiers(self) -> Iterable[Notifier]:
            return notifiers

    return Supplying


def found(name: str, kind: type[Plugin], **settings: Any) -> FoundPlugin:
    """Return a plugin as the loader would have found it."""
    return FoundPlugin(name=name, kind=kind, settings=kind.Settings(**settings), lane=kind.lane, distribution="tests 0")
