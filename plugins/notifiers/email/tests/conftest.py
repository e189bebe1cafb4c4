"""Mail servers of our own on free ports, events, and the plugin as the kernel would build it."""

import logging
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import jinja2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from bitcart_notifier_email import Email, EmailPluginSettings

from bitcart_core import EmailSettings, InvoiceEvent, InvoiceView, Outcome, PaymentView, StoreView


class Mailbox:
    """What an aiosmtpd server calls: keeps every message, or answers what `answers` says for a command."""

    def __init__(self) -> None:
        self.received: list[tuple[str, list[str], bytes]] = []
        self.answers: dict[str, str] = {}
        self.logins: list[tuple[bytes, bytes]] = []
        self.was_encrypted: list[bool] = []

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if "RCPT" in self.answers:
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_MAIL(self, server, session, envelope, address, mail_options):  # noqa: N802
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if "DATA" in self.answers:
            return self.answers["DATA"]
        self.received.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        self.was_encrypted.append(session.ssl is not None)
        return "250 taken"

    def authenticate(self, server, session, envelope, mechanism, auth_data):
        self.logins.append((auth_data.login, auth_data.password))
        return AuthResult(success=auth_data == type(auth_data)(b"shop", b"word"), handled=False)

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(content, policy=default) for _, _, content in self.received]

    @property
    def recipients(self) -> list[str]:
        return [recipient for _, recipients, _ in self.received for recipient in recipients]


class Post(Controller):
    """A mail server that knows its own free port."""

    handler: Mailbox

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def start() -> Iterator[Callable[..., Post]]:
    running: list[Post] = []

    def start(**options: Any) -> Post:
        mailbox = Mailbox()
        if "auth_required" in options:
            options["authenticator"] = mailbox.authenticate
        post = Post(mailbox, hostname="127.0.0.1", port=0, enable_SMTPUTF8=True, **options)
        post.start()
        running.append(post)
        return post

    yield start
    for post in running:
        post.stop()


@pytest.fixture
def post(start) -> Post:
    """A mail server without encryption or login."""
    return start()


@pytest.fixture
def scripted() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Serve each connection with a function; return the port."""
    listeners: list[socket.socket] = []

    def serve(behave: Callable[[socket.socket], None]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=converse, args=(connection,), daemon=True).start()

        def converse(connection: socket.socket) -> None:
            with connection:
                try:
                    behave(connection)
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        return int(listener.getsockname()[1])

    yield serve
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory) -> Path:
    """A certificate for `localhost` that no authority knows; its folder, with the context of a server."""
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


@pytest.fixture
def server_context(certificate) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    return context


class Context:
    log = logging.getLogger("email")
    public_url = "https://pay.example"
    data_dir = Path("/nonexistent")

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def render(self, template, variables, *, store_id=None):
        """Render as the kernel does, with the same handling of blocks."""
        environment = jinja2.Environment(  # noqa: S701 - plain text
            undefined=jinja2.ChainableUndefined, trim_blocks=True, lstrip_blocks=True
        )
        return environment.from_string(self.texts[template]).render(**variables)

    def session(self):
        raise AssertionError("e-mails have no tables")


class MailShop:
    """A store with a buyer and a merchant, and the plugin that writes to them."""

    def __init__(self) -> None:
        self.context = Context()

    def build(self, *ports: int, **settings: Any) -> Email:
        """Build the plugin with loopback opened for the given ports."""
        opened = {
            "allowed_networks": (ip_network("127.0.0.0/8"), ip_network("::1/128")),
            "allowed_ports": frozenset({587, *ports}),
        }
        plugin = Email(EmailPluginSettings(**{**opened, **settings}), self.context)
        for template in plugin.register_templates():
            self.context.texts.setdefault(template.name, template.text)
        return plugin

    def store(self, port: int = 587, **changes: Any) -> StoreView:
        server = {"address": "sales@shop.example", "host": "localhost", "port": port, "auth_mode": "none"}
        server.update({key: changes.pop(key) for key in list(changes) if key in EmailSettings.__dataclass_fields__})
        settings = changes.pop("settings", {})
        view = StoreView(
            id="01STORE",
            name="Böck & Co",
            default_currency="EUR",
            merchant_email="merchant@shop.example",
            email=EmailSettings(**server),
            plugin_settings={"email": settings},
        )
        return replace(view, **changes)

    def event(self, kind: str = "invoice_completed", *, is_late: bool = False, **invoice: Any) -> InvoiceEvent:
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        payment = PaymentView(
            coin="btc", network="regtest", txid="ab" * 32, output="0", amount=Decimal("0.001"), symbol="BTC",
            confirmations=1, is_late=is_late,
        )  # fmt: skip
        view = {
            "id": "01INVOICE", "store_id": "01STORE", "order_id": "A-7", "price": Decimal("5.00"), "currency": "EUR",
            "status": "complete", "exception_status": "none", "created_at": now, "expires_at": now,
            "paid_currency": "BTC", "sent_amount": Decimal("0.001"), "tx_hashes": ("ab" * 32,),
            "payments": (payment,), "buyer_email": "buyer@home.example",
        }  # fmt: skip
        return InvoiceEvent(id="01EVENT", kind=kind, seq=3, created_at=now, invoice=InvoiceView(**{**view, **invoice}))

    def targets(self, event: InvoiceEvent, store: StoreView | None = None, **settings: Any) -> list[str]:
        plugin = self.build(**settings)
        return [target.key for target in plugin.delivery_targets(event, store or self.store())]

    def deliver(self, plugin: Email, event: InvoiceEvent, store: StoreView) -> list[Outcome]:
        """Ask for the targets of an event and make one attempt at each, as the kernel does."""
        hook = getattr(plugin, event.kind)
        return [hook(event, store, target) for target in plugin.delivery_targets(event, store)]


@pytest.fixture
def mail_shop() -> MailShop:
    return MailShop()
