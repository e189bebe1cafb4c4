"""The answers of the daemon in the shapes of the contract (section 4.1), over a real wallet."""

import re
from decimal import Decimal

import pytest
from bitcart_coin_electrum.testing import RemoteError

STRANGER = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
"""The key of BIP 173's examples on regtest."""


@pytest.fixture(scope="module")
def seed(shop, chain):
    """A wallet with two confirmed bitcoins, by its seed."""
    seed = shop.call("make_seed")
    chain.tools.pay(shop.call("getunusedaddress", key=seed), Decimal(2))
    chain.tools.mine(1)
    return seed


@pytest.fixture
def funded(shop, seed, eventually):
    eventually(lambda: shop.call("getbalance", key=seed)["confirmed"] != "0")
    return seed


def refused(shop, method, *positional, key=None, **named):
    with pytest.raises(RemoteError) as caught:
        shop.call(method, *positional, key=key, **named)
    return caught.value


def test_a_new_request_has_the_fields_of_the_contract(shop, key):
    request = shop.call("add_request", amount="0.5", memo="hi & bye", expiry=900, force=True, key=key)
    address, created = request.pop("address"), request.pop("timestamp")
    assert re.fullmatch("[0-9a-f]{10}", request.pop("request_id"))
    assert request == {
        "is_lightning": False,
        "amount_BTC": "0.5",
        "message": "hi & bye",
        "expiry": 900,
        "status": 0,
        "status_str": "Expires in about 15 minutes",
        "amount_sat": 50_000_000,
        "URI": f"bitcoin:{address}?amount=0.5&message=hi%20%26%20bye&time={created}&exp=900",
        "tx_hashes": [],
        "sent_amount": "0.00000000",
    }


def test_a_request_that_never_expires_says_so(shop, key):
    for never in (0, None):
        request = shop.call("add_request", "1", expiry=never, key=key)
        assert (request["expiry"], request["status_str"], request["amount_BTC"]) == (0, "Unpaid", "1")
        assert request["URI"] == f"bitcoin:{request['address']}?amount=1"


@pytest.mark.parametrize(
    ("sent", "units"), [("0.00000001", 1), (Decimal("0.1"), 10**7), (0.29, 29 * 10**6), (3, 3 * 10**8)]
)
def test_amounts_are_taken_as_text_numbers_and_decimals(shop, key, sent, units):
    assert shop.call("add_request", sent, force=True, key=key)["amount_sat"] == units


@pytest.mark.parametrize("amount", ["-1", "many", "NaN", "Infinity", "1e99", True, [1]])
def test_what_is_no_amount_is_refused(shop, key, amount):
    assert refused(shop, "add_request", amount, key=key).kind == "InputError"


@pytest.mark.parametrize("expiry", [-1, "soon"])
def test_what_is_no_time_is_refused(shop, key, expiry):
    assert refused(shop, "add_request", "1", expiry=expiry, key=key).kind == "InputError"


def test_wrong_arguments_are_a_type_error(shop, key):
    assert refused(shop, "add_request", key=key).kind == "TypeError"
    assert refused(shop, "add_request", "1", colour="red", key=key).kind == "TypeError"


def test_requests_are_listed_by_their_state(shop, chain, key, eventually):
    paid, open_, expired = shop.request(key, "0.1"), shop.request(key, "0.2"), shop.request(key, "0.3", expiry=1)
    chain.tools.pay(paid["address"], Decimal("0.1"))
    chain.tools.mine(1)

    def listed(**flags):
        return [request["request_id"] for request in shop.call("list_requests", key=key, **flags)]

    assert set(listed()) == {paid["request_id"], open_["request_id"], expired["request_id"]}
    eventually(lambda: listed(paid=True) == [paid["request_id"]])
    eventually(lambda: listed(expired=True) == [expired["request_id"]])
    assert listed(pending=True) == [open_["request_id"]]
    assert shop.call("clear_requests", key=key) is True
    assert listed() == []


def test_an_unknown_request_is_not_found(shop, key):
    assert refused(shop, "get_request", "0123456789", key=key).code == -32003


def test_a_payment_url_gets_another_amount(shop):
    url = "bitcoin:bc1q?amount=1&message=a%20b"
    assert shop.call("modifypaymenturl", url, "0.25") == "bitcoin:bc1q?amount=0.25&message=a%20b"
    assert shop.call("modifypaymenturl", "bitcoin:bc1q", "0.25") == "bitcoin:bc1q?amount=0.25"
    assert shop.call("modifypaymenturl", url, 0) == url


def test_coins_are_sent_with_what_they_cost(shop, chain, funded, eventually):
    raw = shop.call("payto", STRANGER, "0.3", key=funded)
    size = shop.call("get_tx_size", raw)
    assert size > 100
    assert Decimal(shop.call("get_default_fee", raw)) == Decimal(shop.call("get_default_fee", size))
    txid = shop.call("broadcast", raw)
    assert txid == shop.call("get_tx_hash", raw)
    eventually(lambda: chain.tools.confirmations(txid) == 0)
    eventually(lambda: is_known(shop, txid, funded))
    assert Decimal(shop.call("get_used_fee", txid, key=funded)) > 0
    chain.tools.mine(1)
    eventually(lambda: shop.call("get_tx_status", txid, key=funded) == {"confirmations": 1})


def test_a_wallet_that_only_watches_prepares_what_its_seed_signs(shop, chain, funded):
    watching = shop.call("getmpk", key=funded)
    assert watching.startswith("vpub")
    prepared = shop.call("payto", STRANGER, "0.01", key=watching)
    assert prepared.startswith("cHNidP8")  # a PSBT in base64
    signed = shop.call("signtransaction", prepared, key=funded)
    assert shop.call("get_tx_hash", signed) == shop.call("get_tx_hash", prepared)


