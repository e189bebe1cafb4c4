"""A REST API that says what a test wants, the page in front of it, and scenes: an invoice in each of its states."""

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import pytest
import uvicorn
from bitcart_checkout_page import Page, PageSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route

INVOICE_ID = "01KAR3S7T4W1Q7Y7M2S1V5K0QX"
ADDRESS = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
TXID = "f4184fc596403b9d638783cf57adfe4c75c605f6356fbc91338530e9831e9e16"
EXPLORER = "https://explorer.example/tx/{txid}"
SUPPORT = {"support": "help@greenbean.example"}

Changes = dict[str, Any]


def method(**changes: Any) -> Changes:
    """One way to pay, as the API shows it: 0.00068312 BTC, nothing sent so far."""
    amount, address = changes.get("amount", "0.00068312"), changes.get("payment_address", ADDRESS)
    return {
        "id": "method-1", "created": "2026-11-23T14:05:20Z", "invoice_id": INVOICE_ID, "wallet_id": "w1",
        "name": "BTC", "currency": "btc", "symbol": "btc", "network": "mainnet", "amount": amount, "received": "0.00000000",
        "due": amount, "rate": "61482.10", "rate_str": "", "divisibility": 8, "payment_address": address,
        "payment_url": f"bitcoin:{address}?amount={amount}", "lookup_field": "x", "lightning": False, "rhash": None,
        "node_id": None, "contract": "", "label": "", "hint": "", "confirmations": 0, "confirmations_required": 6,
        "recommended_fee": 0.0, "discount": None, "user_address": None, "is_used": False, "explorer_url": EXPLORER,
        **changes,
    }  # fmt: skip


def paid(amount: str, due: str = "0.00000000", **changes: Any) -> Changes:
    return method(received=amount, due=due, **changes)


LITECOIN = method(
    id="method-2", name="LTC", currency="ltc", symbol="ltc", amount="0.41200000", rate="101.94",
    payment_address="ltc1qhuv3dhpnm0wktasd3v0kt6e4aqfqsd0uhfdu7d",
    payment_url="litecoin:ltc1qhuv3dhpnm0wktasd3v0kt6e4aqfqsd0uhfdu7d?amount=0.41200000",
)  # fmt: skip
LIGHTNING = method(
    id="method-3", name="BTC (\u26a1)", lightning=True, payment_address="lnbc683120n1" + "p5tk8xq7" * 32,
    payment_url="lightning:lnbc683120n1" + "p5tk8xq7" * 32, confirmations_required=0,
)  # fmt: skip
MANY = [
    method(),
    LIGHTNING,
    LITECOIN,
    method(id="method-4", name="XMR", symbol="xmr", currency="xmr", amount="0.210000000000", divisibility=12),
]

SCENES: dict[str, Changes] = {
    "pending": {},
    "two_methods": {"payments": [method(), LITECOIN]},
    "choose": {"payments": MANY},
    "lightning": {"payments": [LIGHTNING]},
    "test_mode": {"payments": [method(network="regtest")]},
    "any_amount": {
        "any_amount": True, "price": "0.00",
        "payments": [method(amount="0.00000000", payment_url=f"bitcoin:{ADDRESS}")],
    },
    "last_minutes": {"time_left": 247},
    "checking": {"time_left": 0},
    "partly_paid": {
        "exception_status": "paid_partial", "payments": [paid("0.00030000", due="0.00038312")], "tx_hashes": [TXID],
    },
    "seen": {"status": "paid", "payments": [paid("0.00068312")], "tx_hashes": [TXID]},
    "confirming": {"status": "confirmed", "payments": [paid("0.00068312", confirmations=2)], "tx_hashes": [TXID]},
    "complete": {"status": "complete", "payments": [paid("0.00068312", confirmations=6)], "tx_hashes": [TXID]},
    "overpaid": {
        "status": "complete", "exception_status": "paid_over", "tx_hashes": [TXID],
        "payments": [paid("0.00100000", confirmations=6)],
    },
    "expired": {"status": "expired", "time_left": 0},
    "expired_partly": {
        "status": "expired", "exception_status": "paid_partial", "time_left": 0, "tx_hashes": [TXID],
        "payments": [paid("0.00030000", due="0.00038312")],
    },
    "paid_late": {
        "status": "expired", "exception_status": "paid_late", "time_left": 0, "tx_hashes": [TXID],
        "payments": [paid("0.00068312")],
    },
    "unconfirmed": {"status": "invalid", "exception_status": "failed_confirm", "time_left": 0},
    "cancelled": {"status": "invalid", "time_left": 0},
    "refunded": {"status": "refunded", "time_left": 0, "payments": [paid("0.00068312", confirmations=6)]},
    "no_method": {"payments": []},
}  # fmt: skip


@dataclass
class Seen:
    """A page as a buyer gets it."""

    status: int
    headers: httpx.Headers
    html: str

    @property
    def text(self) -> str:
        return _plain(re.sub(r"<(style|title)\b.*?</\1>", "", self.html, flags=re.DOTALL))

    @property
    def title(self) -> str:
        (title,) = re.findall(r"<h1>(.*?)</h1>", self.html, flags=re.DOTALL)
        return _plain(title)

    @property
    def tab(self) -> str:
        (title,) = re.findall(r"<title>(.*?)</title>", self.html)
        return unescape(title)

    @property
    def says(self) -> str:
        """The sentence under the title."""
        (section,) = re.findall(r'<section class="state.*?</section>', self.html, flags=re.DOTALL)
        return " ".join(_plain(text) for text in re.findall(r"<p>(.*?)</p>", section, flags=re.DOTALL))

    @property
    def actions(self) -> list[str]:
        return [_plain(re.sub(r"<small.*?</small>", "", inner)) for _, inner in self._links("button")]

    @property
    def links(self) -> dict[str, str]:
        """Where every link of the page leads, by what it says."""
        return {_plain(inner): unescape(href) for href, inner in self._links("")}

    def _links(self, kind: str) -> list[tuple[str, str]]:
        found = re.findall(r'<a\b([^>]*?)href="([^"]*)"[^>]*>(.*?)</a>', self.html, flags=re.DOTALL)
        return [(href, inner) for attributes, href, inner in found if f'class="{kind}' in attributes or not kind]


