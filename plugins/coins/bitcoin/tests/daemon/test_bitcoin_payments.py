"""Payments as a real wallet sees them on a real chain: in part, in full, too much, in blocks."""

from datetime import UTC, datetime
from decimal import Decimal


def test_a_request_is_paid_in_parts_and_then_confirmed(shop, chain, key):
    request = shop.request(key, "0.5", memo="Two coffees")
    assert (request["status"], request["tx_hashes"]) == (0, [])

    before = datetime.now(UTC)
    part = chain.tools.pay(request["address"], Decimal("0.2"))
    (seen,) = shop.wait_for_outputs(request, lambda outputs: len(outputs) == 1)
    assert (seen.txid, seen.amount, seen.height, seen.is_replaced) == (part, Decimal("0.2"), None, False)
    assert before <= seen.first_seen_at <= datetime.now(UTC)

    rest = chain.tools.pay(request["address"], Decimal("0.3"))
    shop.wait_for_outputs(request, lambda outputs: len(outputs) == 2)
    paid = shop.call("get_request", request["request_id"], key=key)
    assert (paid["status"], paid["status_str"], paid["confirmations"]) == (7, "Unconfirmed", 0)
    assert (paid["sent_amount"], sorted(paid["tx_hashes"])) == ("0.50000000", sorted([part, rest]))

    (block,) = chain.tools.mine(1)
    outputs = shop.wait_for_outputs(request, lambda outputs: all(output.height for output in outputs))
    assert {(output.height, output.block_hash) for output in outputs} == {(chain.tools.height(), block)}
    assert all(output.block_time and output.block_time.tzinfo for output in outputs)
    confirmed = shop.call("get_request", request["request_id"], key=key)
    assert (confirmed["status"], confirmed["status_str"], confirmed["confirmations"]) == (3, "Paid", 1)
    assert shop.statuses(request)[0] == 0
    assert shop.statuses(request)[-1] == 3


def test_the_first_sight_of_a_payment_is_kept_when_it_confirms(shop, chain, key):
    request = shop.request(key)
    chain.tools.pay(request["address"], Decimal("0.5"))
    (seen,) = shop.wait_for_outputs(request, bool)
    chain.tools.mine(1)
    (mined,) = shop.wait_for_outputs(request, lambda outputs: outputs[0].height)
    assert mined.first_seen_at == seen.first_seen_at


def test_confirmations_grow_with_the_chain_without_being_told_again(shop, chain, key, eventually):
    request = shop.request(key)
    chain.tools.pay(request["address"], Decimal("0.5"))
    chain.tools.mine(1)
    shop.wait_for_outputs(request, lambda outputs: outputs and outputs[0].height)
    told = len(shop.statuses(request))
    chain.tools.mine(5)
    eventually(lambda: shop.call("get_request", request["request_id"], key=key)["confirmations"] == 6)
    assert len(shop.statuses(request)) == told


def test_one_transaction_that_pays_two_requests_is_told_for_both(shop, chain, key):
    first, second = shop.request(key, "0.1"), shop.request(key, "0.2")
    txid = chain.rpc.call("sendmany", "default", {first["address"]: 0.1, second["address"]: 0.2})
    (one,) = shop.wait_for_outputs(first, bool)
    (other,) = shop.wait_for_outputs(second, bool)
    assert {one.txid, other.txid} == {txid}
    assert one.output != other.output
    assert (one.amount, other.amount) == (Decimal("0.1"), Decimal("0.2"))


def test_a_request_for_any_amount_is_paid_by_the_first_coins(shop, chain, key):
    request = shop.request(key, None)
    assert (request["amount_BTC"], request["amount_sat"], request["URI"]) == ("unknown", None, None)
    chain.tools.pay(request["address"], Decimal("0.00001"))
    shop.wait_for_outputs(request, bool)
    assert shop.statuses(request) == [7]


def test_more_than_was_asked_for_is_told_in_full(shop, chain, key):
    request = shop.request(key, "0.1")
    chain.tools.pay(request["address"], Decimal("0.7"))
    shop.wait_for_outputs(request, bool)
    assert shop.call("get_request", request["request_id"], key=key)["sent_amount"] == "0.70000000"


def test_late_money_is_seen_and_told(shop, chain, key, eventually):
    request = shop.request(key, "0.5", expiry=1)
    eventually(lambda: shop.call("get_request", request["request_id"], key=key)["status"] == 1)
    chain.tools.pay(request["address"], Decimal("0.2"))
    shop.wait_for_outputs(request, bool)
    assert shop.statuses(request) == [1]
    chain.tools.pay(request["address"], Decimal("0.3"))
    shop.wait_for_outputs(request, lambda outputs: len(outputs) == 2)
    assert shop.statuses(request) == [1, 7]


def test_every_block_is_told_with_its_hash(shop, chain):
    hashes = [chain.tools.mine(1)[0]]
    shop.journal.wait_for(lambda journal: any(event.get("hash") == hashes[0] for event in journal.events))
    last = chain.tools.mine(3)[-1]
    shop.journal.wait_for(lambda journal: any(event.get("hash") == last for event in journal.events))
    told = [event for event in shop.journal.events if event["event"] == "new_block"]
    assert told[-1] == {"event": "new_block", "height": chain.tools.height(), "hash": last}


def test_what_moves_in_a_wallet_is_noted_in_the_order_of_the_contract(shop, chain, key):
    request = shop.request(key)
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    shop.journal.wait_for(lambda journal: any(event.get("tx") == txid for event in journal.events))
    chain.tools.mine(1)
    shop.journal.wait_for(
        lambda journal: any(event["event"] == "verified_tx" for event in journal.events if event.get("tx") == txid)
    )
    wallet = shop.journal.watched()[-1].wallet
    told = [event["event"] for event in shop.journal.events if event.get("wallet") == wallet]
    assert told == ["new_payment", "new_transaction", "new_payment", "verified_tx"]


def test_what_a_wallet_did_before_it_was_known_is_no_news(shop, chain):
    seed = shop.call("make_seed")
    address = shop.call("getunusedaddress", key=seed)
    txid = chain.tools.pay(address, Decimal(1))
    chain.tools.mine(1)
    shop.journal.wait_for(
        lambda journal: any(event["event"] == "verified_tx" for event in journal.events if event.get("tx") == txid)
    )
    same_wallet_elsewhere = shop.call("getmpk", key=seed)
    assert shop.call("getbalance", key=same_wallet_elsewhere) == {"confirmed": "1"}
    assert len({event["wallet"] for event in shop.journal.events if event.get("tx") == txid}) == 1
