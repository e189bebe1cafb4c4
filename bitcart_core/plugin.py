"""The base class of every plugin, its settings, and the little that a plugin is given of the kernel."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict, SecretStr

if TYPE_CHECKING:
    from sqlmodel import Session

API_VERSION = 1
"""Raised when a plugin written for the version before would not work any more."""


class PluginSettings(BaseModel):
    """A plugin's table in `plugins.toml`. Unknown keys stop the boot; secrets are `SecretStr`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoreSettings(BaseModel):
    """What a merchant may set for one store; kept under the plugin's name in the store's `plugin_settings`."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class PluginContext(Protocol):
    """What the kernel lends to a plugin."""

    @property
    def data_dir(self) -> Path:
        """A folder of the plugin's own, created 0700."""

    @property
    def log(self) -> logging.Logger:
        """A logger named after the plugin."""

    @property
    def public_url(self) -> str:
        """Where buyers reach this deployment, without a slash at the end."""

    def render(self, template: str, variables: dict[str, Any], *, store_id: str | None = None) -> str:
        """Render a template by name: the store's own text, else the merchant's, else the built-in one.

        Raises:
            DeliveryError: The template is broken; says which and where.
        """

    def session(self) -> "Session":
        """Open a database session, for plugins with tables of their own and for `bitcart_core.models`."""


class Plugin:
    """Base of every plugin. Subclass it, name the subclass in the entry-point group `bitcart`.

    The loader builds it with its settings; nothing may happen on import. Class attributes:
        api: The `API_VERSION` the plugin was written for.
        Settings: Its table in `plugins.toml`.
        StoreSettings: What a merchant may set for a store, or None.
        lane: Where its announcements run unless `plugins.toml` says otherwise: `isolated` (a process of their own,
            for each) or `inline` (in the worker; only for short and trusted work).
    """

    api: ClassVar[int] = API_VERSION
    Settings: ClassVar[type[PluginSettings]] = PluginSettings
    StoreSettings: ClassVar[type[StoreSettings] | None] = None
    lane: ClassVar[str] = "isolated"

    def __init__(self, settings: PluginSettings, context: PluginContext) -> None:
        self.settings: Any = settings
        self.context = context


__all__ = ["API_VERSION", "Plugin", "PluginContext", "PluginSettings", "SecretStr", "StoreSettings"]
