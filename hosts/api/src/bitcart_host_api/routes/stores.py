"""Stores."""

from typing import Annotated, Any

from babel.numbers import get_currency_name, get_currency_symbol
from fastapi import APIRouter, Depends
from pydantic import ValidationError
from sqlmodel import Session, col, select

from bitcart_core import invoices, money
from bitcart_core.db import transaction
from bitcart_core.errors import ForbiddenError, InputError, NotFoundError
from bitcart_core.kernel import Kernel
from bitcart_core.models import NotificationTarget, Store, StoreNotification, StoreWallet, Wallet
from bitcart_core.stores import new_signing_secret
from bitcart_host_api.schemas.common import Limit, Offset, Page
from bitcart_host_api.schemas.stores import (
    CreatedStore,
    CreateStore,
    CurrencyData,
    DisplayStore,
    EmailSettingsBody,
    PublicStore,
    public_fields,
)
from bitcart_host_api.security import Caller, TheKernel, maybe, needs

router = APIRouter(prefix="/stores", tags=["stores"])

Owner = Annotated[Caller, Depends(needs("store_management"))]

_FOREIGN = "Access denied: attempt to use objects not owned by current user"


@router.post("")
def create_store(body: CreateStore, kernel: TheKernel, caller: Owner) -> CreatedStore:
    """Open a store with wallets of yours. Its webhooks are signed from the first one on."""
    invoices.currency_decimals(kernel, body.default_currency.upper())
    currency = _currency(kernel, body.default_currency.upper())
    _check_plugin_settings(kernel, body.plugin_settings)
    store = Store(
        user_id=caller.user.id, name=body.name, default_currency=body.default_currency.upper(),
        checkout_settings=body.checkout_settings.model_dump(mode="json"),
        theme_settings=body.theme_settings.model_dump(), email_settings=body.email_settings.model_dump(),
        templates=body.templates, plugin_settings=body.plugin_settings, meta=body.metadata,
        signing_secrets=[new_signing_secret()],
    )  # fmt: skip
    with transaction(kernel.engine) as session:
        _refuse_foreign(session, Wallet, body.wallets, caller)
        _refuse_foreign(session, NotificationTarget, body.notifications, caller)
        session.add(store)
        session.flush()
        for position, wallet_id in enumerate(dict.fromkeys(body.wallets)):
            session.add(StoreWallet(store_id=store.id, wallet_id=wallet_id, position=position))
        for notification_id in dict.fromkeys(body.notifications):
            session.add(StoreNotification(store_id=store.id, notification_id=notification_id))
        session.flush()
        shown = _display(session, store, currency)
    return CreatedStore(**dict(shown), webhook_secret=store.signing_secrets[0])


@router.get("")
def list_stores(kernel: TheKernel, caller: Owner, offset: Offset = 0, limit: Limit = 5) -> Page[DisplayStore]:
    """List your stores, the newest first."""
    mine = select(Store).where(Store.user_id == caller.user.id).order_by(col(Store.created_at).desc())
    with transaction(kernel.engine) as session:
        every = session.exec(mine).all()
        chosen = every[offset : None if limit < 0 else offset + limit]
        result = [_display(session, store, _currency(kernel, store.default_currency)) for store in chosen]
    return Page(result=result, count=len(every))


@router.get("/{model_id}")
def get_store(
    model_id: str, kernel: TheKernel, caller: Annotated[Caller | None, Depends(maybe("store_management"))]
) -> DisplayStore | PublicStore:
    """Return a store: all of it to its owner, what everybody may see to everybody else."""
    with transaction(kernel.engine) as session:
        store = session.get(Store, model_id)
        if store is None:
            raise NotFoundError("No item found when one was expected")
        currency = _currency(kernel, store.default_currency)
        if caller is not None and caller.user.id == store.user_id:
            return _display(session, store, currency)
        return PublicStore(**public_fields(store, currency))


def _display(session: Session, store: Store, currency: CurrencyData) -> DisplayStore:
    wallets = session.exec(
        select(StoreWallet.wallet_id).where(StoreWallet.store_id == store.id).order_by(col(StoreWallet.position))
    ).all()
    notifications = session.exec(
        select(StoreNotification.notification_id).where(StoreNotification.store_id == store.id)
    ).all()
    return DisplayStore(
        **public_fields(store, currency),
        wallets=list(wallets),
        notifications=list(notifications),
        email_settings=EmailSettingsBody.model_validate(store.email_settings),
        templates=store.templates,
        plugin_settings=store.plugin_settings,
    )


def _refuse_foreign(
    session: Session, model: type[Wallet] | type[NotificationTarget], ids: list[str], caller: Caller
) -> None:
    mine = session.exec(select(model.id).where(col(model.id).in_(ids), model.user_id == caller.user.id)).all()
    if set(ids) - set(mine):
        raise ForbiddenError(_FOREIGN)


def _check_plugin_settings(kernel: Kernel, settings: dict[str, Any]) -> None:
    """Make sure that each loaded plugin can read what is set for it; what is set for others is kept as it came."""
    for name, values in settings.items():
        loaded = kernel.registry.plugins.get(name)
        if loaded is None or loaded.plugin.StoreSettings is None:
            continue
        try:
            loaded.plugin.StoreSettings.model_validate(values)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            field = ".".join(["plugin_settings", name, *map(str, first["loc"])])
            raise InputError(f"{field}: {first['msg']}", field=field) from None


def _currency(kernel: Kernel, currency: str) -> CurrencyData:
    coin = next((coin for coin in kernel.registry.coins.values() if coin.symbol.upper() == currency), None)
    if coin is not None:
        return CurrencyData(name=coin.name, symbol=coin.symbol, divisibility=coin.decimals, crypto=True)
    if currency not in money.fiat_currencies():  # a coin that was taken out; what was stored can still be shown
        return CurrencyData(name=currency, symbol=currency, divisibility=8, crypto=True)
    decimals = money.fiat_decimals(currency)
    return CurrencyData(
        name=get_currency_name(currency, locale="en_US"), symbol=get_currency_symbol(currency, locale="en_US"),
        divisibility=decimals, crypto=False,
    )  # fmt: skip
