"""Stores over HTTP: what plugins can be told, and what can be shown when a coin is gone."""

import pytest
from fastapi.testclient import TestClient

from bitcart_core import StoreSettings
from bitcart_core.kernel import Kernel
from bitcart_core.testing.plugins import Recording


class Patient(StoreSettings):
    patience_seconds: int = 5


def test_settings_that_a_plugin_cannot_read_are_refused_with_the_field(merchant, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Recording, "StoreSettings", Patient)
    settings = {"recording": {"patience_seconds": "much"}}
    answer = merchant.post("/stores", name="Mine", wallets=[merchant.wallet_id], plugin_settings=settings)

    assert answer.status_code == 422
    assert answer.json()["field"] == "plugin_settings.recording.patience_seconds"


def test_settings_for_a_plugin_that_is_not_loaded_are_kept(merchant):
    settings = {"later": {"anything": 1}}
    answer = merchant.post("/stores", name="Mine", wallets=[merchant.wallet_id], plugin_settings=settings)

    assert answer.json()["plugin_settings"] == settings


def test_what_was_priced_in_a_coin_is_still_shown_when_the_coin_is_taken_out(
    merchant, kernel: Kernel, client: TestClient
):
    store = merchant.post("/stores", name="Coins", wallets=[merchant.wallet_id], default_currency="BTC").json()
    made = client.post("/invoices", json={"store_id": store["id"], "price": "0.001"}).json()
    kernel.registry.coins.clear()

    assert merchant.get(f"/invoices/{made['id']}").json()["price"] == "0.00100000"
    assert merchant.get(f"/stores/{store['id']}").json()["currency_data"]["divisibility"] == 8


@pytest.mark.parametrize("query", ["offset=-1", "limit=-2", "limit=1001"])
def test_a_page_out_of_bounds_is_refused(merchant, query: str):
    assert merchant.get(f"/invoices?{query}").status_code == 422
