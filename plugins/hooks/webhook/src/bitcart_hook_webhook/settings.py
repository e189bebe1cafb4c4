"""What the operator and the merchant may set; a URL is read here and resolved only when it is called."""

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, model_validator

from bitcart_core import (
    AddressPolicy,
    InputError,
    InvoiceEventKind,
    PluginSettings,
    StoreSettings,
    parse_web_address,
)


def event_type(kind: str) -> str:
    """Return the name of an event kind on the wire: `invoice_stepped_down` is `invoice.stepped_down`."""
    return kind.replace("_", ".", 1)


EVENT_TYPES = tuple(event_type(kind) for kind in InvoiceEventKind)


def _web_address(url: str) -> str:
    try:
        parse_web_address(url)
    except InputError as error:
        raise ValueError(str(error)) from error
    return url


def _known_type(name: str) -> str:
    if name not in EVENT_TYPES:
        raise ValueError(f"{name!r} is no event; use some of {', '.join(EVENT_TYPES)}, or none to hear of all")
    return name


class WebhookSettings(PluginSettings):
    """The operator's table `[webhook]` in plugins.toml."""

    deadline_seconds: float = Field(default=15, gt=0, le=30, description="For one attempt, from name to last byte.")
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks that webhooks may reach although they are not public, such as a LAN."
    )
    allowed_ports: frozenset[int] = Field(
        default=frozenset({80, 443}), description="Ports that webhooks may be sent to."
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust besides the public ones, for receivers on a LAN."
    )

    @property
    def policy(self) -> AddressPolicy:
        """Which hosts may be called."""
        return AddressPolicy(allowed_networks=self.allowed_networks, allowed_ports=self.allowed_ports)


class Endpoint(BaseModel):
    """One address of a merchant that hears of a store's invoices."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(default="", max_length=100, pattern=r"^[A-Za-z0-9_-]*$", description="Stable; made from the URL.")
    url: Annotated[str, AfterValidator(_web_address)]
    events: tuple[Annotated[str, AfterValidator(_known_type)], ...] = Field(
        default=(),
        description="Event types to send; none means all.",
        json_schema_extra={"items": {"enum": list(EVENT_TYPES)}},
    )
    is_enabled: bool = True

    @property
    def key(self) -> str:
        """What deliveries to this endpoint are known by; the same as long as its id, or else its URL, is."""
        return self.id or hashlib.sha256(self.url.encode()).hexdigest()[:24]

    def wants(self, kind: str) -> bool:
        """Tell whether this endpoint hears of an event kind."""
        return self.is_enabled and (not self.events or event_type(kind) in self.events)


class WebhookStoreSettings(StoreSettings):
    """What a merchant sets for a store, under `webhook` in its plugin settings."""

    endpoints: tuple[Endpoint, ...] = Field(default=(), max_length=20)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> Self:
        if len({endpoint.key for endpoint in self.endpoints}) < len(self.endpoints):
            raise ValueError("two endpoints have one id or one URL; give each an id of its own")
        return self
