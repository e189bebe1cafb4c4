"""The tables, a noun per file. Plugins may read them; only the kernel writes them."""

from bitcart_core.models.account import Token, User
from bitcart_core.models.event import Delivery, DeliveryAttempt, DeliveryStatus, Event
from bitcart_core.models.incoming import Cursor, IncomingEvent
from bitcart_core.models.invoice import Invoice, Mark
from bitcart_core.models.lease import Lease
from bitcart_core.models.payment import Payment, PaymentMethod
from bitcart_core.models.store import NotificationTarget, Store, StoreNotification, StoreWallet
from bitcart_core.models.wallet import Wallet

__all__ = [
    "Cursor",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Event",
    "IncomingEvent",
    "Invoice",
    "Lease",
    "Mark",
    "NotificationTarget",
    "Payment",
    "PaymentMethod",
    "Store",
    "StoreNotification",
    "StoreWallet",
    "Token",
    "User",
    "Wallet",
]
