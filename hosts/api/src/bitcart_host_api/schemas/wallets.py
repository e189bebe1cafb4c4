"""Wallets."""

from typing import Any

from pydantic import Field

from bitcart_core.models import User, Wallet
from bitcart_host_api.schemas.common import Body, Display, Metadata
from bitcart_host_api.schemas.users import DisplayUser


class CreateWallet(Body):
    """A new wallet."""

    name: str = Field(min_length=1)
    xpub: str = Field(min_length=1, description="The receiving key: an extended public key, or what the coin takes.")
    currency: str = "btc"
    lightning_enabled: bool = False
    label: str = ""
    hint: str = ""
    contract: str = ""
    additional_xpub_data: dict[str, Any] = Field(default_factory=dict)
    transaction_speed: int | None = Field(default=None, ge=0, le=10)
    metadata: Metadata

    def to_row(self, user: User) -> Wallet:
        """Return the wallet as it will be stored; the coin says its network later."""
        return Wallet(
            user_id=user.id, name=self.name, coin=self.currency.lower(), network="", key=self.xpub,
            contract=self.contract, extra=self.additional_xpub_data, is_lightning_enabled=self.lightning_enabled,
            label=self.label, hint=self.hint, confirmations_required=self.transaction_speed, meta=self.metadata,
        )  # fmt: skip


class DisplayWallet(Display):
    """A wallet, for its owner only."""

    user_id: str
    user: DisplayUser
    name: str
    xpub: str
    currency: str
    lightning_enabled: bool
    label: str
    hint: str
    contract: str
    additional_xpub_data: dict[str, Any]
    transaction_speed: int | None
    balance: str
    error: bool = False

    @classmethod
    def of(cls, wallet: Wallet, user: User, balance: str | None, decimals: int) -> "DisplayWallet":
        """Return a wallet as the API shows it; without a balance the daemon could not tell."""
        return cls(
            id=wallet.id, created=wallet.created_at, updated=wallet.updated_at, metadata=wallet.meta,
            user_id=wallet.user_id, user=DisplayUser.of(user), name=wallet.name, xpub=wallet.key, currency=wallet.coin,
            lightning_enabled=wallet.is_lightning_enabled, label=wallet.label, hint=wallet.hint,
            contract=wallet.contract, additional_xpub_data=wallet.extra,
            transaction_speed=wallet.confirmations_required,
            balance=balance if balance is not None else f"{0:.{decimals}f}", error=balance is None,
        )  # fmt: skip
