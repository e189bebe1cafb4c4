"""What bodies share: stripped text, money in two typings, times with a Z, the pagination envelope."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from bitcart_core import money

Metadata = Annotated[dict[str, Any], Field(default_factory=dict, description="Anything the caller wants to keep.")]


def _exact(value: Any) -> Any:
    """Read a JSON number by its digits: pydantic hands a float over, and repr gives the digits that were sent."""
    if isinstance(value, float):
        return repr(value)
    return value


AmountIn = Annotated[
    str, BeforeValidator(lambda value: str(_exact(value)) if isinstance(value, int | float) else value)
]
"""An amount in a request: a number or text; judged by the kernel, which knows the currency."""


def _with_z(value: datetime) -> str:
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(_with_z, return_type=str)]

AmountOut = Annotated[Decimal, PlainSerializer(float, return_type=float)]
"""An amount that the contract sends as a JSON number."""


def money_text(amount: Decimal, decimals: int) -> str:
    """Return an amount that the contract sends as text, cut to its currency's decimals."""
    return money.format_amount(amount, decimals)


Item = TypeVar("Item")


class Body(BaseModel):
    """A request body: unknown fields are ignored, text is stripped."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="ignore")


class Display(BaseModel):
    """What every object shows."""

    id: str
    created: Time
    updated: Time | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


Offset = Annotated[int, Query(ge=0, description="How many to leave out.")]
Limit = Annotated[int, Query(ge=-1, le=1000, description="How many to return; -1 for all.")]


class Page(BaseModel, Generic[Item]):
    """The pagination envelope."""

    result: list[Item]
    count: int
    previous: str | None = None
    next: str | None = None
