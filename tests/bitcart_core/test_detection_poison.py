"""What cannot be recorded, or not as it came: it blocks nobody, is not forgotten, and stops no listener."""

import hashlib
from dataclasses import replace

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, func, select

from bitcart_core import detection, matching
from bitcart_core.db import transaction
from bitcart_core.models import IncomingEvent
from bitcart_core.testing.shop import Shop

POISON = {
    "a kind nobody knows": [{"kind": "nonsense"}],
    "no event at all": ["nonsense"],
    "no kind": [{}],
    "a number where a word should be": [17],
    "a block without a height": [{"kind": "block"}],
    "a block higher than any number we store": [{"kind": "block", "height": 10**12}],
    "a payment of nothing known": [{"kind": "payment"}],
}


def payment(**changes):
    told = {
        "kind": "payment", "lookup_key": "key", "address": "address", "txid": "tx", "output": "0", "amount": "0.001",
        "first_seen_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return told | changes


POISON_PAYMENTS = {
    "an amount that is no number": payment(amount="NaN"),
    "an endless amount": payment(amount="Infinity"),
    "an amount that is a word": payment(amount="much"),
    "a time without a zone": payment(first_seen_at="2026-01-01T00:00:00"),
    "a time that never was": payment(first_seen_at="2026-02-30T00:00:00Z"),
    "a height beyond all blocks": payment(height=10**12),
    "a name longer than an index can hold": payment(txid="".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(150))),
}  # fmt: skip


def slip_in(shop: Shop, *entries, seq=10):
    """Put entries into the inbox that no daemon of ours would send."""
    with transaction(shop.kernel.engine) as session:
        rows = [
            IncomingEvent(coin="btc", network="regtest", epoch=1, seq=seq + number, events=events)
            for number, events in enumerate(entries)
        ]
        session.add_all(rows)
    return [row.id for row in rows]


def kept(shop: Shop, entry_id) -> IncomingEvent:
    with Session(shop.kernel.engine) as session:
        return session.get_one(IncomingEvent, entry_id)


@pytest.mark.parametrize(
    "events", [*POISON.values(), *([p] for p in POISON_PAYMENTS.values())], ids=[*POISON, *POISON_PAYMENTS]
)
def test_poison_keeps_its_error_and_lets_the_others_pass(shop: Shop, events):
    case = shop.sell("50")
    [poison] = slip_in(shop, events)
    shop.pay(case, "0.001")

    assert shop.standing(case) == ("complete", "none")
    assert kept(shop, poison).recorded_at is None
    assert kept(shop, poison).error
    assert kept(shop, poison).attempts == 1


def test_poison_among_hundreds_costs_the_others_nothing(shop: Shop):
    case = shop.sell("50")
    key = case.methods[0].lookup_key
    poisons = slip_in(shop, [{"kind": "nonsense"}], ["nonsense"], seq=40)
    shop.hear(*(shop.coin.pay(key, "0.00001") for _ in range(60)))

    assert len(shop.payments()) == 60 - 2  # the entries 40 and 41 were there already, as poison
    assert all(kept(shop, poison).error for poison in poisons)


def test_poison_is_tried_again_after_a_while_and_recorded_once_mended(shop: Shop):
    case = shop.sell("50")
    [poison] = slip_in(shop, [{"kind": "nonsense"}])
    detection.record_due(shop.kernel, "btc", "regtest")
    assert detection.record_due(shop.kernel, "btc", "regtest") == 0
    assert kept(shop, poison).attempts == 1  # it waits before it is tried again

    mended = detection.to_stored(shop.coin.pay(case.methods[0].lookup_key, "0.001").events[0])
    with transaction(shop.kernel.engine) as session:
        session.execute(
            update(IncomingEvent).values(events=[mended], due_at=func.now()).where(col(IncomingEvent.id) == poison)
        )
    assert detection.record_due(shop.kernel, "btc", "regtest") == 1

    assert kept(shop, poison).error is None
    assert shop.standing(case) == ("complete", "none")


def test_poison_waits_longer_each_time(shop: Shop):
    [poison] = slip_in(shop, [{"kind": "nonsense"}])
    waits = []
    for _ in range(6):
        detection.record_due(shop.kernel, "btc", "regtest")
        with transaction(shop.kernel.engine) as session:
            entry = session.get_one(IncomingEvent, poison)
            waits.append((entry.due_at - session.exec(select(func.now())).one()).total_seconds())
            entry.due_at = entry.received_at

    assert waits[:5] == sorted(waits[:5])
    assert waits[0] <= 1
    assert all(3000 < wait <= 3600 for wait in waits[-2:])


@pytest.mark.parametrize("txid", ["t\x00x", "t\udfffx"], ids=["NUL", "half a pair"])
def test_text_that_postgresql_cannot_hold_stops_no_listener_and_loses_no_money(shop: Shop, txid):
    case = shop.sell("50")
    item = shop.coin.pay(case.methods[0].lookup_key, "0.001")
    hostile = replace(
        item, events=tuple(replace(event, txid=txid, address=txid, block_hash=txid) for event in item.events)
    )
    shop.hear(hostile)

    assert [payment.txid for payment in shop.payments()] == ["t\ufffdx"]
    assert shop.standing(case) == ("complete", "none")
    with Session(shop.kernel.engine) as session:
        assert detection.cursor(session, "btc", "regtest").seq == item.position.seq


def test_hostile_text_in_a_name_keeps_the_money_as_unmatched(shop: Shop):
    case = shop.sell("50")
    shop.hear(shop.coin.pay(case.methods[0].lookup_key + "\x00", "0.001"))

    assert shop.payments()[0].invoice_id is None
    assert shop.standing(case) == ("pending", "none")


def test_a_database_in_trouble_is_nobodys_fault_and_nothing_is_marked_as_poison(shop: Shop, monkeypatch):
    [entry] = slip_in(shop, [payment()])

    def cut(session, *_):
        session.execute(text("select pg_terminate_backend(pg_backend_pid())"))

    with monkeypatch.context() as patch:
        patch.setattr(matching, "apply_payments", cut)
        with pytest.raises(OperationalError):
            detection.record_due(shop.kernel, "btc", "regtest")

    assert kept(shop, entry).error is None
    assert detection.record_due(shop.kernel, "btc", "regtest") == 1
