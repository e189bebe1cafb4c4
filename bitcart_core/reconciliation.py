"""Compare what is stored with what a daemon knows, by bulk questions: never one question for each invoice."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import func
from sqlmodel import col, select

from bitcart_core import cases, matching
from bitcart_core.db import transaction
from bitcart_core.models import PaymentMethod

if TYPE_CHECKING:
    from bitcart_core.kernel import Kernel

_KEYS_PER_QUESTION = 1000


def reconcile(kernel: "Kernel", coin: str, network: str) -> int:
    """Compare all open payment methods of a coin with what its daemon knows, by bulk questions.

    Returns:
        How many invoices were judged again.

    Raises:
        CoinError: The daemon could not tell.
    """
    client = kernel.registry.coins[coin].client
    judged = 0
    for keys in _open_keys(kernel, coin, network):
        snapshot = client.payments_of(keys)
        seen = [(event, snapshot.position) for event in snapshot.payments]
        with transaction(kernel.engine) as session:
            now = session.exec(select(func.now())).one()
            news = matching.apply_payments(session, coin, network, seen, now)
            if snapshot.height is not None:
                news |= {
                    id_: news.get(id_, []) for id_ in matching.newly_buried(session, coin, network, snapshot.height)
                }
            loaded = cases.load(session, news, is_locking=True)
            pushes = cases.settle(session, loaded, now=now, news=news)
        kernel.push(pushes)
        judged += len(loaded)
    return judged


def _open_keys(kernel: "Kernel", coin: str, network: str) -> Iterable[list[str]]:
    """Yield the lookup keys of open methods, a question's worth at a time."""
    last = ""
    while True:
        with transaction(kernel.engine) as session:
            rows = session.exec(
                select(PaymentMethod.id, PaymentMethod.lookup_key)
                .where(
                    PaymentMethod.coin == coin,
                    PaymentMethod.network == network,
                    col(PaymentMethod.is_open),
                    col(PaymentMethod.id) > last,
                )
                .order_by(col(PaymentMethod.id))
                .limit(_KEYS_PER_QUESTION)
            ).all()
        if not rows:
            return
        last = rows[-1][0]
        yield [key for _, key in rows]
