"""What a demo must be able to prove before it says that a payment worked."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from bitcart_core.devchains import ChainTools, RunningChain
from bitcart_core.kernel import Kernel
from bitcart_core.models import Delivery, DeliveryAttempt, Event
from bitcart_host_cli.demo.inbox import Inbox
from bitcart_host_cli.demo.merchant import BUYER, Merchant


@dataclass(frozen=True, kw_only=True)
class Proof:
    """One thing to be proved, and how to look."""

    claim: str
    holds: Callable[[], bool]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Who is on stage."""

    kernel: Kernel
    chain: RunningChain
    tools: ChainTools
    inbox: Inbox


def proofs(scene: Scene, merchant: Merchant, *, invoice_id: str, txid: str) -> list[Proof]:
    """Return everything that must be true once an invoice was paid and its transaction mined."""
    kernel, tools, inbox = scene.kernel, scene.tools, scene.inbox

    def webhook_arrived() -> bool:
        bodies = [body for body in inbox.webhooks if body["type"] == "invoice.completed"]
        return any(body["data"]["id"] == invoice_id for body in bodies) and not inbox.refused

    def script_ran() -> bool:
        return "heard of invoice_completed" in _script_output(kernel, invoice_id)

    def receipt_came() -> bool:
        return any(invoice_id in mail and f"To: {BUYER}" in mail for mail in inbox.mails)

    return [
        Proof(claim="the transaction is in a mined block", holds=lambda: tools.confirmations(txid) >= 1),
        Proof(claim="the invoice is complete", holds=lambda: merchant.invoice(invoice_id)["status"] == "complete"),
        Proof(claim="the webhook came, and its signature is right", holds=webhook_arrived),
        Proof(claim="the buyer has a receipt by e-mail", holds=receipt_came),
        Proof(claim="the notification came", holds=lambda: any(invoice_id in n for n in inbox.notifications)),
        Proof(
            claim="the merchant's script ran",
            holds=script_ran,
        ),
    ]


def watch(wanted: list[Proof], *, timeout_seconds: float) -> Iterator[Proof]:
    """Yield proofs as they come to hold; those that are not yielded did not."""
    end = time.monotonic() + timeout_seconds
    missing = list(wanted)
    while missing and time.monotonic() < end:
        for proof in [proof for proof in missing if proof.holds()]:
            missing.remove(proof)
            yield proof
        time.sleep(0.05)


def _script_output(kernel: Kernel, invoice_id: str) -> str:
    """Return what the scripts of an invoice printed, from the delivery log."""
    with Session(kernel.engine) as session:
        details = session.exec(
            select(DeliveryAttempt.detail)
            .join(Delivery, col(Delivery.id) == col(DeliveryAttempt.delivery_id))
            .join(Event, col(Event.id) == col(Delivery.event_id))
            .where(Event.invoice_id == invoice_id, Delivery.plugin == "scripts", col(DeliveryAttempt.is_success))
        ).all()
    return " ".join(str(detail) for detail in details)
