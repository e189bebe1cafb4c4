"""What the operator and the merchant may set."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork

from bitcart_core import AddressPolicy, EmailSettings, PluginSettings, SecretStr, StoreSettings


class SmtpSettings(BaseModel):
    """The operator's own mail server, `[email.smtp]` in plugins.toml; stores without one send through it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: str = Field(description="The sender.")
    host: str
    port: int = Field(default=587, ge=1, le=65535)
    user: str = ""
    password: SecretStr = SecretStr("")
    auth_mode: Literal["none", "ssl/tls", "starttls"] = "starttls"

    @property
    def server(self) -> EmailSettings:
        """The same as a store would have it."""
        return EmailSettings(
            address=self.address,
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password.get_secret_value(),
            auth_mode=self.auth_mode,
        )


class EmailPluginSettings(PluginSettings):
    """The operator's table `[email]` in plugins.toml."""

    smtp: SmtpSettings | None = Field(default=None, description="For stores that have no mail server of their own.")
    deadline_seconds: float = Field(default=20, gt=0, le=60, description="For one message, from name to last reply.")
    allowed_networks: tuple[IPvAnyNetwork, ...] = Field(
        default=(), description="Networks where stores' mail servers may be although they are not public."
    )
    allowed_ports: frozenset[int] = Field(
        default=frozenset({25, 465, 587, 2525}), description="Ports that stores' mail servers may have."
    )
    ca_file: Path | None = Field(default=None, description="Certificates (PEM) to trust besides the public ones.")

    @property
    def policy(self) -> AddressPolicy:
        """Which hosts stores may name; the operator's own mail server may be anywhere."""
        return AddressPolicy(allowed_networks=self.allowed_networks, allowed_ports=self.allowed_ports)


class EmailStoreSettings(StoreSettings):
    """What a merchant sets for a store, under `email` in its plugin settings."""

    is_receipt_sent: bool = Field(default=True, description="Send the buyer a receipt when an invoice is complete.")
    is_merchant_told: bool = Field(default=True, description="Tell the merchant of money and of trouble with it.")
