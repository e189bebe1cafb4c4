"""How a request stands, decided from the outputs that pay it."""

import pytest
from bitcart_coin_electrum.standing import Output, Status, stand

NOW = 1_000_000


def output(units, height=None, *, txid="a", index=0):
    return Output(txid, index, units, height, None if height is None else "hash", None)


def standing(outputs, *, wanted=100, expires_at=None, tip=10):
    return stand(wanted, expires_at, outputs, tip=tip, now=NOW)


def test_nothing_paid_is_unpaid():
    stands = standing([])
    assert (stands.status, stands.text, stands.units, stands.confirmations) == (Status.UNPAID, "Unpaid", 0, None)


def test_a_part_is_unpaid_and_counted():
    stands = standing([output(99, 10)])
    assert (stands.status, stands.units, stands.confirmations) == (Status.UNPAID, 99, None)


def test_parts_add_up_and_the_youngest_that_is_needed_counts():
    stands = standing([output(60, 8), output(40, 10, txid="b"), output(5, txid="c")])
    assert (stands.status, stands.confirmations, stands.units) == (Status.PAID, 1, 105)
    assert stands.txids == ("a", "b", "c")


def test_what_waits_in_the_mempool_is_unconfirmed():
    stands = standing([output(60, 8), output(40, txid="b")])
    assert (stands.status, stands.text, stands.confirmations) == (Status.UNCONFIRMED, "Unconfirmed", 0)


def test_a_block_above_the_tip_counts_as_one_confirmation():
    assert standing([output(100, 12)], tip=10).confirmations == 1


def test_any_amount_is_filled_by_the_smallest_coin():
    assert standing([output(1, 10)], wanted=None).status is Status.PAID


def test_two_outputs_of_one_transaction_are_one_transaction():
    assert standing([output(50, 9), output(50, 9, index=1)]).txids == ("a",)


def test_after_its_time_a_request_has_expired_unless_it_was_filled():
    assert standing([], expires_at=NOW - 1).status is Status.EXPIRED
    assert standing([output(99)], expires_at=NOW - 1).text == "Expired"
    assert standing([output(100)], expires_at=NOW - 1).status is Status.UNCONFIRMED
    assert standing([], expires_at=NOW).status is Status.UNPAID


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (20, "20 seconds"),
        (30, "30 seconds"),
        (60, "about 1 minute"),
        (900, "about 15 minutes"),
        (3600, "about 1 hour"),
        (7200, "about 2 hours"),
        (90_000, "1 day"),
        (864_000, "10 days"),
        (7_776_000, "about 3 months"),
    ],
)
def test_the_time_left_is_said_in_words(seconds, words):
    assert standing([], expires_at=NOW + seconds).text == f"Expires in {words}"
