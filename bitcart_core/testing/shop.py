"""A store with a wallet for each coin, and the verbs a test needs: sell, pay, mine, hear, age, sweep, deliver."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Self

from sqlmodel import Session, col, select

from bitcart_core import attempts, detection, invoices, outbox
from bitcart_core.cases import Case
from bitcart_core.coins import StreamItem
from bitcart_core.db import transaction
from bitcart_core.events import InvoiceEvent, PaymentEvent
from bitcart_core.invoices import NewInvoice
from bitcart_core.kernel import Kernel
from bitcart_core.models import Event, Invoice, Payment, Store, StoreWallet, User, Wallet
from bitcart_core.stores import new_signing_secret
from bitcart_core.testing.coins import FakeCoinClient
from bitcart_core.testing.plugins import Recording


@dataclass(kw_only=True)
class Shop:
    """A store on a kernel with a fake coin. Every verb runs the real code against the real database."""

    kernel: Kernel
    coin: FakeCoinClient
    user: User
    store: Store

    @classmethod
    def open(
        cls, kernel: Kernel, coin: FakeCoinClient, *, email: str = "merchant@example.com", **checkout: Any
    ) -> Self:
        """Create the owner, the store and a wallet for each coin of the kernel."""
        with transaction(kernel.engine) as session:
            user = User(email=email, password_hash="x", is_superuser=True)  # noqa: S106
            session.add(user)
            session.flush()
            store = Store(
                user_id=user.id, name="Green Bean", checkout_settings=checkout, signing_secrets=[new_signing_secret()]
            )
            session.add(store)
            session.flush()
            for position, known in enumerate(kernel.registry.coins.values()):
                wallet = Wallet(user_id=user.id, name=known.name, coin=known.code, network=known.network, key="xpub1")
                session.add(wallet)
                session.flush()
                session.add(StoreWallet(store_id=store.id, wallet_id=wallet.id, position=position))
        return cls(kernel=kernel, coin=coin, user=user, store=store)

    def configure(self, **checkout: Any) -> None:
        """Change the store's checkout settings; invoices made before keep theirs."""
        with transaction(self.kernel.engine) as session:
            store = session.get_one(Store, self.store.id)
            store.checkout_settings = {**store.checkout_settings, **checkout}

    def sell(self, price: str = "50", **fields: Any) -> Case:
        """Make an invoice; 50 USD are 0.001 BTC."""
        new = {"price": Decimal(price), "currency": "USD", **fields}
        return invoices.create(self.kernel, NewInvoice(store_id=self.store.id, **new))

    def hear(self, *stream: StreamItem, coin: str = "btc", fence: int = 1) -> None:
        """Store what a daemon said and record it."""
        hear(self.kernel, *stream, coin=coin, fence=fence)

    def pay(self, case: Case, amount: str, **details: Any) -> str:
        """Let a buyer pay on the first method, and hear of it. Returns the txid."""
        item = self.coin.pay(case.methods[0].lookup_key, amount, **details)
        self.hear(item)
        return next(event.txid for event in item.events if isinstance(event, PaymentEvent))

    def change(self, txid: str, **changes: Any) -> None:
        """Let what was paid become something else, such as `is_replaced=True`, and hear of it."""
        self.hear(self.coin.change(self.coin.outputs[txid, "0"], **changes))

    def mine(self, blocks: int = 1) -> None:
        """Mine, and hear of it."""
        self.hear(self.coin.mine(blocks))

    def age(self, case: Case, **time: float) -> datetime:
        """Let time pass for an invoice and its payments, and for nobody else: `age(case, minutes=20)`.

        Returns:
            When the invoice expires, or has expired.
        """
        with transaction(self.kernel.engine) as session:
            for payment in session.exec(select(Payment).where(Payment.invoice_id == case.invoice.id)):
                payment.first_seen_at -= timedelta(**time)
            invoice = session.get_one(Invoice, case.invoice.id)
            invoice.created_at -= timedelta(**time)
            invoice.expires_at -= timedelta(**time)
            return invoice.expires_at

    def sweep(self) -> int:
        """Hear that the daemon is alive, and expire what has had its time. Returns how many invoices expired."""
        self.hear(self.coin.heartbeat())
        return invoices.expire_due(self.kernel)

    def deliver(self) -> None:
        """Spread and attempt everything that is due, here and now."""
        claims = outbox.spread(self.kernel) + attempts.claim_due(self.kernel)
        attempts.make(self.kernel, [(claim.delivery_id, claim.attempt) for claim in claims])

    def invoice(self, case: Case) -> Invoice:
        """Return the invoice as it is stored now."""
        with Session(self.kernel.engine) as session:
            return session.get_one(Invoice, case.invoice.id)

    def standing(self, case: Case) -> tuple[str, str]:
        """Return status and exception status as stored now."""
        invoice = self.invoice(case)
        return str(invoice.status), str(invoice.exception_status)

    def payments(self) -> Sequence[Payment]:
        """Return every payment that is stored."""
        with Session(self.kernel.engine) as session:
            return session.exec(select(Payment).order_by(col(Payment.id))).all()

    def events(self, case: Case | None = None) -> list[InvoiceEvent]:
        """Return the stored events of the store, or of one invoice, in order."""
        statement = select(Event).where(Event.store_id == self.store.id).order_by(col(Event.seq))
        if case is not None:
            statement = statement.where(Event.invoice_id == case.invoice.id)
        with Session(self.kernel.engine) as session:
            return [InvoiceEvent.from_json(event.payload) for event in session.exec(statement)]

    def kinds(self, case: Case | None = None) -> list[str]:
        """Return the kinds of the stored events."""
        return [event.kind for event in self.events(case)]

    def told(self, plugin: str = "recording") -> list[str]:
        """Return the kinds of the events that the recording plugin was told."""
        recording = self.kernel.registry.plugins[plugin].plugin
        return recording.kinds if isinstance(recording, Recording) else []


def hear(kernel: Kernel, *stream: StreamItem, coin: str = "btc", fence: int = 1) -> None:
    """Store what a daemon said and record it, as the listener and the worker would."""
    with transaction(kernel.engine) as session:
        detection.store(session, coin, "regtest", list(stream), fence=fence)
    detection.record_due(kernel, coin, "regtest")
