"""People and the tokens they act with."""

from datetime import datetime
from typing import Any

from sqlmodel import Field

from bitcart_core.models.base import Record, list_column, object_column, text_column


class User(Record, table=True):
    """Someone who owns stores and wallets, or runs the server."""

    __tablename__ = "users"

    email: str = Field(unique=True, max_length=320)
    password_hash: str = text_column(default=None)
    is_superuser: bool = False
    is_verified: bool = True
    is_enabled: bool = True
    settings: dict[str, Any] = object_column()
    meta: dict[str, Any] = object_column("metadata")


class Token(Record, table=True):
    """A bearer token. Only its SHA-256 is kept; the secret is shown once."""

    __tablename__ = "tokens"

    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    digest: str = Field(unique=True, max_length=64)
    permissions: list[str] = list_column()
    app_id: str = ""
    redirect_url: str = text_column()
    last_used_at: datetime | None = None
