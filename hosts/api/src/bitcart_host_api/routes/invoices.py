"""Invoices."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from sqlalchemy import func
from sqlmodel import col, select

from bitcart_core import cases, invoices
from bitcart_core.cases import Case
from bitcart_core.db import now, transaction
from bitcart_core.errors import NotFoundError
from bitcart_core.invoices import NewInvoice
from bitcart_core.kernel import Kernel
from bitcart_core.models import Invoice
from bitcart_core.money import parse_amount
from bitcart_core.settlement import Verdict
from bitcart_host_api.schemas.common import Body, Limit, Offset, Page
from bitcart_host_api.schemas.invoices import CreateInvoice, DisplayInvoice, display_invoice
from bitcart_host_api.security import Caller, TheKernel, maybe, needs

router = APIRouter(prefix="/invoices", tags=["invoices"])

Owner = Annotated[Caller, Depends(needs("invoice_management"))]
Anyone = Annotated[Caller | None, Depends(maybe("invoice_management"))]


@router.post("")
def create_invoice(body: CreateInvoice, kernel: TheKernel, caller: Anyone) -> DisplayInvoice:
    """Ask for money. A coin whose daemon is down is left out; with none left nothing is made and the answer is 503."""
    price = None if body.price is None else parse_amount(body.price, currency="", decimals=None, field="price")
    case = invoices.create(
        kernel,
        NewInvoice(
            store_id=body.store_id,
            price=price,
            currency=body.currency,
            is_any_amount=body.any_amount,
            expiration_minutes=body.expiration or None,
            wallet_ids=body.payment_methods,
            fields=body.to_fields(),
        ),
        is_anonymous=caller is None,
    )
    return _display(kernel, case, case.invoice.created_at)


@router.get("")
def list_invoices(kernel: TheKernel, caller: Owner, offset: Offset = 0, limit: Limit = 5) -> Page[DisplayInvoice]:
    """List your invoices, the newest first."""
    mine = select(Invoice.id).where(Invoice.user_id == caller.user.id).order_by(col(Invoice.created_at).desc())
    page = mine.offset(offset) if limit < 0 else mine.offset(offset).limit(limit)
    with transaction(kernel.engine) as session:
        loaded = {case.invoice.id: case for case in cases.load(session, session.exec(page), is_locking=False)}
        present = now(session)
        count = session.exec(select(func.count()).select_from(Invoice).where(Invoice.user_id == caller.user.id)).one()
    newest_first = sorted(loaded.values(), key=lambda case: case.invoice.created_at, reverse=True)
    result = [_display(kernel, case, present) for case in newest_first]
    return Page(result=result, count=count)


@router.get("/{item_id}")
def get_invoice(item_id: str, kernel: TheKernel, caller: Anyone) -> DisplayInvoice:
    """Return an invoice. Strangers may see it, since buyers are strangers; another merchant may not."""
    with transaction(kernel.engine) as session:
        case = invoices.find(session, item_id)
        present = now(session)
    if caller is not None and caller.user.id != case.invoice.user_id:
        raise NotFoundError("No item found when one was expected")
    return _display(kernel, case, present)


class Batch(Body):
    """A command for several objects at once."""

    ids: list[str]
    command: str
    options: dict[str, Any] | list[dict[str, Any]] | None = None


_VERDICTS = {verdict.value: verdict for verdict in Verdict}


@router.post("/batch")
def batch(body: Batch, kernel: TheKernel, caller: Owner) -> bool:
    """Mark invoices by hand: `mark_complete` or `mark_invalid`."""
    verdict = _VERDICTS.get(body.command)
    if verdict is None:
        raise HTTPException(404, "Batch command not found")
    for invoice_id in body.ids:
        invoices.mark(kernel, invoice_id, verdict, user_id=caller.user.id)
    return True


def _display(kernel: Kernel, case: Case, present: datetime) -> DisplayInvoice:
    decimals = invoices.shown_decimals(kernel, case.invoice.currency)
    explorers = {(coin.code, coin.network): coin.explorer_url for coin in kernel.registry.coins.values()}
    return display_invoice(case, now=present, decimals=decimals, explorers=explorers)
