"""A selling unit: its settings, its wallets, the channels it tells."""

from typing import Any

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from bitcart_core.models.base import Record, list_column, object_column, text_column


class Store(Record, table=True):
    """A store. The settings groups are the contract's objects, kept as they came and read through pydantic.

    `event_seq` is the number of the store's last event; a transaction that announces locks this row, so that the
    numbers have no gaps. `signing_secrets` hold `whsec_...`, the newest first.
    """

    __tablename__ = "stores"

    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = text_column(default=None)
    default_currency: str = Field(default="USD", max_length=12)
    checkout_settings: dict[str, Any] = object_column()
    theme_settings: dict[str, Any] = object_column()
    email_settings: dict[str, Any] = object_column()
    plugin_settings: dict[str, Any] = object_column()
    templates: dict[str, Any] = object_column()
    signing_secrets: list[str] = list_column()
    event_seq: int = Field(default=0, sa_type=BigInteger)
    meta: dict[str, Any] = object_column("metadata")


class StoreWallet(SQLModel, table=True):
    """A wallet that a store is paid into; `position` is the order the buyer sees."""

    __tablename__ = "store_wallets"

    store_id: str = Field(foreign_key="stores.id", ondelete="CASCADE", primary_key=True)
    wallet_id: str = Field(foreign_key="wallets.id", ondelete="CASCADE", primary_key=True, index=True)
    position: int = 0


class NotificationTarget(Record, table=True):
    """A configured recipient of one notifier (the contract's "notification")."""

    __tablename__ = "notification_targets"

    user_id: str = Field(foreign_key="users.id", ondelete="CASCADE", index=True)
    name: str = text_column(default=None)
    notifier: str = text_column(default=None)
    data: dict[str, Any] = object_column()
    meta: dict[str, Any] = object_column("metadata")


class StoreNotification(SQLModel, table=True):
    """A recipient that a store tells."""

    __tablename__ = "store_notifications"

    store_id: str = Field(foreign_key="stores.id", ondelete="CASCADE", primary_key=True)
    notification_id: str = Field(
        foreign_key="notification_targets.id", ondelete="CASCADE", primary_key=True, index=True
    )
