"""An API on the test kernel, and a merchant who is signed in to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2 as httpx
import pytest
from bitcart_host_api.app import create_app
from fastapi.testclient import TestClient

from bitcart_core.kernel import Kernel


@pytest.fixture
def client(kernel: Kernel) -> Iterator[TestClient]:
    with TestClient(create_app(kernel)) as client:
        yield client


@dataclass
class Merchant:
    client: TestClient
    token: str
    store_id: str
    wallet_id: str
    webhook_secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, path: str, **body: Any) -> httpx.Response:
        return self.client.post(path, json=body, headers=self.headers)

    def get(self, path: str) -> httpx.Response:
        return self.client.get(path, headers=self.headers)

    def sell(self, **fields: Any) -> httpx.Response:
        return self.client.post("/invoices", json={"store_id": self.store_id, "price": "5.00", **fields})


@pytest.fixture
def merchant(client: TestClient) -> Merchant:
    token = client.post("/users", json={"email": "me@example.com", "password": "secret"}).json()["token"]
    merchant = Merchant(client, token, "", "", "")
    merchant.wallet_id = merchant.post("/wallets", name="Till", xpub="xpub1").json()["id"]
    store = merchant.post("/stores", name="Green Bean", wallets=[merchant.wallet_id]).json()
    merchant.store_id, merchant.webhook_secret = store["id"], store["webhook_secret"]
    return merchant
