"""A price service of one's own on a free port, for the tests of rate sources."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Handler = BaseHTTPRequestHandler


@dataclass
class StubService:
    """Answers each path with JSON, with text as it stands, or with a function that is given the request's handler.

    Attributes:
        pages: Answers by path.
        status: Of every answer.
        headers: Of every answer; a `date` here replaces the real one.
        asked: Path and query of each question so far.
        received: Headers of each question so far, names in lower case.
    """

    url: str = ""
    pages: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    received: list[dict[str, str]] = field(default_factory=list)

    def answer(self, handler: Handler) -> None:
        """Answer one question."""
        parts = urlsplit(handler.path)
        self.asked.append((parts.path, dict(parse_qsl(parts.query))))
        self.received.append({name.lower(): value for name, value in handler.headers.items()})
        page = self.pages.get(parts.path, {"error": "not found"})
        if callable(page):
            page(handler)
            return
        body = (page if isinstance(page, str) else json.dumps(page)).encode()
        handler.send_response_only(self.status)
        sent = {"date": handler.date_time_string(), "content-type": "application/json", **self.headers}
        for name, value in {**sent, "content-length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


@contextmanager
def stub_service() -> Iterator[StubService]:
    """Serve on loopback as long as the block lasts."""
    service = StubService()

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                service.answer(self)
            except OSError:
                self.close_connection = True

        log_message: Callable[..., None] = lambda *_: None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    server.daemon_threads = True
    server.block_on_close = False
    service.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
