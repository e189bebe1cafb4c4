"""Everyone who must hear of a payment, on loopback: a mail server, a webhook receiver, a notification receiver.

The webhook receiver does what a merchant's shop should do: it verifies the signature before it believes anything.
"""

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from standardwebhooks import Webhook, WebhookVerificationError

from bitcart_host_cli.ports import free_port

_MOST_BYTES = 1 << 20


@dataclass
class Inbox:
    """What arrived so far, and where to send more; a context manager that serves.

    Attributes:
        mails: As text, headers included.
        webhooks: The bodies whose signature was right.
        notifications: The bodies, as they came.
        refused: Why webhooks were not believed.
    """

    mails: list[str] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        self._smtp = Controller(_MailHandler(self), hostname="127.0.0.1", port=free_port())
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))

    @property
    def smtp_port(self) -> int:
        """Port of the mail server."""
        return int(self._smtp.port)

    @property
    def http_port(self) -> int:
        """Port of the receivers `/webhook` and `/notify`."""
        return int(self._http.server_address[1])

    def __enter__(self) -> Self:
        self._smtp.start()
        threading.Thread(target=self._http.serve_forever, name="demo-inbox", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._smtp.stop()
        self._http.shutdown()
        self._http.server_close()


class _MailHandler:
    """Keeps every message."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        del server, session
        content = envelope.content or b""
        self._inbox.mails.append(content.decode(errors="replace") if isinstance(content, bytes) else content)
        return "250 kept"


def _handler_for(inbox: Inbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("content-length", 0)), _MOST_BYTES))
            receive = {"/webhook": self._webhook, "/notify": self._notify}.get(self.path)
            self.send_response(receive(body) if receive else 404)
            self.send_header("content-length", "0")
            self.end_headers()

        def _webhook(self, body: bytes) -> int:
            try:
                Webhook(inbox.secret).verify(body, {name.lower(): value for name, value in self.headers.items()})
            except WebhookVerificationError as error:
                inbox.refused.append(str(error))
                return 401
            inbox.webhooks.append(json.loads(body))
            return 204

        def _notify(self, body: bytes) -> int:
            inbox.notifications.append(body.decode(errors="replace"))
            return 200

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Say nothing; the demo says what arrived."""

    return Handler
