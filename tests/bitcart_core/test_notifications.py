"""What the people of a store are told, by which channel, and what happens when one of them cannot be told."""

import pytest
from pydantic import BaseModel, SecretStr, field_validator
from sqlalchemy import update
from sqlmodel import Session, func, select

from bitcart_core import invoices, outbox
from bitcart_core.db import transaction
from bitcart_core.errors import DeliveryError
from bitcart_core.models import Delivery, NotificationTarget, Store, StoreNotification
from bitcart_core.settlement import Verdict
from bitcart_core.testing.plugins import supplying
from bitcart_core.testing.shop import Shop


class Pager(BaseModel):
    """What a merchant fills in."""

    number: str
    pin: SecretStr = SecretStr("")

    @field_validator("number")
    @classmethod
    def has_digits(cls, number: str) -> str:
        if not number.isdigit():
            raise ValueError("a pager's number has digits only")
        return number


class PagerNotifier:
    """Remembers what it was asked to send; fails as often as a test says."""

    name = "pager"
    target_model = Pager

    def __init__(self):
        self.sent = []
        self.failures = []
        self.keys = []

    def send(self, target, notification):
        self.keys.append(notification.idempotency_key)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append((target.number, notification.title, notification.body))


@pytest.fixture
def pager():
    return PagerNotifier()


@pytest.fixture
def shop(shop_with, pager) -> Shop:
    """A shop whose merchant has a pager."""
    shop = shop_with(paging=supplying(notifiers=[pager]))
    tell(shop, "Till", {"number": "17"})
    return shop


def tell(shop: Shop, name: str, data: dict, *, notifier="pager") -> None:
    with transaction(shop.kernel.engine) as session:
        target = NotificationTarget(user_id=shop.user.id, name=name, notifier=notifier, data=data)
        session.add(target)
        session.flush()
        session.add(StoreNotification(store_id=shop.store.id, notification_id=target.id))


def paid(shop: Shop, **fields):
    case = shop.sell("50", fields=fields)
    shop.pay(case, "0.001")
    return case


def deliveries(shop: Shop) -> list[Delivery]:
    with Session(shop.kernel.engine) as session:
        return list(session.exec(select(Delivery).order_by(Delivery.target_key)))


def pass_time(shop: Shop) -> None:
    with transaction(shop.kernel.engine) as session:
        session.execute(update(Delivery).values(due_at=func.now(), locked_until=None))


def write_own_text(shop: Shop, text: str) -> None:
    with transaction(shop.kernel.engine) as session:
        session.get_one(Store, shop.store.id).templates = {"notification": text}


def test_money_received_is_told_with_the_shop_the_amount_and_the_order(shop: Shop, pager):
    case = paid(shop, order_id="A-17")
    shop.deliver()

    body = f"Invoice {case.invoice.id}, order A-17 is complete."
    assert pager.sent == [("17", "Green Bean: 50.00 USD received", body)]
    [delivery] = deliveries(shop)
    assert (delivery.status, delivery.plugin, delivery.target["label"]) == ("delivered", "paging", "Till")


def test_money_that_is_gone_again_is_told_before_the_goods_leave(shop: Shop, pager):
    case = paid(shop)
    shop.change("tx-1", is_replaced=True)
    shop.deliver()

    titles = [title for _, title, _ in pager.sent]
    assert titles == [
        "Green Bean: 50.00 USD received",
        f"Green Bean: look at invoice {case.invoice.id} before you deliver",
    ]


def test_a_completed_invoice_whose_money_vanished_after_the_expiry_is_told(shop: Shop, pager):
    case = paid(shop)
    shop.age(case, minutes=20)
    shop.change("tx-1", is_replaced=True)
    shop.deliver()

    assert shop.standing(case) == ("invalid", "failed_confirm")
    assert "The payment was replaced or dropped by the network" in pager.sent[-1][2]


def test_what_is_not_money_is_told_to_nobody(shop: Shop, pager):
    case = shop.sell("50")
    shop.pay(case, "0.0001")
    invoices.mark(shop.kernel, case.invoice.id, Verdict.INVALID, user_id=None)
    shop.deliver()

    assert pager.sent == []


