"""What the operator may set for the checkout page."""

from pydantic import Field, HttpUrl

from bitcart_core import PluginSettings

WALLET_SCHEMES = frozenset(
    {
        "bitcoin",
        "bitcoincash",
        "dash",
        "dogecoin",
        "ergon",
        "ethereum",
        "groestlcoin",
        "lightning",
        "litecoin",
        "monero",
        "tron",
    }
)


class PageSettings(PluginSettings):
    """The operator's table `[page]` in plugins.toml."""

    api_url: HttpUrl | None = Field(
        default=None, description="REST API to show invoices of; by default the one this page is mounted on."
    )
    timeout_seconds: float = Field(
        default=10, gt=0, le=60, description="How long the REST API may take for a page before the buyer is told."
    )
    wallet_schemes: frozenset[str] = Field(
        default=WALLET_SCHEMES, description="URI schemes that may become an `Open in wallet` button."
    )
