"""Wallets: good keys and bad ones, one wallet for many callers, and keys that must not show."""

import logging
from concurrent.futures import wait
from pathlib import Path

import pytest
from bitcart_coin_electrum.testing import RemoteError

from bitcart_core import WalletKey

MAINNET_XPUB = (
    "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"
)
"""BIP 32, test vector 2."""


def refused(shop, method, *positional, key, **named):
    with pytest.raises(RemoteError) as caught:
        shop.call(method, *positional, key=key, **named)
    return caught.value


def test_rubbish_is_no_key(shop):
    error = refused(shop, "add_request", "0.1", key="not-a-key-at-all")
    assert error.code == -32005
    assert "Seed or key not recognized" in str(error)
    assert "vpub" in str(error)
    assert "not-a-key-at-all" not in str(error)


def test_a_key_of_another_network_is_named_as_such(shop):
    error = refused(shop, "getbalance", key=MAINNET_XPUB)
    assert error.code == -32005
    assert "key of mainnet, and this daemon runs regtest" in str(error)
    assert MAINNET_XPUB not in str(error)
    assert shop.call("validatekey", MAINNET_XPUB) is False


def test_a_mistyped_key_is_refused(shop, key):
    mistyped = key[:-1] + ("1" if key[-1] != "1" else "2")
    assert refused(shop, "getbalance", key=mistyped).code == -32005
    assert shop.call("validatekey", mistyped) is False
    assert shop.call("validatekey", key) is True


def test_a_bad_key_does_not_matter_where_no_wallet_is_needed(shop):
    assert "add_request" in shop.call("help", key="not-a-key-at-all")
    assert shop.call("validateaddress", "nonsense", key="not-a-key-at-all") is False


def test_without_a_key_a_wallet_is_asked_for(shop):
    for method in ("getbalance", "add_request", "createnewaddress"):
        assert refused(shop, method, key=None).code == -32000


def test_bitcoin_has_no_tokens(shop, key):
    error = refused(shop, "getbalance", key=WalletKey(key=key, contract="usdt"))
    assert error.code == -32005


def test_many_first_calls_at_once_open_one_wallet(shop, key):
    before = shop.call("getinfo")["total_wallets"]
    calls = [shop.daemon.begin("add_request", amount="0.1", force=True, key=key) for _ in range(20)]
    wait(calls, 60)
    assert len({call.result()["address"] for call in calls}) == 20
    assert shop.call("getinfo")["total_wallets"] == before + 1


def test_an_expired_request_keeps_its_address(shop, chain, key, eventually):
    expired = shop.request(key, "0.5", expiry=1)
    eventually(lambda: shop.call("get_request", expired["request_id"], key=key)["status"] == 1)
    later = [shop.request(key)["address"] for _ in range(25)]
    assert expired["address"] not in later
    assert shop.call("getunusedaddress", key=key) != expired["address"]


def test_a_hidden_request_keeps_its_address_and_is_still_watched(shop, chain, key):
    hidden = shop.request(key)
    assert shop.call("delete_request", hidden["request_id"], key=key) is None
    assert refused(shop, "get_request", hidden["request_id"], key=key).code == -32003
    assert shop.call("list_requests", key=key) == []
    assert shop.request(key)["address"] != hidden["address"]
    chain.tools.pay(hidden["address"], 1)
    shop.wait_for_outputs(hidden, bool)


def test_without_force_no_address_is_made_beyond_the_gap_limit(shop, key):
    asked = [shop.call("add_request", "0.1", key=key) for _ in range(21)]
    assert all(asked[:20])
    assert asked[20] is False
    assert shop.call("getunusedaddress", key=key) is None
    assert shop.call("add_request", "0.1", force=True, key=key)["address"]


