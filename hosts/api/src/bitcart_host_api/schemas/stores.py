"""Stores and their settings groups."""

from typing import Any, Literal

from pydantic import Field

from bitcart_core.models import Store
from bitcart_core.stores import CheckoutSettings
from bitcart_host_api.schemas.common import Body, Display, Metadata


class EmailSettingsBody(Body):
    """A store's mail server."""

    address: str = ""
    host: str = ""
    port: int = Field(default=25, ge=1, le=65535)
    user: str = ""
    password: str = ""
    auth_mode: Literal["none", "ssl/tls", "starttls"] = "starttls"


class ThemeSettings(Body):
    """Where a store's looks come from."""

    store_theme_url: str = ""
    checkout_theme_url: str = ""


class CreateStore(Body):
    """A new store."""

    name: str = Field(min_length=1)
    default_currency: str = "USD"
    wallets: list[str]
    notifications: list[str] = Field(default_factory=list)
    checkout_settings: CheckoutSettings = CheckoutSettings()
    theme_settings: ThemeSettings = ThemeSettings()
    email_settings: EmailSettingsBody = EmailSettingsBody()
    templates: dict[str, str] = Field(default_factory=dict)
    plugin_settings: dict[str, Any] = Field(default_factory=dict)
    metadata: Metadata


class CurrencyData(Body):
    """How to write the store's currency."""

    name: str
    symbol: str
    divisibility: int
    crypto: bool


class PublicStore(Display):
    """A store as everybody sees it."""

    user_id: str
    name: str
    default_currency: str
    checkout_settings: CheckoutSettings
    theme_settings: ThemeSettings
    currency_data: CurrencyData


class DisplayStore(PublicStore):
    """A store as its owner sees it."""

    wallets: list[str]
    notifications: list[str]
    email_settings: EmailSettingsBody
    templates: dict[str, str]
    plugin_settings: dict[str, Any]


class CreatedStore(DisplayStore):
    """A new store, with the secret that signs its webhooks: shown here, and not again."""

    webhook_secret: str


def public_fields(store: Store, currency: CurrencyData) -> dict[str, Any]:
    """Return what everybody may see of a store."""
    return {
        "id": store.id,
        "created": store.created_at,
        "updated": store.updated_at,
        "metadata": store.meta,
        "user_id": store.user_id,
        "name": store.name,
        "default_currency": store.default_currency,
        "checkout_settings": CheckoutSettings.model_validate(store.checkout_settings),
        "theme_settings": ThemeSettings.model_validate(store.theme_settings),
        "currency_data": currency,
    }
