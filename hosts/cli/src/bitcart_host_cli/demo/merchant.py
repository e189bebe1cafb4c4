"""A merchant who opens a store and asks for money, over the REST API as anyone would."""

from dataclasses import dataclass
from typing import Any

import httpx2 as httpx

from bitcart_host_cli.demo.inbox import Inbox

EMAIL = "merchant@shop.example"
BUYER = "buyer@example.com"
PASSWORD = "demo"  # noqa: S105 - of a deployment that lives on loopback as long as the demo


@dataclass
class Merchant:
    """A signed-in merchant with one store."""

    client: httpx.Client
    store_id: str

    @classmethod
    def open_store(cls, url: str, *, key: str, inbox: Inbox) -> "Merchant":
        """Register, add a wallet and a notification target, and open a store that tells the inbox everything."""
        client = httpx.Client(base_url=url, timeout=30)
        user = _post(client, "/users", {"email": EMAIL, "password": PASSWORD})
        client.headers["Authorization"] = f"Bearer {user['token']}"
        wallet = _post(client, "/wallets", {"name": "Till", "currency": "btc", "xpub": key})
        target = f"json://127.0.0.1:{inbox.http_port}/notify"
        notification = _post(client, "/notifications", {"name": "Chat", "provider": "apprise", "data": {"url": target}})
        store = _post(
            client,
            "/stores",
            {
                "name": "Green Bean Cafe",
                "default_currency": "USD",
                "wallets": [wallet["id"]],
                "notifications": [notification["id"]],
                "checkout_settings": {"transaction_speed": 1},
                "email_settings": {
                    "address": EMAIL, "host": "127.0.0.1", "port": inbox.smtp_port, "auth_mode": "none",
                },
                "plugin_settings": {
                    "webhook": {"endpoints": [{"url": f"http://127.0.0.1:{inbox.http_port}/webhook"}]}
                },
            },
        )  # fmt: skip
        inbox.secret = store["webhook_secret"]
        return cls(client=client, store_id=store["id"])

    def sell(self, price: str) -> dict[str, Any]:
        """Make an invoice."""
        return _post(
            self.client,
            "/invoices",
            {"store_id": self.store_id, "price": price, "order_id": "table 7", "buyer_email": BUYER},
        )

    def invoice(self, invoice_id: str) -> dict[str, Any]:
        """Return an invoice as it is now."""
        answer = self.client.get(f"/invoices/{invoice_id}")
        answer.raise_for_status()
        body: dict[str, Any] = answer.json()
        return body


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(path, json=body)
    if answer.is_error:
        raise RuntimeError(f"POST {path} answered {answer.status_code}: {answer.text[:500]}")
    result: dict[str, Any] = answer.json()
    return result