def test_another_store_is_told_of_its_own_invoices_only(shop: Shop, pager):
    other = Shop.open(shop.kernel, shop.coin, email="other@example.com")
    paid(other)
    other.deliver()

    assert pager.sent == []


def test_a_store_writes_its_own_text(shop: Shop, pager):
    write_own_text(shop, "Ka-ching {{ invoice.price }}!\n\n{{ store.name }} thanks {{ invoice.buyer_email }}.")
    paid(shop, buyer_email="buyer@example.com")
    shop.deliver()

    assert pager.sent == [("17", "Ka-ching 50.00!", "Green Bean thanks buyer@example.com.")]


def test_a_broken_text_is_named_with_its_line_and_tried_again_once_mended(shop: Shop, pager):
    write_own_text(shop, "fine\n{% if %}")
    paid(shop)
    shop.deliver()
    assert deliveries(shop)[0].status == "due"
    assert deliveries(shop)[0].error.startswith("template notification, line 2: ")

    write_own_text(shop, "mended")
    pass_time(shop)
    shop.deliver()
    assert [title for _, title, _ in pager.sent] == ["mended"]


def test_one_that_cannot_be_told_does_not_silence_the_others(shop: Shop, pager):
    tell(shop, "Cellar", {"number": "18"})
    pager.failures = [RuntimeError("no signal")]
    paid(shop)
    shop.deliver()

    assert sorted(delivery.status for delivery in deliveries(shop)) == ["delivered", "due"]
    assert len(pager.sent) == 1


def test_a_retry_carries_the_same_key_so_that_a_channel_can_tell(shop: Shop, pager):
    pager.failures = [DeliveryError("busy"), DeliveryError("busy")]
    paid(shop)
    for _ in range(3):
        shop.deliver()
        pass_time(shop)

    assert len(pager.sent) == 1
    assert len(pager.keys) == 3
    assert len(set(pager.keys)) == 1


def test_a_target_deleted_on_the_way_is_dead_and_says_so(shop: Shop):
    paid(shop)
    outbox.spread(shop.kernel)
    with transaction(shop.kernel.engine) as session:
        session.delete(session.exec(select(NotificationTarget)).one())
    pass_time(shop)
    shop.deliver()

    assert (deliveries(shop)[0].status, deliveries(shop)[0].error) == ("dead", "notification target 'Till' was deleted")


def test_a_notifier_that_is_not_loaded_any_more_is_dead_and_says_the_remedy(shop: Shop, monkeypatch):
    paid(shop)
    outbox.spread(shop.kernel)
    monkeypatch.delitem(shop.kernel.registry.notifiers, "pager")
    pass_time(shop)
    shop.deliver()

    assert deliveries(shop)[0].status == "dead"
    assert deliveries(shop)[0].error == "notifier 'pager' is not loaded; add its plugin to plugins.toml"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"number": "one", "pin": "hunter2"}, "Value error, a pager's number has digits only"),
        ({"pin": "hunter2"}, "Field required"),
        ({"number": ["hunter2"]}, "Input should be a valid string"),
    ],
)
def test_a_target_that_is_not_right_any_more_is_dead_and_keeps_its_secrets(shop: Shop, data, problem):
    with transaction(shop.kernel.engine) as session:
        session.exec(select(NotificationTarget)).one().data = data
    paid(shop)
    shop.deliver()

    [delivery] = deliveries(shop)
    assert (delivery.status, delivery.error) == ("dead", f"notification target 'Till' is not right: {problem}")
    assert "hunter2" not in delivery.error + str(delivery.target)


def test_a_target_of_an_unknown_notifier_is_no_delivery_at_all(shop: Shop, pager):
    tell(shop, "Pigeon", {}, notifier="pigeon")
    paid(shop)
    shop.deliver()

    assert [delivery.target["label"] for delivery in deliveries(shop)] == ["Till"]