def test_a_transaction_kept_to_oneself_is_no_payment(shop, chain, funded):
    own = shop.request(funded, "0.01")
    raw = shop.call("payto", own["address"], "0.01", key=funded)
    txid = shop.call("addtransaction", raw, key=funded)
    assert txid == shop.call("get_tx_hash", raw)
    told = shop.call("get_request", own["request_id"], key=funded)
    assert (told["status"], told["tx_hashes"]) == (0, [])
    shop.call("removelocaltx", txid, key=funded)


def test_sending_fails_with_the_contract_s_texts(shop, funded, key):
    assert "invalid bitcoin address:" in str(refused(shop, "payto", "nonsense", "0.1", key=funded)).lower()
    assert "Insufficient funds" in str(refused(shop, "payto", STRANGER, "1000", key=funded))
    assert "Insufficient funds" in str(refused(shop, "payto", STRANGER, "0.1", key=key))


@pytest.mark.parametrize("use_spv", [False, True])
def test_anyones_transaction_is_told_with_its_confirmations(shop, chain, eventually, use_spv):
    txid = chain.tools.pay(chain.stranger(), Decimal("0.7"))
    told = shop.call("get_transaction", txid, use_spv=use_spv)
    assert told["confirmations"] == 0
    assert 70_000_000 in [output["value_sats"] for output in told["outputs"]]
    assert all(isinstance(element, str) for spent in told["inputs"] for element in spent["witness"])
    chain.tools.mine(2)
    eventually(lambda: shop.call("get_transaction", txid, use_spv=use_spv)["confirmations"] == 2)


def test_transactions_that_are_none_are_told_apart(shop, funded):
    assert "should be a transaction hash" in str(refused(shop, "get_transaction", "zz"))
    assert "Transaction not found" in str(refused(shop, "get_transaction", "00" * 32))
    assert refused(shop, "get_used_fee", "00" * 32, key=funded).code == -32002


def test_the_history_of_a_wallet_is_a_list(shop, chain, key):
    assert shop.call("onchain_history", key=key) == []
    request = shop.request(key, "0.5", memo="A book")
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    chain.tools.mine(1)
    shop.wait_for_outputs(request, lambda outputs: outputs and outputs[0].height)
    (item,) = shop.call("onchain_history", key=key)
    assert {name: item[name] for name in ("txid", "amount_sat", "confirmations", "incoming", "label")} == {
        "txid": txid,
        "amount_sat": 50_000_000,
        "confirmations": 1,
        "incoming": True,
        "label": "A book",
    }
    assert {"height", "timestamp", "date", "bc_value", "bc_balance", "fee_sat", "group_id"} <= item.keys()


def test_balances_are_plain_numbers(shop, chain, key):
    request = shop.request(key)
    assert shop.call("getbalance", key=key) == {"confirmed": "0"}
    chain.tools.pay(request["address"], Decimal("0.00000546"))
    shop.wait_for_outputs(request, bool)
    assert shop.call("getbalance", key=key) == {"confirmed": "0", "unconfirmed": "0.00000546"}
    assert shop.call("getaddressbalance", request["address"]) == {"confirmed": "0", "unconfirmed": "0.00000546"}
    (entry,) = shop.call("getaddresshistory", request["address"])
    assert entry["height"] == 0


def test_addresses_are_checked_and_left_as_they_are(shop, key):
    address = shop.call("getunusedaddress", key=key)
    assert shop.call("validateaddress", address) is True
    assert shop.call("validateaddress", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4") is False
    assert shop.call("normalizeaddress", address) == address


def test_the_daemon_says_how_it_does(shop, chain, eventually):
    eventually(lambda: shop.call("getinfo")["blockchain_height"] == chain.tools.height())
    info = shop.call("getinfo")
    assert (info["network"], info["connected"], info["version"]) == ("regtest", True, "4.3.4")
    assert (info["server"], info["spv_nodes"], info["auto_connect"]) == ("127.0.0.1", 1, False)
    assert info["server_height"] == chain.tools.height()


def test_fees_are_recommended_by_the_server(shop, eventually):
    eventually(lambda: shop.call("recommended_fee", 2) == 10_000)
    assert shop.call("recommended_fee", 7) is None


def test_settings_are_kept_until_the_end(shop):
    assert shop.call("getconfig", "auto_connect") is False
    for value in (False, True):
        assert shop.call("setconfig", "use_rbf", value) is None
        assert shop.call("getconfig", "use_rbf") is value
    for method, values in (("getconfig", ()), ("setconfig", (1,))):
        assert refused(shop, method, "rpcpassword", *values).code == -32014
    assert not list(shop.folder.rglob("config"))


def test_help_names_every_method_and_explains_it(shop):
    names = shop.call("help")
    assert {"broadcast", "gettransaction", "help", "add_request", "getrequest"} <= set(names)
    for name in names:
        text = shop.call("help", name)
        assert text.split("(")[0] in (name, "get_request", "delete_request")
    assert shop.call("help", "add_request").startswith("add_request(amount, memo='', expiry=3600")
    assert refused(shop, "help", "nonsense").code == -32601


@pytest.mark.parametrize("method", ["nonsense", "stop", "load_wallet", "password", "_resolver", "__init__"])
def test_what_is_no_method_is_not_called(shop, key, method):
    assert refused(shop, method, key=key).code == -32601


def is_known(shop, txid, key):
    try:
        return shop.call("get_tx_status", txid, key=key)
    except RemoteError:
        return None
