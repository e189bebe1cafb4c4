"""What a plugin sees when an announcement is delivered: the store, the target, and what it may hand back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bitcart_core.events import Value


@dataclass(frozen=True, kw_only=True)
class Target(Value):
    """One recipient of one plugin's announcements. A delivery is unique by (event, plugin, target key).

    Attributes:
        key: Stable name, at most 200 characters: an id or a word, no secret.
        label: For people: `https://shop.example/hook`.
        data: What the plugin needs to deliver; stored with the delivery, so no secret either.
    """

    key: str
    label: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Outcome(Value):
    """What to keep of a delivery that succeeded; shown in the delivery log.

    Attributes:
        summary: One line, such as `200 OK in 34 ms`.
        detail: Plain JSON types: a status code, an excerpt of an answer, an exit code.
    """

    summary: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class EmailSettings(Value):
    """A store's mail server (contract: EmailSettings).

    Attributes:
        address: The sender.
        auth_mode: `none`, `ssl/tls` or `starttls`.
    """

    address: str = ""
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    auth_mode: str = "starttls"

    @property
    def is_configured(self) -> bool:
        """There is a server and a sender."""
        return bool(self.host and self.address)


@dataclass(frozen=True, kw_only=True)
class StoreView:
    """A store as a delivery needs it, read when the delivery runs.

    Attributes:
        merchant_email: The owner's address.
        signing_secrets: `whsec_...`, the newest first; every webhook of the store is signed with each of them.
        plugin_settings: By plugin name; read your own through your `StoreSettings`.
    """

    id: str
    name: str
    default_currency: str
    merchant_email: str
    email: EmailSettings = field(default_factory=EmailSettings)
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    plugin_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
