"""Who may do what only one may do at a time."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel


class Lease(SQLModel, table=True):
    """A right that one holder has until it expires. `token` grows with every new holder (a fencing token)."""

    __tablename__ = "leases"

    name: str = Field(primary_key=True, max_length=80)
    holder: str = Field(max_length=80)
    token: int = Field(sa_type=BigInteger)
    expires_at: datetime
