"""What a notifier supplies: a channel on which a store's people hear of things, such as a chat or an e-mail."""

from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One message to one target.

    Attributes:
        title: One line.
        body: Plain text.
        idempotency_key: The same over retries; a channel that can deduplicate should.
    """

    title: str
    body: str
    idempotency_key: str


class Notifier(Protocol):
    """A channel type. `Target` is the form a merchant fills in to name a recipient."""

    name: str

    @property
    def target_model(self) -> type[BaseModel]:
        """The pydantic model of a target; API schemas and forms come from it."""

    def send(self, target: BaseModel, notification: Notification) -> Any:
        """Send one message, within 15 seconds.

        Args:
            target: An instance of `target_model`.
            notification: What to say.

        Raises:
            DeliveryError: The channel did not take it now; it is tried again.
            Rejected: It never will.
        """
