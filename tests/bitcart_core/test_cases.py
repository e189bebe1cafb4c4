"""What is known of one invoice: confirmations, what is due, what it is called, how far its coins were heard."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlmodel import Session

from bitcart_core import cases, invoices
from bitcart_core.cases import Case, Hearing, method_names
from bitcart_core.models import Invoice, Payment, PaymentMethod
from bitcart_core.testing.shop import Shop

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def method(symbol="BTC", *, coin=None, amount="0.001", **fields):
    return PaymentMethod(
        invoice_id="i", coin=coin or symbol.lower(), network="regtest", symbol=symbol, decimals=8, rate=Decimal(1),
        amount=None if amount is None else Decimal(amount), lookup_key="k", address="a", uri="u", **fields,
    )  # fmt: skip


def payment(on, amount="0.001", *, height=None, txid="tx", **fields):
    return Payment(
        coin=on.coin, network="regtest", txid=txid, output="0", lookup_key="k", address="a", amount=Decimal(amount),
        first_seen_at=NOON, height=height, epoch=1, seq=1, method_id=on.id, **fields,
    )  # fmt: skip


def case(*methods, payments=(), **hearings):
    invoice = Invoice(
        user_id="u", store_id="s", price=Decimal(50), currency="USD", expiration_minutes=15, tolerance=Decimal(0),
        expires_at=NOON + timedelta(minutes=15),
    )  # fmt: skip
    heard = {(coin, "regtest"): hearing for coin, hearing in hearings.items()}
    return Case(invoice=invoice, methods=list(methods), payments=list(payments), hearings=heard)


@pytest.mark.parametrize(
    ("height", "tip", "confirmations"),
    [(None, 100, 0), (100, 100, 1), (100, 101, 2), (95, 100, 6), (101, 100, 1), (100, None, 1)],
    ids=["waiting", "in the tip", "one above", "six deep", "the tip is not known yet", "no tip at all"],
)
def test_a_payment_is_as_deep_as_the_blocks_on_it(height, tip, confirmations):
    btc = method()
    paid = payment(btc, height=height)

    assert case(btc, payments=[paid], btc=Hearing(height=tip, until=NOON)).confirmations(paid) == confirmations


def test_a_replaced_payment_has_no_confirmations():
    btc = method()
    gone = payment(btc, height=90, is_replaced=True)

    assert case(btc, payments=[gone], btc=Hearing(height=100, until=NOON)).confirmations(gone) == 0


def test_an_invoice_was_heard_of_as_far_as_the_coin_that_lags_most():
    early, late = Hearing(height=1, until=NOON), Hearing(height=1, until=NOON + timedelta(hours=1))

    assert case(method(), method("LTC"), btc=late, ltc=early).heard_until() == NOON


@pytest.mark.parametrize(
    "hearings", [{}, {"btc": Hearing(height=1, until=NOON)}, {"ltc": Hearing(height=1, until=None)}]
)
def test_a_coin_that_never_reported_leaves_the_invoice_unheard(hearings):
    assert case(method(), method("LTC"), **hearings).heard_until() is None


@pytest.mark.parametrize(
    ("methods", "names"),
    [
        ([method()], ["BTC"]),
        ([method(), method("LTC")], ["BTC", "LTC"]),
        ([method(), method(is_lightning=True)], ["BTC", "BTC (⚡)"]),
        ([method(), method(), method("LTC")], ["BTC (1)", "BTC (2)", "LTC"]),
        ([method(label="Till"), method()], ["TILL", "BTC"]),
        ([method(is_lightning=True), method(is_lightning=True)], ["BTC (⚡) (1)", "BTC (⚡) (2)"]),
    ],
)
def test_a_buyer_can_tell_the_methods_apart(methods, names):
    assert list(method_names(methods).values()) == names


@pytest.mark.parametrize(
    ("paid", "due"),
    [("0", "0.001"), ("0.0004", "0.0006"), ("0.001", "0"), ("0.002", "0"), ("0.00099999", "0.00000001")],
)
def test_what_is_due_is_what_is_missing(paid, due):
    btc = method()

    assert case(btc, payments=[payment(btc, paid)]).due_on(btc) == Decimal(due)


def test_what_is_due_on_another_coin_is_rounded_up_so_that_it_suffices():
    btc, ltc = method(amount="0.00000003"), method("LTC", amount="0.0000001")

    assert case(btc, ltc, payments=[payment(btc, "0.00000001")]).due_on(ltc) == Decimal("0.00000007")


def test_where_the_buyer_chooses_nothing_is_due_and_nothing_at_all_is_no_payment():
    btc = method(amount=None)
    nothing = case(btc, payments=[payment(btc, "0")])

    assert nothing.due_on(btc) == 0
    assert nothing.decide(NOON).status == "pending"
    assert case(btc, payments=[payment(btc, "0.00000001")]).decide(NOON).status == "complete"


def test_what_arrived_is_what_stands():
    btc, ltc = method(), method("LTC")
    paid = [payment(btc, "0.4"), payment(btc, "0.1", txid="tx-2", is_replaced=True), payment(ltc, "7", txid="tx-3")]

    assert case(btc, ltc, payments=paid).received_on(btc) == Decimal("0.4")
    assert case(btc, ltc, payments=paid).view().tx_hashes == ("tx", "tx-3")


@pytest.mark.parametrize("price", ["50", "49.99", "0.07", "33.33", "1234.56"])
@pytest.mark.parametrize("part", ["0.00000001", "0.00000007", "0.00000113"])
def test_a_buyer_who_sends_what_the_page_asks_for_has_paid_exactly(bazaar: Shop, litecoin, price, part):
    sold = bazaar.sell(price)
    bazaar.pay(sold, part)
    with Session(bazaar.kernel.engine) as session:
        now_due = invoices.find(session, sold.invoice.id)
        asked = now_due.due_on(now_due.methods[1])
    bazaar.hear(litecoin.pay(sold.methods[1].lookup_key, str(asked)), coin="ltc")

    assert bazaar.standing(sold) == ("complete", "none")


def test_an_open_page_is_told_what_arrived_once_it_is_committed(shop: Shop):
    sold = shop.sell("50")
    with shop.kernel.redis.pubsub(ignore_subscribe_messages=True) as page:
        page.subscribe(f"bitcart:invoice:{sold.invoice.id}")
        page.get_message(timeout=5)
        shop.pay(sold, "0.0004")
        message = json.loads(page.get_message(timeout=5)["data"])

    assert message == {
        "status": "pending", "exception_status": "paid_partial", "sent_amount": "0.00040000", "paid_currency": "BTC",
        "payment_id": sold.methods[0].id,
    }  # fmt: skip


def test_invoices_that_do_not_exist_are_left_out(shop: Shop):
    sold = shop.sell("50")
    with Session(shop.kernel.engine) as session:
        loaded = cases.load(session, ["nobody's", sold.invoice.id], is_locking=False)
        assert cases.load(session, ["nobody's"], is_locking=False) == []

    assert [known.invoice.id for known in loaded] == [sold.invoice.id]
