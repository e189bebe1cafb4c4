"""A receiver of our own on a free port, an event, a store, and the plugin as the kernel would build it."""

import base64
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPMessage, parse_headers
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from bitcart_hook_webhook import Webhook, WebhookSettings

from bitcart_core import InvoiceEvent, InvoiceView, StoreView

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\ntaken"


@dataclass
class Request:
    method: str
    target: str
    headers: HTTPMessage
    body: bytes


@dataclass
class Receiver:
    """Answers every request with `answer`: the bytes of a response, or a function that is given the connection."""

    port: int
    answer: bytes | Callable[[socket.socket], None] = OK
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._converse, args=(connection, context), daemon=True).start()

    def _converse(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        try:
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while line := stream.readline():
                    method, target, _ = line.decode().split(" ")
                    headers = parse_headers(stream)
                    body = stream.read(int(headers["content-length"]))
                    self.requests.append(Request(method, target, headers, body))
                    if callable(self.answer):
                        self.answer(connection)
                        return
                    connection.sendall(self.answer)
        except OSError:
            return


@pytest.fixture
def receivers() -> Iterator[Callable[..., Receiver]]:
    started: list[tuple[Receiver, socket.socket]] = []

    def start(context: ssl.SSLContext | None = None) -> Receiver:
        listener = socket.create_server(("127.0.0.1", 0))
        receiver = Receiver(port=listener.getsockname()[1])
        started.append((receiver, listener))
        threading.Thread(target=receiver.serve, args=(listener, context), daemon=True).start()
        return receiver

    yield start
    for receiver, listener in started:
        receiver.stop.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def receiver(receivers) -> Receiver:
    return receivers()


class Context:
    log = logging.getLogger("webhook")
    public_url = "https://pay.example"
    data_dir = Path("/nonexistent")

    def render(self, template, variables, *, store_id=None):
        raise AssertionError("webhooks have no templates")

    def session(self):
        raise AssertionError("webhooks have no tables")


class Shop:
    """What the kernel would hand to the plugin, with the plugin itself."""

    def build(self, *receivers: Receiver, **settings: Any) -> Webhook:
        """Build the plugin with loopback opened for the receivers' ports."""
        opened = {
            "allowed_networks": (ip_network("127.0.0.0/8"),),
            "allowed_ports": frozenset({80, 443, *(receiver.port for receiver in receivers)}),
        }
        return Webhook(WebhookSettings(**{**opened, **settings}), Context())

    def event(self, kind: str = "invoice_completed", *, status: str = "complete", **invoice: Any) -> InvoiceEvent:
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        view = {
            "id": "01INVOICE", "store_id": "01STORE", "order_id": "A-7", "price": Decimal("5.00"), "currency": "EUR",
            "status": status, "exception_status": "none", "created_at": now, "expires_at": now,
        }  # fmt: skip
        invoice_view = InvoiceView(**{**view, **invoice})
        return InvoiceEvent(id="01EVENT", kind=kind, seq=3, created_at=now, invoice=invoice_view, reason="it is deep")

    def store(self, *endpoints: dict[str, Any], secrets: tuple[str, ...] = (SECRET,)) -> StoreView:
        return StoreView(
            id="01STORE",
            name="Shop",
            default_currency="EUR",
            merchant_email="m@shop.example",
            signing_secrets=secrets,
            plugin_settings={"webhook": {"endpoints": list(endpoints)}},
        )

    def deliver(self, plugin: Webhook, event: InvoiceEvent, store: StoreView) -> list[Any]:
        """Ask for the targets of an event and make one attempt at each."""
        return [plugin.announced(event, store, target) for target in plugin.delivery_targets(event, store)]


@pytest.fixture
def shop() -> Shop:
    return Shop()
