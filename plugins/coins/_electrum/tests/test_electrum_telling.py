"""What the journal is told, and when it must wait."""

from datetime import UTC, datetime
from decimal import Decimal

from bitcart_coin_electrum import telling
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.standing import Output, stand
from bitcart_coin_electrum.store import StoredRequest

PROFILE = CoinProfile(code="btc", symbol="BTC", uri_scheme="bitcoin", default_port=5000, networks={})
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
REQUEST = StoredRequest("0123456789", "w", "addr", 3, 50_000_000, "A book", 1_700_000_000, 900)


def output(txid="a", height=None):
    return Output(txid, 0, 20_000_000, height, height and "hash", height and 1_700_000_060)


def test_more_money_and_more_confirmations_are_told_at_once():
    assert telling.only_adds((), (output(),))
    assert telling.only_adds((output(),), (output(), output("b")))
    assert telling.only_adds((output(),), (output(height=5),))
    assert telling.only_adds((output(height=5),), (output(height=7),))


def test_less_money_and_lost_blocks_must_wait():
    assert not telling.only_adds((output(),), ())
    assert not telling.only_adds((output(),), (output("b"),))
    assert not telling.only_adds((output(height=5),), (output(),))


def test_after_a_restart_everything_waits_until_the_wallet_is_settled():
    assert not telling.only_adds(None, (output(),))


def test_a_request_survives_the_way_to_the_journal_and_back():
    watched = telling.watched(REQUEST, PROFILE)
    assert (watched.amount, watched.expires_at) == (Decimal("0.5"), datetime.fromtimestamp(1_700_000_900, UTC))
    back = telling.stored(watched, PROFILE, now=1_700_000_000)
    assert (back.id, back.wallet, back.address, back.units, back.expires_at) == (
        REQUEST.id,
        REQUEST.wallet,
        REQUEST.address,
        REQUEST.units,
        REQUEST.expires_at,
    )


def test_a_request_that_had_expired_keeps_its_end():
    watched = telling.watched(REQUEST, PROFILE)
    assert telling.stored(watched, PROFILE, now=1_800_000_000).expires_at == REQUEST.expires_at


def test_a_request_for_any_amount_that_never_expires_stays_so():
    request = StoredRequest("0123456789", "w", "addr", None, None, "", 1_700_000_000, 0)
    back = telling.stored(telling.watched(request, PROFILE), PROFILE, now=1_700_000_000)
    assert (back.units, back.expires_at) == (None, None)


def test_a_payment_is_told_with_its_block():
    (event,) = telling.events(telling.watched(REQUEST, PROFILE), [output(height=5)], PROFILE, now=NOW)
    assert (event.amount, event.height, event.block_hash) == (Decimal("0.2"), 5, "hash")
    assert (event.first_seen_at, event.block_time) == (NOW, datetime.fromtimestamp(1_700_000_060, UTC))


def test_the_summary_has_the_words_of_the_contract():
    stands = stand(50_000_000, None, [output(height=5)], tip=5, now=0)
    assert telling.summary(telling.watched(REQUEST, PROFILE), stands, PROFILE) == {
        "address": "0123456789",
        "status": 0,
        "status_str": "Unpaid",
        "tx_hashes": ["a"],
        "sent_amount": "0.20000000",
    }
