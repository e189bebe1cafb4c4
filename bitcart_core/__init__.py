"""The front door: everything a plugin may use, and nothing else. Imports no database and no queue."""

from bitcart_core.addresses import AddressPolicy, WebAddress, parse_host, parse_web_address
from bitcart_core.coins import (
    Coin,
    CoinClient,
    DaemonState,
    HasBalance,
    PaymentRequest,
    PaymentsSnapshot,
    StreamItem,
    WalletKey,
)
from bitcart_core.daemons import Daemon, DaemonJournal, DaemonSettings, WatchedRequest
from bitcart_core.deliveries import EmailSettings, Outcome, StoreView, Target
from bitcart_core.devchains import ChainTools, Devchain, DevchainFactory, RunningChain
from bitcart_core.errors import (
    BitcartError,
    CoinError,
    CoinRefused,
    CoinUnreachable,
    ConfigError,
    DeliveryError,
    InputError,
    RateUnavailable,
    Rejected,
)
from bitcart_core.events import (
    BlockEvent,
    InvoiceEvent,
    InvoiceEventKind,
    InvoiceView,
    PaymentEvent,
    PaymentView,
    Position,
)
from bitcart_core.hookspecs import HealthProblem, Template, hookimpl
from bitcart_core.notifiers import Notification, Notifier
from bitcart_core.plugin import API_VERSION, Plugin, PluginContext, PluginSettings, SecretStr, StoreSettings
from bitcart_core.rates import Pair, Rate, RateSource
from bitcart_core.requisites import Requisite
from bitcart_core.ui import Mount, Slot

__all__ = [
    "API_VERSION",
    "AddressPolicy",
    "BitcartError",
    "BlockEvent",
    "ChainTools",
    "Coin",
    "CoinClient",
    "CoinError",
    "CoinRefused",
    "CoinUnreachable",
    "ConfigError",
    "Daemon",
    "DaemonJournal",
    "DaemonSettings",
    "DaemonState",
    "DeliveryError",
    "Devchain",
    "DevchainFactory",
    "EmailSettings",
    "HasBalance",
    "HealthProblem",
    "InputError",
    "InvoiceEvent",
    "InvoiceEventKind",
    "InvoiceView",
    "Mount",
    "Notification",
    "Notifier",
    "Outcome",
    "Pair",
    "PaymentEvent",
    "PaymentRequest",
    "PaymentView",
    "PaymentsSnapshot",
    "Plugin",
    "PluginContext",
    "PluginSettings",
    "Position",
    "Rate",
    "RateSource",
    "RateUnavailable",
    "Rejected",
    "Requisite",
    "RunningChain",
    "SecretStr",
    "Slot",
    "StoreSettings",
    "StoreView",
    "StreamItem",
    "Target",
    "Template",
    "WalletKey",
    "WatchedRequest",
    "WebAddress",
    "hookimpl",
    "parse_host",
    "parse_web_address",
]
