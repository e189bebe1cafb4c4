"""What a coin plugin lets its operator set about the daemon it speaks to."""

from typing import Self

from pydantic import Field, SecretStr, model_validator

from bitcart_core import PluginSettings


class DaemonClientSettings(PluginSettings):
    """Base of the settings of a coin that has a daemon. Nothing needs to be set for a daemon on this machine."""

    daemon_url: str = Field(
        default="",
        pattern=r"^(https?://[^/]+/?)?$",
        description="Where the daemon listens, http://HOST:PORT; by default the one that runs on this machine.",
    )
    daemon_login: str = Field(default="bitcart", description="Login of the daemon at `daemon_url`.")
    daemon_password: SecretStr | None = Field(default=None, description="Password of the daemon at `daemon_url`.")
    timeout_seconds: float = Field(default=10, gt=0, description="How long to wait for an answer of the daemon.")

    @model_validator(mode="after")
    def _know_how_to_log_in(self) -> Self:
        if self.daemon_url and self.daemon_password is None:
            raise ValueError(
                "daemon_url is set and daemon_password is not; `bitcart daemon NAME --show-credentials` prints it there"
            )
        return self