def test_a_list_of_addresses_is_a_wallet_too(shop, chain):
    addresses = shop.call("listaddresses", key=chain.fresh_key())[:2]
    key = " ".join(addresses)
    requests = [shop.request(key), shop.request("  \n".join(addresses))]
    assert {request["address"] for request in requests} == set(addresses)
    error = refused(shop, "add_request", "0.1", force=True, key=key)
    assert "every address of this wallet is taken" in str(error)
    chain.tools.pay(addresses[0], 1)
    shop.wait_for_outputs(next(r for r in requests if r["address"] == addresses[0]), bool)


def test_a_request_is_only_known_to_its_own_wallet(shop, chain, key):
    request = shop.request(key)
    assert refused(shop, "get_request", request["request_id"], key=chain.fresh_key()).code == -32003


def test_a_closed_wallet_goes_on_watching_its_requests(shop, chain, key):
    request = shop.request(key)
    listed = len(shop.call("list_wallets"))
    assert shop.call("close_wallet", key=key) is True
    assert shop.call("close_wallet", key=key) is False
    assert len(shop.call("list_wallets")) == listed - 1
    chain.tools.pay(request["address"], 1)
    shop.wait_for_outputs(request, bool)
    assert shop.call("getbalance", key=key) == {"confirmed": "0", "unconfirmed": "1"}


def test_a_wallet_without_requests_is_really_closed(shop, key):
    shop.call("getmpk", key=key)
    before = shop.call("getinfo")["total_wallets"]
    assert shop.call("close_wallet", key) is True
    assert shop.call("getinfo")["total_wallets"] == before - 1


def test_a_diskless_wallet_leaves_no_file(shop):
    files = wallet_files(shop)
    seed = shop.call("make_seed")
    diskless = WalletKey(key=seed, extra={"diskless": True})
    assert shop.call("getbalance", key=diskless) == {"confirmed": "0"}
    assert wallet_files(shop) == files
    assert shop.call("close_wallet", key=diskless) is True


def test_a_wallet_can_be_made_and_used_by_its_seed(shop):
    made = shop.call("create")
    assert Path(made["path"]).is_file()
    assert made["seed"] not in made["path"]
    assert shop.call("getseed", key=made["seed"]) == made["seed"]
    assert refused(shop, "restore", made["seed"], key=None).code == -32008


def test_no_caller_chooses_where_files_are_written(shop, tmp_path):
    error = refused(shop, "create", wallet_path=str(tmp_path / "wallet"), key=None)
    assert "leave it out" in str(error)
    assert not list(tmp_path.iterdir())


def test_keys_show_in_no_name_no_log_no_list_and_no_error(shop, chain, caplog):
    caplog.set_level(logging.DEBUG)
    xpub, seed = chain.fresh_key(), shop.call("make_seed")
    for key in (xpub, seed):
        request = shop.request(key, memo="canary")
        chain.tools.pay(request["address"], 1)
        shop.wait_for_outputs(request, bool)
        for method in ("get_request", "delete_request", "payto", "broadcast", "nonsense", "get_transaction"):
            with pytest.raises(RemoteError) as caught:
                shop.call(method, "nonsense", "1", "x", "y", "z", "u", "v", key=key)
            assert key not in str(caught.value)
        shop.call("close_wallet", key=key)
    told = "\n".join(
        [
            shop.log.read_text(),
            caplog.text,
            str(shop.call("list_wallets")),
            str(shop.call("getinfo")),
            str(shop.journal.events),
            str(shop.journal.requests),
            *(str(path) for path in shop.folder.rglob("*")),
        ]
    )
    for secret in (xpub, seed, xpub[4:40], " ".join(seed.split()[:3])):
        assert secret not in told


def test_only_the_owner_can_look_into_the_wallets(shop, key):
    shop.call("getmpk", key=key)
    (folder,) = shop.folder.rglob("wallets")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in wallet_files(shop)} == {0o600}


def wallet_files(shop):
    return {path for path in shop.folder.rglob("wallets/*") if ".tmp." not in path.name}
