"""A merchant's receiving key for one coin on one network."""

from typing import Any

from sqlmodel import Field

from bitcart_core.models.base import Record, object_column, text_column


class Wallet(Record, table=True):
    """A receiving key. `key` is never shown to anyone but its owner, and never logged."""

    __tablename__ = "wallets"

    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = text_column(default=None)
    coin: str = Field(max_length=20)
    network: str = Field(max_length=20)
    key: str = text_column(default=None)
    contract: str = ""
    extra: dict[str, Any] = object_column()
    is_lightning_enabled: bool = False
    label: str = text_column()
    hint: str = text_column()
    confirmations_required: int | None = None
    meta: dict[str, Any] = object_column("metadata")
