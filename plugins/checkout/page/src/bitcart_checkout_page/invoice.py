"""What the page reads of the REST API: values, checked once, everything else in an answer left unread."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

Amount = Annotated[Decimal, Field(ge=0, max_digits=40)]
"""An amount as the API writes it: with all digits of its currency."""


class Status(StrEnum):
    """What an invoice is, in the words of the REST API."""

    PENDING = "pending"
    PAID = "paid"
    CONFIRMED = "confirmed"
    COMPLETE = "complete"
    EXPIRED = "expired"
    INVALID = "invalid"
    REFUNDED = "refunded"


class ExceptionStatus(StrEnum):
    """What is unusual about it, in the words of the REST API."""

    NONE = "none"
    PAID_PARTIAL = "paid_partial"
    PAID_OVER = "paid_over"
    PAID_LATE = "paid_late"
    FAILED_CONFIRM = "failed_confirm"


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


def _text(value: str | None) -> str:
    return value or ""


Text = Annotated[str | None, AfterValidator(_text)]


class Method(_Read):
    """One way to pay.

    Attributes:
        amount: To pay in full; 0 if the buyer chooses how much.
        due: Still to be sent on this method, after what arrived on any.
        network: Empty where the API does not tell.
        explorer_url: Page of a transaction, with `{txid}`; empty where there is none.
    """

    id: str
    name: str
    symbol: str
    currency: str
    amount: Amount
    received: Amount
    due: Amount
    rate: Amount
    divisibility: int = Field(ge=0, le=30)
    payment_address: str
    payment_url: str
    lightning: bool = False
    contract: Text = ""
    hint: Text = ""
    confirmations: int = 0
    confirmations_required: int = 0
    network: str = ""
    explorer_url: str = ""

    @property
    def coin(self) -> str:
        """The symbol behind an amount: `BTC`."""
        return self.symbol.upper()

    @property
    def is_test(self) -> bool:
        """Its coins are play money."""
        return self.network not in ("", "mainnet")


class Invoice(_Read):
    """An invoice as a buyer may see it; who the buyer is and who owns the store are not read."""

    id: str
    store_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    created: AwareDatetime
    price: Amount
    currency: str
    any_amount: bool = False
    status: Status
    exception_status: ExceptionStatus
    expiration_seconds: int = Field(ge=0)
    time_left: int = Field(ge=0)
    redirect_url: Text = ""
    payments: tuple[Method, ...]
    payment_id: str | None = None
    tx_hashes: tuple[str, ...] = ()
    product_names: dict[str, str] = Field(default_factory=dict)
    product_quantities: dict[str, int] = Field(default_factory=dict)

    @property
    def expires_at(self) -> datetime:
        """When its time is over."""
        return self.created + timedelta(seconds=self.expiration_seconds)

    @property
    def paid_methods(self) -> tuple[Method, ...]:
        """The methods that money arrived on."""
        return tuple(method for method in self.payments if method.received > 0)

    @property
    def paid_share(self) -> Fraction:
        """The part of the bill that arrived, on all methods together."""
        asked = (method for method in self.payments if method.amount > 0)
        return sum((Fraction(method.received) / Fraction(method.amount) for method in asked), Fraction(0))

    def method(self, method_id: str | None) -> Method | None:
        """Return one of its methods, or None if it has no such method."""
        return next((method for method in self.payments if method.id == method_id), None)


class Store(_Read):
    """A store as everybody may see it.

    Attributes:
        metadata: The merchant's own; `support` in it is an e-mail address or a web address for buyers.
    """

    name: str
    metadata: dict[str, Any] = Field(default_factory=dict)

    @property
    def support(self) -> str:
        """Where buyers reach the store, as the merchant wrote it; empty where there is nothing."""
        support = self.metadata.get("support")
        return support if isinstance(support, str) else ""
