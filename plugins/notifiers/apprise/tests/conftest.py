"""A receiver on loopback, and the notifier as the kernel would find it."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from typing import Any

import pytest
from bitcart_notifier_apprise import AppriseNotifier, AppriseNotifiers, AppriseSettings

from bitcart_core import Notification


@dataclass
class Receiver:
    """Answers every request with `status`, or as `behave` does with the request's handler."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    behave: Callable[[BaseHTTPRequestHandler], None] | None = None
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)
    headers_seen: list[dict[str, str]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def told(self) -> list[Any]:
        return [json.loads(body) for _, _, body in self.requests]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        self.headers_seen.append(dict(handler.headers))
        self.requests.append((handler.command, handler.path, body))
        if self.behave is not None:
            self.behave(handler)
            return
        handler.send_response(self.status)
        for name, value in {**self.headers, "content-length": "2"}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(b"{}")


@pytest.fixture
def receivers() -> Iterator[Callable[[], Receiver]]:
    running: list[tuple[Receiver, ThreadingHTTPServer]] = []

    def start() -> Receiver:
        receiver = Receiver()

        class Request(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                try:
                    receiver.answer(self)
                except OSError:
                    self.close_connection = True

            do_GET = do_PUT = do_POST  # noqa: N815
            log_message: Callable[..., None] = lambda *_: None

        server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
        server.daemon_threads, server.block_on_close = True, False
        receiver.port = server.server_port
        running.append((receiver, server))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return receiver

    yield start
    for receiver, server in running:
        receiver.release.set()
        server.shutdown()
        server.server_close()


@pytest.fixture
def receiver(receivers) -> Receiver:
    return receivers()


@pytest.fixture
def build():
    """Build the notifier with loopback opened for the receivers' ports, and `json` allowed."""

    def build(*receivers: Receiver, **settings: Any) -> AppriseNotifier:
        opened = {
            "allowed_networks": (ip_network("127.0.0.0/8"),),
            "allowed_ports": frozenset({80, 443, *(receiver.port for receiver in receivers)}),
            "extra_schemas": ("json",),
        }
        (notifier,) = AppriseNotifiers(AppriseSettings(**{**opened, **settings}), object()).register_notifiers()
        return notifier

    return build


@pytest.fixture
def send():
    """Send one message to an Apprise URL, as the kernel does: through the target's model."""

    def send(notifier: AppriseNotifier, url: str) -> None:
        message = Notification(title="5.00 EUR received", body="Invoice <7> & more\nis complete", idempotency_key="k")
        notifier.send(notifier.target_model.model_validate({"url": url}), message)

    return send
