"""Live words about an invoice (REST API contract, section 8)."""

import asyncio
import contextlib

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from bitcart_core import invoices
from bitcart_core.cases import Case
from bitcart_core.db import transaction
from bitcart_core.errors import NotFoundError
from bitcart_core.kernel import Kernel
from bitcart_core.settlement import Status
from bitcart_host_api.push import PushHub

router = APIRouter()

_OVER = (Status.EXPIRED, Status.COMPLETE)


@router.websocket("/ws/invoices/{invoice_id}")
async def invoice_socket(socket: WebSocket, invoice_id: str) -> None:
    """Tell every change of an invoice; one that is over is told once. An unknown id refuses the handshake."""
    hub: PushHub = socket.app.state.push
    with hub.messages(invoice_id) as messages:  # before reading, so that no change falls between the two
        try:
            case = await run_in_threadpool(_find, socket.app.state.kernel, invoice_id)
        except NotFoundError:
            await socket.close(1008)
            return
        await socket.accept()
        if case.invoice.status in _OVER:
            await socket.send_json(case.push_message())
            await socket.close()
            return
        with contextlib.suppress(WebSocketDisconnect, RuntimeError):
            await _tell(socket, messages)


async def _tell(socket: WebSocket, messages: asyncio.Queue[dict[str, object]]) -> None:
    """Send messages until the other side leaves; what it says is ignored."""
    leaving = asyncio.create_task(_until_left(socket))
    try:
        while not leaving.done():
            waiting = asyncio.create_task(messages.get())
            await asyncio.wait({leaving, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                await socket.send_json(waiting.result())
            else:
                waiting.cancel()
    finally:
        leaving.cancel()


async def _until_left(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()


def _find(kernel: Kernel, invoice_id: str) -> Case:
    with transaction(kernel.engine) as session:
        return invoices.find(session, invoice_id)
