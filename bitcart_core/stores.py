"""Stores: their settings as values, and how plugins see them."""

import base64
import secrets
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import Session, col, select

from bitcart_core.deliveries import EmailSettings, StoreView
from bitcart_core.models import Store, User


class CheckoutSettings(BaseModel):
    """How a store asks for money (contract: StoreCheckoutSettings; the last three are ours).

    Attributes:
        expiration: Minutes until an invoice expires.
        transaction_speed: Confirmations until an invoice is complete, 0 to 10.
        underpaid_percentage: Part of the price that may be missing, 0 to 99.99.
        accept_late_payments: Late money completes an invoice without the merchant.
        expiry_grace_seconds: How long to wait for a daemon that lags before expiring all the same.
        late_watch_days: How long after the expiry late money is still watched for.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    expiration: int = Field(default=15, ge=1, le=60 * 24 * 365)
    transaction_speed: int = Field(default=0, ge=0, le=10)
    underpaid_percentage: Decimal = Field(default=Decimal(0), ge=0, le=Decimal("99.99"))
    custom_logo_link: str = ""
    recommended_fee_target_blocks: int = 1
    show_recommended_fee: bool = True
    use_dark_mode: bool = False
    use_html_templates: bool = False
    email_required: bool = True
    ask_address: bool = False
    randomize_wallet_selection: bool = False
    allow_anonymous_invoice_creation: bool = True
    include_network_fee: bool = False
    rate_rules: str = ""
    pos_screen_enabled: bool = True
    accept_late_payments: bool = False
    expiry_grace_seconds: int = Field(default=3600, ge=0, le=7 * 86400)
    late_watch_days: int = Field(default=30, ge=0, le=365)

    @property
    def tolerance(self) -> Decimal:
        """The part of the bill that may be missing, 0 to 1."""
        return self.underpaid_percentage / 100


def new_signing_secret() -> str:
    """Return a webhook secret: 32 random bytes, `whsec_` and base64 (Standard Webhooks specification)."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def checkout_settings(store: Store) -> CheckoutSettings:
    """Return a store's checkout settings, defaults filled in."""
    return CheckoutSettings.model_validate(store.checkout_settings)


def store_views(session: Session, store_ids: Iterable[str]) -> dict[str, StoreView]:
    """Return stores as plugins see them, by id."""
    statement = select(Store, User.email).join(User, col(User.id) == col(Store.user_id))
    return {
        store.id: _view(store, email) for store, email in session.exec(statement.where(col(Store.id).in_(store_ids)))
    }


def _view(store: Store, merchant_email: str) -> StoreView:
    plugin_settings: dict[str, dict[str, Any]] = store.plugin_settings
    return StoreView(
        id=store.id,
        name=store.name,
        default_currency=store.default_currency,
        merchant_email=merchant_email,
        email=EmailSettings.from_json(store.email_settings),
        signing_secrets=tuple(store.signing_secrets),
        plugin_settings=plugin_settings,
    )
