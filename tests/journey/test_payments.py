"""The way of a payment, end to end: a real chain, Electrum, PostgreSQL, Redis, SMTP; nothing in between is a fake."""

import os
import signal
from dataclasses import replace
from decimal import Decimal

import pytest
from journey.deployment import Deployment, Merchant, open_store, until
from sqlalchemy import func
from sqlmodel import Session, select

from bitcart_core import invoices
from bitcart_core.coins import WalletKey
from bitcart_core.invoices import NewInvoice
from bitcart_core.models import Event, Payment

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("journey")]


def types(deployment: Deployment, made: dict) -> list[str]:
    return [body["type"] for body in deployment.inbox.webhooks if body["data"]["id"] == made["id"]]


def test_a_full_payment_completes_the_invoice_and_everybody_hears_of_it(deployment: Deployment, merchant: Merchant):
    made = merchant.sell(buyer_email="buyer@example.com")
    txid = merchant.pay(made, "0.0001")
    merchant.becomes(made, "paid")
    deployment.tools.mine(1)
    shown = merchant.becomes(made, "complete")

    assert shown["tx_hashes"] == [txid]
    assert (shown["sent_amount"], shown["paid_currency"]) == (0.0001, "BTC")
    until(lambda: "invoice.completed" in types(deployment, made), "the webhook came")
    until(lambda: any(made["id"] in mail for mail in deployment.inbox.mails), "the receipt came")
    until(lambda: any(made["id"] in text for text in deployment.inbox.notifications), "the notification came")
    assert deployment.inbox.refused == []
    assert sorted(types(deployment, made)) == sorted(set(types(deployment, made)))


def test_two_part_payments_complete_the_invoice(deployment: Deployment, merchant: Merchant):
    made = merchant.sell()
    merchant.pay(made, "0.00004")
    partly = merchant.becomes(made, "pending", "paid_partial")
    assert partly["payments"][0]["due"] == "0.00006000"

    merchant.pay(made, "0.00006")
    deployment.tools.mine(1)
    assert merchant.becomes(made, "complete")["sent_amount"] == 0.0001


def test_too_much_is_said_to_be_too_much(deployment: Deployment, merchant: Merchant):
    made = merchant.sell()
    merchant.pay(made, "0.0003")
    deployment.tools.mine(1)

    merchant.becomes(made, "complete", "paid_over")


def test_money_that_comes_too_late_is_recorded_and_left_to_the_merchant(deployment: Deployment):
    merchant = open_store(deployment, expiry_grace_seconds=0)
    made = merchant.sell(expiration=1)
    with deployment.kernel() as kernel, kernel.engine.begin() as connection:
        connection.exec_driver_sql("update invoices set expires_at = now() where id = %s", (made["id"],))
    merchant.becomes(made, "expired")
    merchant.pay(made, "0.0001")
    deployment.tools.mine(1)

    merchant.becomes(made, "expired", "paid_late")


def test_money_that_matches_nothing_is_kept_and_adopted(
    deployment: Deployment, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
):
    with deployment.kernel() as kernel:
        coin = kernel.registry.coins["btc"]
        request = coin.client.create_request(
            WalletKey(key=deployment.key), amount=Decimal("0.0001"), memo="", expires_in_seconds=900, timeout_seconds=30
        )
        txid = deployment.tools.pay(request.address, Decimal("0.0001"))

        def unmatched() -> Payment | None:
            with Session(kernel.engine) as session:
                return session.exec(select(Payment).where(Payment.txid == txid)).first()

        assert until(unmatched, "the payment is stored").method_id is None
        monkeypatch.setattr(coin.client, "create_request", lambda *_, **__: replace(request))
        case = invoices.create(
            kernel, NewInvoice(store_id=merchant.store_id, price=Decimal(5), currency="USD", fields={})
        )
    deployment.tools.mine(1)
    merchant.becomes({"id": case.invoice.id}, "complete")


def test_an_event_that_comes_again_changes_nothing(deployment: Deployment, merchant: Merchant):
    made = merchant.sell()
    merchant.pay(made, "0.0001")
    deployment.tools.mine(1)
    merchant.becomes(made, "complete")
    with deployment.kernel() as kernel:

        def counts() -> tuple[int, int]:
            with Session(kernel.engine) as session:
                payments = session.exec(select(func.count()).select_from(Payment)).one()
                events = session.exec(select(func.count()).where(Event.invoice_id == made["id"])).one()
            return payments, events

        until(lambda: "invoice.completed" in types(deployment, made), "the webhook came")
        before = counts()
        with kernel.engine.begin() as connection:
            connection.exec_driver_sql("delete from incoming_events")
            connection.exec_driver_sql("update cursors set seq = 0")
        for pid in deployment.pids("listener"):
            os.kill(pid, signal.SIGKILL)

        def replayed() -> bool:
            with kernel.engine.connect() as connection:
                return bool(
                    connection.exec_driver_sql(
                        "select count(*) > 0 and count(*) = count(recorded_at) from incoming_events"
                    ).scalar()
                )

        until(replayed, "everything was told again")
        assert counts() == before


def test_a_payment_made_while_the_daemon_was_dead_is_found(deployment: Deployment, merchant: Merchant):
    made = merchant.sell()
    (pid,) = deployment.pids("daemon", "bitcoin")
    os.kill(pid, signal.SIGKILL)
    merchant.pay(made, "0.0001")
    deployment.tools.mine(1)

    merchant.becomes(made, "complete")
    assert "daemon-bitcoin-regtest | ended" in deployment.log


def test_storage_of_our_own_that_dies_is_started_again(deployment: Deployment, merchant: Merchant):
    made = merchant.sell()
    brought = deployment.servers("postgres") + deployment.servers("redis-server")
    assert len(brought) == (0 if deployment.environment["DATABASE_URL"] else 2)
    for pid in brought:
        os.kill(pid, signal.SIGKILL)
    until(lambda: deployment.client.get("/health/ready").status_code == 200, "the deployment is ready again")
    merchant.pay(made, "0.0001")
    deployment.tools.mine(1)

    merchant.becomes(made, "complete")
    until(lambda: "invoice.completed" in types(deployment, made), "the webhook came")
