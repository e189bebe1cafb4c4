"""Money that was seen and is gone again: replaced transactions and reorganised blocks."""

from decimal import Decimal

import pytest


def test_a_payment_turned_to_a_stranger_is_marked_replaced(shop, chain, key):
    request = shop.request(key)
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    shop.wait_for_outputs(request, bool)
    chain.tools.replace(txid, chain.stranger())
    (gone,) = shop.wait_for_outputs(request, lambda outputs: outputs[0].is_replaced)
    assert (gone.txid, gone.height) == (txid, None)
    assert shop.statuses(request) == [7, 0]
    told = shop.call("get_request", request["request_id"], key=key)
    assert (told["status"], told["sent_amount"], told["tx_hashes"]) == (0, "0.00000000", [])
    assert "confirmations" not in told


def test_a_payment_replaced_by_one_to_the_same_address_counts_once(shop, chain, key):
    request = shop.request(key)
    first = chain.tools.pay(request["address"], Decimal("0.5"))
    shop.wait_for_outputs(request, bool)
    second = chain.tools.replace(first, request["address"])
    shop.wait_for_outputs(
        request, lambda outputs: {o.txid: o.is_replaced for o in outputs} == {first: True, second: False}
    )
    chain.tools.mine(1)
    shop.wait_for_outputs(request, lambda outputs: any(output.height for output in outputs))
    told = shop.call("get_request", request["request_id"], key=key)
    assert (told["status"], told["sent_amount"], told["tx_hashes"]) == (3, "0.50000000", [second])


def test_a_payment_taken_back_leaves_the_address_to_its_request(shop, chain, key):
    request = shop.request(key)
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    shop.wait_for_outputs(request, bool)
    chain.tools.replace(txid, None)
    shop.wait_for_outputs(request, lambda outputs: outputs[0].is_replaced)
    again = chain.tools.pay(request["address"], Decimal("0.5"))
    shop.wait_for_outputs(request, lambda outputs: any(o.txid == again and not o.is_replaced for o in outputs))
    assert shop.request(key)["address"] != request["address"]


@pytest.mark.parametrize("depth", [1, 3])
def test_a_payment_that_outlives_a_reorganisation_is_never_told_as_gone(shop, chain, key, depth):
    request = shop.request(key)
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    (lost, *_) = chain.tools.mine(depth)
    shop.wait_for_outputs(request, lambda outputs: outputs and outputs[0].block_hash == lost)
    chain.tools.reorg(depth)
    (moved,) = shop.wait_for_outputs(request, lambda outputs: outputs[0].block_hash not in (None, lost))
    assert moved.height == chain.tools.height() - depth
    assert moved.block_hash == chain.rpc.call("getblockhash", moved.height)
    heights = shop.journal.heights[txid]
    assert None not in heights[heights.index(moved.height) :], heights
    assert not any(output.is_replaced for output in shop.outputs(request))


def test_a_payment_in_a_block_that_is_lost_for_good_is_told_as_gone(shop, chain, key):
    request = shop.request(key)
    chain.tools.pay(request["address"], Decimal("0.5"))
    chain.tools.mine(1)
    shop.wait_for_outputs(request, lambda outputs: outputs and outputs[0].height)
    chain.tools.reorg(1, keep_transactions=False)
    (gone,) = shop.wait_for_outputs(request, lambda outputs: outputs[0].is_replaced)
    assert (gone.height, gone.block_hash) == (None, None)
    assert shop.statuses(request)[-1] == 0


def test_a_reorganisation_is_told_as_a_new_best_block(shop, chain):
    chain.tools.mine(2)
    chain.tools.reorg(2)
    best = chain.rpc.call("getbestblockhash")
    shop.journal.wait_for(lambda journal: any(event.get("hash") == best for event in journal.events))
