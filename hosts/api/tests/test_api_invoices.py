"""Invoices over HTTP: their shape, what is refused, and what a page is told."""

import pytest
from fastapi.testclient import TestClient

from bitcart_core.kernel import Kernel
from bitcart_core.testing.coins import FakeCoinClient
from bitcart_core.testing.shop import hear


def test_an_invoice_is_shown_as_the_contract_says(merchant):
    invoice = merchant.sell(order_id="7", metadata={"table": 3}).json()

    assert (invoice["status"], invoice["exception_status"]) == ("pending", "none")
    assert (invoice["price"], invoice["currency"], invoice["sent_amount"]) == ("5.00", "USD", 0.0)
    assert (invoice["expiration"], invoice["expiration_seconds"], invoice["time_left"]) == (15, 900, 900)
    assert (invoice["order_id"], invoice["metadata"]) == ("7", {"table": 3})
    assert invoice["payment_methods"] == [merchant.wallet_id]
    (method,) = invoice["payments"]
    assert (method["name"], method["currency"], method["symbol"]) == ("BTC", "btc", "btc")
    assert (method["amount"], method["rate"], method["rate_str"]) == ("0.00010000", "50000.00", "$50,000.00 (USD)")
    assert (method["lightning"], method["divisibility"], method["is_used"]) == (False, 8, False)
    assert method["lookup_field"].startswith("request-")


def test_a_buyer_may_see_an_invoice_and_another_merchant_may_not(merchant, client: TestClient):
    invoice_id = merchant.sell().json()["id"]
    stranger = client.post("/users", json={"email": "other@example.com", "password": "secret"}).json()["token"]

    assert client.get(f"/invoices/{invoice_id}").status_code == 200
    refused = client.get(f"/invoices/{invoice_id}", headers={"Authorization": f"Bearer {stranger}"})
    assert (refused.status_code, refused.json()) == (
        404,
        {"error": "Not found", "detail": "No item found when one was expected"},
    )


@pytest.mark.parametrize(
    ("fields", "field", "part"),
    [
        ({"price": "0"}, "price", "any_amount"),
        ({"price": None}, "price", "any_amount"),
        ({"price": "-1"}, "price", "negative"),
        ({"price": "NaN"}, "price", "not an amount"),
        ({"price": "1e400"}, "price", "too many digits"),
        ({"price": "1.999"}, "price", "at most 2"),
        ({"price": "five"}, "price", "not an amount"),
        ({"currency": "ZZZ"}, "currency", "ISO 4217"),
        ({"currency": "JPY", "price": "1"}, "currency", "rate"),
        ({"payment_methods": []}, "payment_methods", "cannot be empty"),
        ({"payment_methods": ["nope"]}, "payment_methods", "is not connected"),
    ],
)
def test_bad_input_is_refused_with_the_field_and_the_remedy(merchant, kernel: Kernel, fields, field, part):
    answer = merchant.sell(**fields)

    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert part in answer.json()["detail"]
    assert merchant.get("/invoices").json()["count"] == 0


def test_a_price_given_as_a_number_keeps_its_digits(merchant):
    assert merchant.sell(price=0.1).json()["price"] == "0.10"
    assert merchant.sell(price=19.99).json()["price"] == "19.99"


def test_any_amount_needs_no_price(merchant):
    invoice = merchant.sell(price=None, any_amount=True).json()

    assert invoice["any_amount"] is True
    assert invoice["payments"][0]["due"] == "0.00000000"


def test_with_no_daemon_left_the_answer_is_503_and_nothing_is_made(merchant, coin: FakeCoinClient):
    coin.is_down = True
    answer = merchant.sell()

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    coin.is_down = False
    assert merchant.get("/invoices").json()["count"] == 0


def test_a_wrong_key_is_refused_with_the_form_that_is_expected(merchant):
    answer = merchant.post("/wallets", name="Till", xpub="nonsense")

    assert answer.status_code == 422
    assert answer.json()["field"] == "xpub"


def test_an_unknown_coin_is_refused_with_those_there_are(merchant):
    answer = merchant.post("/wallets", name="Till", xpub="xpub1", currency="doge")

    assert answer.status_code == 422
    assert "supported: btc" in answer.json()["detail"]


def test_a_store_takes_no_wallet_of_somebody_else(merchant, client: TestClient):
    stranger = client.post("/users", json={"email": "other@example.com", "password": "secret"}).json()["token"]
    body = {"name": "Mine", "wallets": [merchant.wallet_id]}
    answer = client.post("/stores", json=body, headers={"Authorization": f"Bearer {stranger}"})

    assert answer.status_code == 403
    assert answer.json()["detail"] == "Access denied: attempt to use objects not owned by current user"


def test_the_key_of_a_wallet_is_shown_to_its_owner_only(merchant, client: TestClient):
    invoice = merchant.sell().json()
    seen_by_strangers = client.get(f"/stores/{merchant.store_id}").text + client.get(f"/invoices/{invoice['id']}").text

    assert merchant.get(f"/wallets/{merchant.wallet_id}").json()["xpub"] == "xpub1"
    assert '"xpub"' not in seen_by_strangers
    assert "email_settings" not in seen_by_strangers
    assert merchant.webhook_secret not in merchant.get(f"/stores/{merchant.store_id}").text


def test_an_open_page_is_told_of_a_payment(merchant, client: TestClient, kernel: Kernel, coin: FakeCoinClient):
    invoice = merchant.sell().json()
    with client.websocket_connect(f"/ws/invoices/{invoice['id']}") as socket:
        hear(kernel, coin.pay(invoice["payments"][0]["lookup_field"], "0.0001"))
        message = socket.receive_json()

    assert message == {
        "status": "complete",
        "exception_status": "none",
        "sent_amount": "0.00010000",
        "paid_currency": "BTC",
        "payment_id": invoice["payments"][0]["id"],
    }


def test_a_page_that_opens_after_the_end_is_told_once(merchant, client: TestClient, kernel: Kernel, coin):
    invoice = merchant.sell().json()
    hear(kernel, coin.pay(invoice["payments"][0]["lookup_field"], "0.0001"))
    with client.websocket_connect(f"/ws/invoices/{invoice['id']}") as socket:
        assert socket.receive_json()["status"] == "complete"
        assert socket.receive()["type"] == "websocket.close"


def test_a_partial_payment_shows_what_is_still_due(merchant, kernel: Kernel, coin: FakeCoinClient):
    invoice = merchant.sell().json()
    hear(kernel, coin.pay(invoice["payments"][0]["lookup_field"], "0.00004"))
    shown = merchant.get(f"/invoices/{invoice['id']}").json()

    assert (shown["status"], shown["exception_status"]) == ("pending", "paid_partial")
    assert (shown["payments"][0]["received"], shown["payments"][0]["due"]) == ("0.00004000", "0.00006000")


def test_an_invoice_can_be_marked_by_hand(merchant):
    invoice_id = merchant.sell().json()["id"]

    assert merchant.post("/invoices/batch", ids=[invoice_id], command="mark_complete").json() is True
    assert merchant.get(f"/invoices/{invoice_id}").json()["status"] == "complete"
    unknown = merchant.post("/invoices/batch", ids=[invoice_id], command="frobnicate")
    assert (unknown.status_code, unknown.json()) == (404, {"detail": "Batch command not found"})


def test_ready_names_what_is_missing(client: TestClient, coin: FakeCoinClient):
    assert client.get("/health/ready").json() == {"status": "ok"}
    coin.is_down = True
    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json() == {"status": "degraded", "detail": "coins unreachable: btc"}