def _plain(html: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


@dataclass
class Checkout:
    """The page with a REST API behind it that answers what a test put in."""

    invoice: Changes = field(default_factory=dict)
    store: Changes = field(default_factory=dict)
    settings: PageSettings = field(default_factory=PageSettings)
    api_answer: Response | None = None
    asked: list[str] = field(default_factory=list)
    is_hanging: bool = False
    is_mounted: bool = True

    def play(self, scene: str, **changes: Any) -> "Checkout":
        """Put the invoice into one of its states."""
        begun = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
        if {**SCENES[scene], **changes}.get("time_left") == 0:
            begun -= timedelta(minutes=30)
        self.invoice = {
            "id": INVOICE_ID, "created": begun.isoformat(), "updated": None, "metadata": {}, "user_id": "user-1",
            "store_id": "store-1", "order_id": "7", "price": "42.00", "currency": "EUR", "any_amount": False,
            "status": "pending", "exception_status": "none", "expiration": 30, "expiration_seconds": 1800,
            "time_left": 1200, "notification_url": "https://shop.example/secret-ipn", "buyer_email": "buyer@home.example",
            "redirect_url": "https://shop.example/thanks?order=7", "shipping_address": "1 Private Road", "notes": "gift",
            "promocode": "", "discount": None, "products": [], "product_names": {}, "product_quantities": {},
            "payments": [method()], "payment_methods": ["w1"], "payment_id": None, "paid_currency": None,
            "paid_date": None, "sent_amount": 0.0, "tx_hashes": [], "refund_id": None,
            **deepcopy(SCENES[scene]), **changes,
        }  # fmt: skip
        self.store = {
            "id": "store-1", "created": begun.isoformat(), "metadata": SUPPORT, "user_id": "user-1",
            "name": "Green Bean Cafe", "default_currency": "EUR", "checkout_settings": {}, "theme_settings": {},
            "currency_data": {"name": "Euro", "symbol": "€", "divisibility": 2, "crypto": False},
        }  # fmt: skip
        return self

    @property
    def expires(self) -> str:
        moment = datetime.fromisoformat(self.invoice["created"]) + timedelta(seconds=self.invoice["expiration_seconds"])
        return f"{moment:%H:%M} UTC"

    def api(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/invoices/{id}", self._invoice),
                Route("/stores/{id}", self._store),
                Route("/health/live", lambda _: JSONResponse({"status": "ok"})),
            ]
        )

    def app(self) -> Starlette:
        """What the API host makes of it: the API, and the page mounted beside it."""
        api = self.api()
        (mount,) = Page(self.settings, None).register_routers()  # type: ignore[arg-type]
        if self.is_mounted and self.settings.api_url is None:
            mount.app.state.bitcart_api = api  # type: ignore[attr-defined]
        whole = Starlette(routes=[Mount(mount.prefix, mount.app), Mount("/", api)])
        whole.state.page = mount.app
        return whole

    def open(self, path: str = f"/i/{INVOICE_ID}", **options: Any) -> Seen:
        """Get a page."""

        app = self.app()

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with (
                app.state.page.router.lifespan_context(app.state.page),
                httpx.AsyncClient(transport=transport, base_url="http://pay.example") as client,
            ):
                return await client.request(options.pop("verb", "GET"), path, **options)

        answer = asyncio.run(ask())
        return Seen(answer.status_code, answer.headers, answer.text)

    async def _invoice(self, request: Request) -> Response:
        return await self._answer(request, self.invoice)

    async def _store(self, request: Request) -> Response:
        return await self._answer(request, self.store)

    async def _answer(self, request: Request, item: Changes) -> Response:
        self.asked.append(request.url.path)
        if self.is_hanging:
            await asyncio.Event().wait()
        if self.api_answer is not None:
            return self.api_answer
        if request.path_params["id"] != item["id"]:
            return JSONResponse({"error": "Not found", "detail": "No item found"}, status_code=404)
        return JSONResponse(item)


@pytest.fixture
def checkout() -> Checkout:
    return Checkout().play("pending")


@pytest.fixture
def make_method() -> Callable[..., Changes]:
    return method


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serve an application on a free port of loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def url(checkout: Checkout) -> Iterator[str]:
    """The address of the invoice's page on a real server."""
    with serving(checkout.app()) as base:
        yield f"{base}/i/{INVOICE_ID}"


@pytest.fixture
def served_api(checkout: Checkout) -> Iterator[str]:
    """The address of the stub API, on a server of its own."""
    with serving(checkout.api()) as base:
        yield base


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a `scene` once for each of them, unless it names its own."""
    is_own = any("scene" in str(mark.args[0]) for mark in metafunc.definition.iter_markers("parametrize"))
    if "scene" in metafunc.fixturenames and not is_own:
        metafunc.parametrize("scene", list(SCENES))
