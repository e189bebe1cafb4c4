"""What crosses from one process to another arrives as it was sent, also in a process of another version."""

import json
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bitcart_core import detection, hookspecs
from bitcart_core.coins import DaemonState, PaymentRequest, PaymentsSnapshot
from bitcart_core.deliveries import EmailSettings, Outcome, Target
from bitcart_core.events import (
    BlockEvent,
    InvoiceEvent,
    InvoiceEventKind,
    InvoiceView,
    PaymentEvent,
    PaymentView,
    Position,
)
from bitcart_core.rates import Rate

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
numbers = st.integers(0, 2**62)
zones = st.just(UTC) | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(timezones=zones)
amounts = st.decimals(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | words,
    lambda part: st.lists(part) | st.dictionaries(words, part),
    max_leaves=5,
)
objects = st.dictionaries(words, plain, max_size=3)

positions = st.builds(Position, epoch=numbers, seq=numbers)
payments = st.builds(
    PaymentEvent, lookup_key=words, address=words, txid=words, output=words, amount=amounts, first_seen_at=times,
    height=st.none() | numbers, block_hash=st.none() | words, block_time=st.none() | times,
    is_replaced=st.booleans(), is_settled=st.booleans(),
)  # fmt: skip
blocks = st.builds(BlockEvent, height=numbers, block_hash=st.none() | words, block_time=st.none() | times)
payment_views = st.builds(
    PaymentView, coin=words, network=words, txid=words, output=words, amount=amounts, symbol=words,
    confirmations=numbers, is_late=st.booleans(), is_replaced=st.booleans(),
)  # fmt: skip
invoices = st.builds(
    InvoiceView, id=words, store_id=words, order_id=words, price=amounts, currency=words, status=words,
    exception_status=words, created_at=times, expires_at=times, paid_at=st.none() | times, paid_currency=st.none() | words,
    sent_amount=amounts, tx_hashes=st.lists(words, max_size=2).map(tuple),
    payments=st.lists(payment_views, max_size=2).map(tuple), buyer_email=words, notification_url=words,
    redirect_url=words, metadata=objects,
)  # fmt: skip
VALUES = [
    positions,
    payments,
    blocks,
    payment_views,
    invoices,
    st.builds(InvoiceEvent, id=words, kind=st.sampled_from(InvoiceEventKind).map(str), seq=numbers, created_at=times, invoice=invoices, reason=words),
    st.builds(Rate, base=words, quote=words, value=amounts, observed_at=times, source=words),
    st.builds(Target, key=words, label=words, data=objects),
    st.builds(Outcome, summary=words, detail=objects),
    st.builds(EmailSettings, address=words, host=words, port=numbers, user=words, password=words, auth_mode=words),
    st.builds(PaymentRequest, lookup_key=words, address=words, uri=words, is_lightning=st.booleans(), payment_hash=st.none() | words, node_id=st.none() | words),
    st.builds(DaemonState, height=st.none() | numbers, is_synchronized=st.booleans(), position=positions, version=words, at=times),
    st.builds(PaymentsSnapshot, position=positions, height=st.none() | numbers, payments=st.lists(payments, max_size=2).map(tuple)),
]  # fmt: skip


@given(st.one_of(VALUES))
def test_a_value_comes_out_of_json_as_it_went_in(value):
    assert type(value).from_json(json.loads(json.dumps(value.to_json()))) == value


@given(st.one_of(VALUES), words.filter(bool), plain)
def test_an_older_process_reads_what_a_newer_one_wrote(value, name, addition):
    written = value.to_json()

    assert type(value).from_json({f"new {name}": addition} | written) == value


@given(payments | blocks)
def test_an_event_in_the_inbox_is_read_as_what_it_was(event):
    assert detection.from_stored(json.loads(json.dumps(detection.to_stored(event)))) == event


@pytest.mark.parametrize("missing", ["lookup_key", "address", "txid", "output", "amount", "first_seen_at"])
def test_a_payment_without_what_makes_it_one_is_refused_by_name(missing):
    written = {
        "lookup_key": "k", "address": "a", "txid": "t", "output": "0", "amount": "1", "first_seen_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    del written[missing]

    with pytest.raises(ValidationError, match=missing):
        PaymentEvent.from_json(written)


@given(amounts)
def test_an_amount_travels_as_text_and_never_as_a_binary_float(amount):
    written = Rate(base="BTC", quote="USD", value=amount, observed_at=NOON, source="fake").to_json()["value"]

    assert isinstance(written, str)
    assert Decimal(written) == amount


@given(positions, positions)
def test_places_in_a_journal_are_in_the_order_of_epoch_and_number(one, other):
    assert (one < other) == ((one.epoch, one.seq) < (other.epoch, other.seq))
    assert (one <= other) == ((one.epoch, one.seq) <= (other.epoch, other.seq))
    assert (one > other) == (other < one)


@given(st.one_of(VALUES))
def test_nothing_that_crosses_can_be_changed(value):
    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(value)[0].name, None)


def test_every_kind_of_event_is_a_hook_and_the_names_are_stored_so_they_stay():
    assert {str(kind) for kind in InvoiceEventKind} == {
        "invoice_created", "payment_received", "payment_replaced", "invoice_paid", "invoice_confirmed",
        "invoice_completed", "invoice_expired", "invoice_invalidated", "invoice_refunded", "invoice_stepped_down",
    }  # fmt: skip
    for kind in InvoiceEventKind:
        assert getattr(hookspecs, kind).__doc__


def test_a_password_is_not_shown_by_accident():
    assert "hunter2" not in repr(EmailSettings(password="hunter2"))
