"""Wallets."""

import logging
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlmodel import col, select

from bitcart_core import money, wallets
from bitcart_core.coins import HasBalance
from bitcart_core.db import transaction
from bitcart_core.errors import CoinError, NotFoundError
from bitcart_core.kernel import Kernel
from bitcart_core.models import Wallet
from bitcart_host_api.schemas.common import Limit, Offset, Page
from bitcart_host_api.schemas.wallets import CreateWallet, DisplayWallet
from bitcart_host_api.security import Caller, TheKernel, needs

log = logging.getLogger(__name__)

router = APIRouter(prefix="/wallets", tags=["wallets"])

Owner = Annotated[Caller, Depends(needs("wallet_management"))]


@router.post("")
def create_wallet(body: CreateWallet, kernel: TheKernel, caller: Owner) -> DisplayWallet:
    """Add a receiving key; the coin's daemon says whether it can be paid to."""
    wallet = body.to_row(caller.user)
    wallets.check(kernel.registry, wallet)
    with transaction(kernel.engine) as session:
        session.add(wallet)
    return _display(kernel, wallet, caller)


@router.get("")
def list_wallets(kernel: TheKernel, caller: Owner, offset: Offset = 0, limit: Limit = 5) -> Page[DisplayWallet]:
    """List your wallets, the newest first."""
    mine = select(Wallet).where(Wallet.user_id == caller.user.id).order_by(col(Wallet.created_at).desc())
    with transaction(kernel.engine) as session:
        every = session.exec(mine).all()
    chosen = every[offset : None if limit < 0 else offset + limit]
    return Page(result=[_display(kernel, wallet, caller) for wallet in chosen], count=len(every))


@router.get("/{item_id}")
def get_wallet(item_id: str, kernel: TheKernel, caller: Owner) -> DisplayWallet:
    """Return one of your wallets."""
    with transaction(kernel.engine) as session:
        wallet = session.get(Wallet, item_id)
    if wallet is None or wallet.user_id != caller.user.id:
        raise NotFoundError("No item found when one was expected")
    return _display(kernel, wallet, caller)


def _display(kernel: Kernel, wallet: Wallet, caller: Caller) -> DisplayWallet:
    coin = kernel.registry.coins.get(wallet.coin)
    decimals = coin.decimals if coin else 8
    balance: str | None = None
    if coin is not None and isinstance(coin.client, HasBalance):
        try:
            confirmed = coin.client.balance(wallets.key_of(wallet))["confirmed"]
            balance = money.format_amount(confirmed, decimals)
        except CoinError as error:
            log.warning("balance of wallet %s: %s", wallet.id, error)
    return DisplayWallet.of(wallet, caller.user, balance, decimals)
