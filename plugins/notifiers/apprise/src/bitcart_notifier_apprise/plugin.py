"""The plugin: one notifier for every service of Apprise; a merchant's target is one Apprise URL.

A notifier for a single service will be another `AppriseNotifier`-like class with a form of its own that makes the URL
of what was filled in; checking and sending stay as they are.
"""

from typing import Annotated, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, IPvAnyNetwork, field_validator

from bitcart_core import (
    AddressPolicy,
    InputError,
    Notification,
    Notifier,
    Plugin,
    PluginSettings,
    Rejected,
    SecretStr,
    hookimpl,
)
from bitcart_notifier_apprise.schemas import allowed_schemas
from bitcart_notifier_apprise.sending import send
from bitcart_notifier_apprise.urls import ServiceUrl, parse_service_url


class AppriseSettings(PluginSettings):
    """The operator's table `[apprise]` in plugins.toml."""

    deadline_seconds: float = Field(default=15, gt=0, le=60, description="For one message.")
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks that services may be in although they are not public, such as a LAN."
    )
    allowed_ports: frozenset[int] = Field(default=frozenset({80, 443}), description="Ports that services may have.")
    extra_schemas: tuple[str, ...] = Field(default=(), description="Of json, form, xml and apprise: which to allow.")

    @field_validator("extra_schemas")
    @classmethod
    def _can_be_allowed(cls, extra: tuple[str, ...]) -> tuple[str, ...]:
        try:
            allowed_schemas(extra)
        except InputError as error:
            raise ValueError(str(error)) from error
        return extra

    @property
    def policy(self) -> AddressPolicy:
        """Which hosts may be connected to."""
        return AddressPolicy(allowed_networks=self.allowed_networks, allowed_ports=self.allowed_ports)


class UrlTarget(BaseModel):
    """A recipient, named by one URL."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: SecretStr


class AppriseNotifier:
    """The channel `apprise`: the target's URL says which service it is and holds its tokens."""

    name = "apprise"

    def __init__(self, settings: AppriseSettings) -> None:
        self._settings = settings
        self._allowed = allowed_schemas(settings.extra_schemas)
        self._target_model = self._make_target_model()

    @property
    def target_model(self) -> type[BaseModel]:
        """One field, `url`, checked when it is saved."""
        return self._target_model

    def send(self, target: BaseModel, notification: Notification) -> None:
        """Send one message; Apprise's services cannot deduplicate, so that a retry may be a second message.

        Raises:
            Rejected: The service is not allowed here, the URL makes no sense or leads to a closed address.
            DeliveryError: The service did not take it, or not in time.
        """
        try:
            url = self._parse(cast("UrlTarget", target).url.get_secret_value())
        except InputError as error:
            raise Rejected(str(error)) from error
        send(url, notification, policy=self._settings.policy, deadline_seconds=self._settings.deadline_seconds)

    def _parse(self, url: str) -> ServiceUrl:
        return parse_service_url(url, allowed=self._allowed)

    def _make_target_model(self) -> type[BaseModel]:
        def check(url: SecretStr) -> SecretStr:
            try:
                self._parse(url.get_secret_value())
            except InputError as error:
                raise ValueError(str(error)) from error
            return url

        class AppriseTarget(UrlTarget):
            """A recipient that Apprise knows how to reach."""

            url: Annotated[SecretStr, AfterValidator(check)] = Field(
                title="Apprise URL", description="Such as ntfys://ntfy.sh/my-topic or tgram://bot-token/chat-id."
            )

        return AppriseTarget


class AppriseNotifiers(Plugin):
    """Offer the services of Apprise as one notifier."""

    Settings = AppriseSettings
    settings: AppriseSettings

    @hookimpl
    def register_notifiers(self) -> list[Notifier]:
        """Return the one notifier."""
        return [AppriseNotifier(self.settings)]
