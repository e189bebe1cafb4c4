"""The settings of a process, from the environment; what belongs to a plugin stands in `plugins.toml` instead."""

import os
from pathlib import Path

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


def default_data_dir() -> Path:
    """Return where everything is kept when `BITCART_DATA` is not set.

    As root `/var/lib/bitcart`, since the embedded PostgreSQL runs as a service user that cannot enter a home;
    else the user's data folder (XDG Base Directory specification).
    """
    if os.geteuid() == 0:
        return Path("/var/lib/bitcart")
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "bitcart"


class Settings(BaseSettings):
    """What a process must know before it can load anything else."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, populate_by_name=True)

    data_dir: Path = Field(
        default_factory=default_data_dir,
        validation_alias=AliasChoices("BITCART_DATA"),
        description="Folder for all this deployment keeps; made with mode 0711, so others may pass through only.",
    )
    plugins_file: Path | None = Field(
        default=None,
        validation_alias=AliasChoices("BITCART_PLUGINS"),
        description="Path of plugins.toml; by default the one in the current folder, else the one in BITCART_DATA.",
    )
    database_url: str = Field(
        default="",
        validation_alias=AliasChoices("DATABASE_URL"),
        description="postgresql://user:password@host/name; by default `bitcart up` runs a PostgreSQL of its own.",
    )
    redis_url: str = Field(
        default="",
        validation_alias=AliasChoices("REDIS_URL"),
        description="redis://:password@host:6379/0 or unix:///path; by default `bitcart up` runs a Redis of its own.",
    )
    host: str = Field(
        default="127.0.0.1",
        validation_alias=AliasChoices("BITCART_HOST"),
        description="Address the API listens on.",
    )
    port: int = Field(
        default=8000, validation_alias=AliasChoices("BITCART_PORT"), description="Port the API listens on."
    )
    public_url: str = Field(
        default="",
        validation_alias=AliasChoices("BITCART_PUBLIC_URL"),
        description="Where buyers reach this deployment; by default http://HOST:PORT.",
    )
    log_level: str = Field(
        default="INFO", validation_alias=AliasChoices("LOG_LEVEL"), description="DEBUG, INFO, WARNING or ERROR."
    )

    @property
    def url(self) -> str:
        """Where buyers reach this deployment, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    def find_plugins_file(self) -> Path:
        """Return the path of plugins.toml: the one named, else `./plugins.toml`, else the one in the data folder."""
        if self.plugins_file is not None:
            return self.plugins_file
        here = Path("plugins.toml")
        return here if here.exists() else self.data_dir / "plugins.toml"
