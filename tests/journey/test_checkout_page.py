"""The checkout page in front of the real API: what a buyer reads while money arrives."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from bitcart_checkout_page import Page
from bitcart_host_api.app import create_app
from fastapi.testclient import TestClient

from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings
from bitcart_core.testing.coins import FakeCoinClient, fake_coin
from bitcart_core.testing.plugins import FakeRates, found, supplying
from bitcart_core.testing.shop import Shop


@pytest.fixture
def shop(settings: Settings, coin: FakeCoinClient) -> Iterator[Shop]:
    explored = replace(fake_coin(client=coin), explorer_url="https://explorer.example/tx/{txid}")
    supplies = supplying(coins=[explored], rates=[FakeRates({"BTC_USD": "50000"})])
    with Kernel(settings, plugins=[found("supplies", supplies), found("page", Page)]) as kernel:
        yield Shop.open(kernel, coin, transaction_speed=2)


@pytest.fixture
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(create_app(shop.kernel)) as client:
        yield client


def read(client: TestClient, invoice_id: str) -> str:
    page = client.get(f"/i/{invoice_id}")
    assert page.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.text.partition("<main")[2])).split())


def test_a_buyer_reads_the_truth_from_the_first_look_to_the_last_confirmation(shop: Shop, client: TestClient):
    case = shop.sell("50")

    asked = read(client, case.invoice.id)
    shop.pay(case, "0.0004")
    partly = read(client, case.invoice.id)
    shop.pay(case, "0.0006")
    seen = read(client, case.invoice.id)
    shop.mine(1)
    confirming = read(client, case.invoice.id)
    shop.mine(1)
    complete = read(client, case.invoice.id)

    assert "Send exactly 0.00100000 BTC to this address." in asked
    assert "We received 0.00040000 BTC. Please send the remaining 0.00060000 BTC" in partly
    assert "Your payment of 0.00100000 BTC is on its way." in seen
    assert "Confirming: 1 of 2" in confirming
    assert "Thank you. Green Bean received $50.00." in complete


def test_play_money_is_called_so_and_its_transactions_are_linked(shop: Shop, client: TestClient):
    case = shop.sell("50")
    txid = shop.pay(case, "0.001")

    page = client.get(f"/i/{case.invoice.id}").text

    assert "Test mode: no real money" in page
    assert f'href="https://explorer.example/tx/{txid}"' in page


def test_a_gift_of_any_amount_is_thanked_for(shop: Shop, client: TestClient):
    case = shop.sell("0", is_any_amount=True)

    asked = read(client, case.invoice.id)
    shop.pay(case, "0.00012345")
    shop.mine(2)

    assert "Send as much BTC as you like to this address." in asked
    assert "Thank you. Green Bean received 0.00012345 BTC." in read(client, case.invoice.id)


def test_an_invoice_that_nobody_made_is_not_found(client: TestClient):
    answer = client.get("/i/01KAR3S7T4W1Q7Y7M2S1V5K0QX")

    assert answer.status_code == 404
    assert "Invoice not found" in answer.text
