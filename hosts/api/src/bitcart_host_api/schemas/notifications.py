"""Notification targets (the contract's "notification")."""

from typing import Any

from pydantic import Field

from bitcart_core.models import NotificationTarget
from bitcart_host_api.schemas.common import Body, Display, Metadata


class CreateNotification(Body):
    """A new recipient; `data` is what the notifier's form asks for."""

    name: str = Field(min_length=1)
    provider: str
    data: dict[str, Any]
    metadata: Metadata


class DisplayNotification(Display):
    """A recipient. `error`: its notifier is not loaded here."""

    user_id: str
    name: str
    provider: str
    data: dict[str, Any]
    error: bool = False

    @classmethod
    def of(cls, row: NotificationTarget, *, is_known: bool) -> "DisplayNotification":
        """Return a recipient as the API shows it."""
        return cls(
            id=row.id, created=row.created_at, updated=row.updated_at, metadata=row.meta, user_id=row.user_id,
            name=row.name, provider=row.notifier, data=row.data, error=not is_known,
        )  # fmt: skip
