"""Invoices: made whole or not at all, expired in time, marked once, closed when nobody watches any more."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlmodel import Session, SQLModel, func, select

from bitcart_core import invoices
from bitcart_core.errors import ForbiddenError, InputError, NotFoundError
from bitcart_core.invoices import NewInvoice
from bitcart_core.models import Event, Invoice, Mark, PaymentMethod
from bitcart_core.settlement import Verdict
from bitcart_core.testing.shop import Shop


def rows(shop: Shop, *tables: type[SQLModel]) -> list[int]:
    with Session(shop.kernel.engine) as session:
        return [session.exec(select(func.count()).select_from(table)).one() for table in tables]


def ask(shop: Shop, **changes):
    asked = {"store_id": shop.store.id, "price": Decimal(50), "currency": "USD"} | changes
    return invoices.create(shop.kernel, NewInvoice(**asked))


BAD_INPUT = [
    # what is asked for, the field at fault, what the caller can do
    ({"currency": "USDX"}, "currency", "send an ISO 4217 code such as USD"),
    ({"currency": "XXX"}, "currency", "send an ISO 4217 code such as USD"),
    ({"currency": "DEM"}, "currency", "send an ISO 4217 code such as USD"),
    ({"currency": "\x00"}, "currency", "send an ISO 4217 code such as USD"),
    ({"currency": "U" * 10_000}, "currency", "send an ISO 4217 code such as USD"),
    ({"currency": "LTC"}, "currency", "send an ISO 4217 code such as USD"),
    ({"price": Decimal(0)}, "price", "send a price above 0, or set any_amount"),
    ({"price": Decimal("0.00")}, "price", "send a price above 0, or set any_amount"),
    ({"price": Decimal(-1)}, "price", "send 0 or more"),
    ({"price": Decimal("-0.01")}, "price", "send 0 or more"),
    ({"price": Decimal("-0")}, "price", "send 0 or more"),
    ({"price": Decimal("NaN")}, "price", 'send digits such as "10.50"'),
    ({"price": Decimal("sNaN")}, "price", 'send digits such as "10.50"'),
    ({"price": Decimal("Infinity")}, "price", 'send digits such as "10.50"'),
    ({"price": Decimal("-Infinity")}, "price", 'send digits such as "10.50"'),
    ({"price": Decimal("1e400")}, "price", "40 are the most"),
    ({"price": Decimal("1e-400")}, "price", "40 are the most"),
    ({"price": Decimal("1e999999")}, "price", "40 are the most"),
    ({"price": Decimal("0.001")}, "price", "has more decimals than USD has; send at most 2"),
    ({"price": Decimal("100.5"), "currency": "JPY"}, "price", "has more decimals than JPY has; send at most 0"),
    ({"price": Decimal("0.123456789"), "currency": "BTC"}, "price", "has more decimals than BTC has; send at most 8"),
    ({"price": None}, "price", "send one, or set any_amount"),
    ({"is_any_amount": True}, "price", "leave the price out"),
    ({"is_any_amount": True, "price": Decimal("NaN")}, "price", "leave the price out"),
    ({"expiration_minutes": 0}, "expiration", "between 1 minute and a year"),
    ({"expiration_minutes": -1}, "expiration", "between 1 minute and a year"),
    ({"expiration_minutes": 525_601}, "expiration", "between 1 minute and a year"),
    ({"expiration_minutes": 10**30}, "expiration", "between 1 minute and a year"),
    ({"wallet_ids": []}, "payment_methods", "Payment methods cannot be empty"),
    ({"wallet_ids": ["nobody's"]}, "payment_methods", "Wallet nobody's is not connected to store"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "field", "remedy"), BAD_INPUT, ids=[str(case[0])[:60] for case in BAD_INPUT])
def test_what_cannot_be_sold_is_refused_with_its_field_and_a_remedy(shop: Shop, asked, field, remedy):
    with pytest.raises(InputError) as refused:
        ask(shop, **asked)

    assert refused.value.field == field
    assert remedy in str(refused.value)
    assert len(str(refused.value)) < 300
    assert rows(shop, Invoice, PaymentMethod, Event) == [0, 0, 0]


def test_an_unknown_store_is_not_found(shop: Shop):
    with pytest.raises(NotFoundError):
        ask(shop, store_id="nobody's")

    assert rows(shop, Invoice) == [0]


def test_a_store_without_a_wallet_sells_nothing(shop: Shop):
    lonely = Shop.open(shop.kernel, shop.coin, email="lonely@example.com")
    with Session(shop.kernel.engine) as session:
        session.exec(SQLModel.metadata.tables["store_wallets"].delete().where(_store_is(lonely)))
        session.commit()

    with pytest.raises(InputError, match="No wallet linked"):
        lonely.sell("50")


def _store_is(shop: Shop):
    return SQLModel.metadata.tables["store_wallets"].c.store_id == shop.store.id


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b"], ids=["NUL", "half a pair"])
@pytest.mark.parametrize("name", ["order_id", "notes", "buyer_email"])
def test_text_no_database_can_hold_is_the_callers_to_mend(shop: Shop, name, text):
    with pytest.raises(InputError) as refused:
        shop.sell("50", fields={name: text})

    assert refused.value.field == name
    assert rows(shop, Invoice) == [0]


def test_strangers_make_invoices_only_where_the_store_lets_them(shop: Shop):
    new = NewInvoice(store_id=shop.store.id, price=Decimal(50))
    assert invoices.create(shop.kernel, new, is_anonymous=True).methods

    shop.configure(allow_anonymous_invoice_creation=False)
    with pytest.raises(ForbiddenError, match="Anonymous invoice creation is disabled"):
        invoices.create(shop.kernel, new, is_anonymous=True)
    assert shop.sell("50").methods


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [
        ("50", "USD", "0.00100000"),
        ("0.01", "USD", "0.00000020"),
        ("49.99", "USD", "0.00099980"),
        ("33.33", "EUR", "0.00083325"),
        ("0.07", "EUR", "0.00000175"),
        ("1", "BTC", "1.00000000"),
        ("0.00000001", "BTC", "0.00000001"),
    ],
)
def test_amount_times_rate_is_the_price(shop: Shop, price, currency, amount):
    method = shop.sell(price, currency=currency).methods[0]

    assert format(method.amount, "f") == amount
    assert method.amount * method.rate == Decimal(price)
    assert method.rate_provenance["source"] in {"fake", "identity"}


def test_a_price_below_the_smallest_unit_of_a_coin_is_refused(shop: Shop, monkeypatch):
    [rates] = shop.kernel.registry.rate_sources
    monkeypatch.setitem(rates.prices, "BTC_USD", "1000001")

    with pytest.raises(InputError, match="raise the price"):
        shop.sell("0.01")
    assert rows(shop, Invoice) == [0]


def test_an_invoice_for_any_amount_asks_for_none(shop: Shop):
    case = ask(shop, price=None, is_any_amount=True)

    assert case.methods[0].amount is None
    assert case.methods[0].rate == 50_000


def test_the_store_decides_what_the_caller_leaves_out(shop: Shop):
    shop.configure(expiration=90)
    case = ask(shop, currency="")

    assert case.invoice.currency == "USD"
    assert case.invoice.expires_at - case.invoice.created_at == timedelta(minutes=90)


def test_a_part_of_the_wallets_may_be_asked_for_once_each(bazaar: Shop):
    everything = bazaar.sell("50")
    litecoin = everything.methods[1].wallet_id
    case = bazaar.sell("50", wallet_ids=[litecoin, litecoin])

    assert [method.symbol for method in case.methods] == ["LTC"]


def test_an_invoice_expires_once(shop: Shop):
    case = shop.sell("50")
    shop.age(case, minutes=16)

    assert shop.sweep() == 1
    assert shop.sweep() == 0
    assert shop.kinds(case) == ["invoice_created", "invoice_expired"]


def test_an_invoice_with_time_left_is_left_alone(shop: Shop):
    case = shop.sell("50")
    shop.age(case, minutes=14)

    assert shop.sweep() == 0
    assert shop.standing(case) == ("pending", "none")


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1)], ids=["ahead", "behind"])
def test_a_host_whose_clock_is_wrong_sells_and_expires_by_the_databases(shop: Shop, skew):
    over = shop.sell("50")
    shop.age(over, minutes=16)
    shop.hear(shop.coin.heartbeat())
    with time_machine.travel(datetime.now(UTC) + skew):
        new = shop.sell("50")
        assert invoices.expire_due(shop.kernel) == 1

    assert shop.standing(over)[0] == "expired"
    assert abs(new.invoice.expires_at - timedelta(minutes=15) - datetime.now(UTC)) < timedelta(minutes=10)


def test_invoices_of_a_lagging_coin_hold_up_no_others(bazaar: Shop, litecoin):
    by_coin = {method.symbol: method.wallet_id for method in bazaar.sell("50").methods}
    lagging = [bazaar.sell("50", wallet_ids=[by_coin["LTC"]]) for _ in range(3)]
    prompt = bazaar.sell("50", wallet_ids=[by_coin["BTC"]])
    for case in [*lagging, prompt]:
        bazaar.age(case, minutes=16)
    bazaar.hear(bazaar.coin.heartbeat())

    assert invoices.expire_due(bazaar.kernel, limit=2) == 1
    assert bazaar.standing(prompt)[0] == "expired"
    assert {bazaar.standing(case)[0] for case in lagging} == {"pending"}


def test_an_invoice_expires_without_its_daemon_when_the_grace_is_over_and_says_why(shop: Shop):
    case = shop.sell("50")
    shop.age(case, minutes=16 + 60)

    assert invoices.expire_due(shop.kernel) == 1
    assert shop.events(case)[-1].reason == "A coin's daemon has not been heard of since before the expiry."


def test_many_invoices_expire_in_turns(shop: Shop):
    for case in [shop.sell("50") for _ in range(5)]:
        shop.age(case, minutes=16)
    shop.hear(shop.coin.heartbeat())

    assert [invoices.expire_due(shop.kernel, limit=2) for _ in range(4)] == [2, 2, 1, 0]


@pytest.mark.parametrize(("verdict", "status", "kind"), [
    (Verdict.COMPLETE, "complete", "invoice_completed"), (Verdict.INVALID, "invalid", "invoice_invalidated"),
])  # fmt: skip
def test_marking_twice_changes_nothing_the_second_time(shop: Shop, verdict, status, kind):
    case = shop.sell("50")
    for _ in range(2):
        invoices.mark(shop.kernel, case.invoice.id, verdict, user_id=shop.user.id)

    assert shop.standing(case)[0] == status
    assert shop.kinds(case) == ["invoice_created", kind]
    assert rows(shop, Mark) == [1]


def test_the_last_mark_counts_though_the_clock_of_its_host_is_slow(shop: Shop):
    case = shop.sell("50")
    invoices.mark(shop.kernel, case.invoice.id, Verdict.COMPLETE, user_id=None)
    with time_machine.travel("2020-01-01"):
        invoices.mark(shop.kernel, case.invoice.id, Verdict.INVALID, user_id=None)
    shop.pay(case, "0.0001")

    assert shop.standing(case) == ("invalid", "none")


def test_a_stranger_marks_nothing(shop: Shop):
    case = shop.sell("50")
    with pytest.raises(NotFoundError):
        invoices.mark(shop.kernel, case.invoice.id, Verdict.COMPLETE, user_id="someone else")
    with pytest.raises(NotFoundError):
        invoices.mark(shop.kernel, "nobody's", Verdict.COMPLETE, user_id=None)

    assert shop.standing(case) == ("pending", "none")


def test_methods_are_closed_when_the_store_watches_no_longer(shop: Shop):
    shop.configure(late_watch_days=2)
    watched, watched_out, open_still = (shop.sell("50") for _ in range(3))
    shop.age(watched, days=1)
    shop.age(watched_out, days=3)
    shop.sweep()

    assert invoices.close_watched_out(shop.kernel) == 1
    with Session(shop.kernel.engine) as session:
        is_open = {method.invoice_id: method.is_open for method in session.exec(select(PaymentMethod))}
    assert is_open == {watched.invoice.id: True, watched_out.invoice.id: False, open_still.invoice.id: True}


def test_methods_of_an_invoice_still_waiting_for_confirmations_stay_open(shop: Shop):
    shop.configure(transaction_speed=6)
    case = shop.sell("50")
    shop.pay(case, "0.001")
    shop.age(case, days=60)

    assert invoices.close_watched_out(shop.kernel) == 0


def test_an_invoice_that_does_not_exist_is_not_found(shop: Shop):
    with Session(shop.kernel.engine) as session, pytest.raises(NotFoundError):
        invoices.find(session, "nobody's")
