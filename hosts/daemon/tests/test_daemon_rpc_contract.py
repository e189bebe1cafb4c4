"""The daemon contract, sections 1 and 2, over real HTTP."""

import base64
import http.client
import json
import socket
from urllib.parse import urlsplit

import pytest

from bitcart_core.errors import CoinRefused

KEY = "xpub-of-a-merchant-0123456789"


def exchange(daemon, method, path, body=None, headers=None, *, authorized=True):
    """Return status, headers and body of one request, as sent."""
    address = daemon.address
    connection = http.client.HTTPConnection(urlsplit(address["url"]).netloc, timeout=20)
    token = base64.b64encode(f"{address['login']}:{address['password']}".encode()).decode()
    auth = {"Authorization": f"Basic {token}"} if authorized else {}
    connection.request(method, path, body=body, headers={**auth, **(headers or {})})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def post(daemon, body, **options):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, _, content = exchange(daemon, "POST", "/", raw, **options)
    assert status == 200
    return json.loads(content)


UNAUTHORIZED = {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Unauthorized"}, "id": None}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic ",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"bitcart:wrong").decode(),
        "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
        "Bearer abc",
        "Basic " + "A" * 6000,
    ],
)
@pytest.mark.parametrize(("method", "path"), [("POST", "/"), ("GET", "/spec"), ("GET", "/ws")])
def test_a_wrong_or_malformed_login_is_told_so_with_status_200(daemon, header, method, path):
    headers = {} if header is None else {"Authorization": header}
    status, _, content = exchange(daemon, method, path, b"{}", headers, authorized=False)
    assert status == 200
    assert json.loads(content) == UNAUTHORIZED


def test_the_body_is_read_as_json_whatever_its_type_says(daemon):
    for kind in ("text/plain; charset=utf-8", "application/json", "application/x-www-form-urlencoded", "nonsense"):
        body = {"jsonrpc": "2.0", "method": "getinfo", "params": {"xpub": None}, "id": 7}
        answer = post(daemon, body, headers={"Content-Type": kind})
        assert answer["result"]["synchronized"] is True
        assert answer["id"] == 7


@pytest.mark.parametrize("call_id", [0, 3, "a text", None, 2**70, 1.5])
def test_the_id_comes_back_as_it_was_sent(daemon, call_id):
    body = {"jsonrpc": "2.0", "method": "getinfo", "params": {"xpub": None}, "id": call_id}
    assert post(daemon, body)["id"] == call_id
    assert post(daemon, {"method": "nothing like it", "id": call_id})["id"] == call_id


def test_arguments_may_stand_by_place_by_name_or_both(daemon):
    by_name = post(daemon, {"method": "validatekey", "params": {"key": KEY, "xpub": None}, "id": 1})
    by_place = post(daemon, {"method": "validatekey", "params": [KEY], "id": 1})
    both = post(daemon, {"method": "get_request", "params": ["none", {"xpub": KEY}], "id": 1})
    assert by_name["result"] is by_place["result"] is True
    assert both["error"] == {"code": -32003, "message": "Request not found"}
    assert post(daemon, {"method": "getinfo", "id": 1})["result"]["connected"] is True


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b"", -32700, "Parse error"),
        (b"{", -32700, "Parse error"),
        (b"\xff\xfe", -32700, "Parse error"),
        (b'{"method":"getinfo","params":[NaN]}', -32700, "Parse error"),
        (b"[" * 100_000, -32700, "Parse error"),
        (b'{"a":' * 50_000, -32700, "Parse error"),
        (b'{"method":"getinfo","id":' + b"9" * 5000 + b"}", -32700, "Parse error"),
        (b"[]", -32600, "batch not supported"),
        (b'[{"method":"getinfo"}]', -32600, "batch not supported"),
        (b"5", -32600, "Invalid Request"),
        (b'"getinfo"', -32600, "Invalid Request"),
        (b"null", -32600, "Invalid Request"),
        (b"{}", -32601, "Procedure not found"),
        (b'{"method":""}', -32601, "Procedure not found"),
        (b'{"method":5}', -32601, "Procedure not found"),
        (b'{"method":["getinfo"]}', -32601, "Procedure not found"),
        (b'{"method":"no_such_method"}', -32601, "Procedure not found"),
        (b'{"method":"__class__"}', -32601, "Procedure not found"),
        (b'{"method":"getinfo","params":"text"}', -32602, "params must be a list or an object"),
        (b'{"method":"getbalance","params":{"xpub":null}}', -32000, "Wallet not loaded"),
        (b'{"method":"getbalance","params":{}}', -32000, "Wallet not loaded"),
        (b'{"method":"get_updates","params":{"xpub":null}}', -32000, "Wallet not loaded"),
    ],
)
def test_whatever_is_malformed_gets_an_error_of_the_contract(daemon, body, code, message):
    assert post(daemon, body)["error"] == {"code": code, "message": message}


@pytest.mark.parametrize("xpub", ["nonsense", 5, True, ["a"], {"contract": "c"}, {"xpub": None, "x": 1}, {"xpub": 7}])
def test_a_bad_key_is_refused_where_a_wallet_is_needed_and_ignored_elsewhere(daemon, xpub):
    refused = post(daemon, {"method": "getbalance", "params": {"xpub": xpub}})["error"]
    assert refused["code"] == -32005
    assert "Seed or key not recognized" in refused["message"]
    assert post(daemon, {"method": "getinfo", "params": {"xpub": xpub}})["result"]["connected"] is True
    assert post(daemon, {"method": "get_updates", "params": {"xpub": xpub}})["error"]["code"] == -32005


def test_a_key_may_be_an_object_and_without_a_contract_it_is_the_same_wallet(daemon):
    request = daemon.call("add_request", amount="0.1", xpub=KEY)
    as_object = {"xpub": KEY, "contract": None, "diskless": True}
    assert daemon.call("get_request", request["request_id"], xpub=as_object)["address"] == request["address"]
    with pytest.raises(CoinRefused, match="Request not found"):
        daemon.call("get_request", request["request_id"], xpub={"xpub": KEY, "contract": "a token"})


def test_amounts_may_be_texts_or_numbers_and_never_pass_through_a_float(daemon):
    for amount in ("0.1", 0.1):
        assert daemon.call("add_request", amount=amount, xpub=KEY)["amount_sat"] == 10_000_000
    body = b'{"method":"add_request","params":{"amount":0.12345678,"xpub":"%s"}}' % KEY.encode()
    assert post(daemon, body)["result"]["amount_BTC"] == "0.12345678"


def test_an_error_of_the_coin_is_named_with_its_class(daemon):
    with pytest.raises(CoinRefused, match=r"^TypeError: .*unexpected keyword") as refused:
        daemon.call("getinfo", nonsense=1)
    assert refused.value.code == -32603
    with pytest.raises(CoinRefused, match=r"^bitcart_core\.errors\.InputError: amount -1 is negative") as refused:
        daemon.call("add_request", amount="-1", xpub=KEY)
    assert refused.value.code == -32603


def test_the_code_of_an_error_is_found_by_its_text_whatever_its_case(daemon):
    daemon.script("fail", method="getinfo", text="server says: REQUEST NOT FOUND, sorry")
    with pytest.raises(CoinRefused, match=r"^RuntimeError: server says") as refused:
        daemon.call("getinfo")
    assert refused.value.code == -32003


def test_a_key_is_in_no_log_and_in_no_answer_even_when_the_coin_shouts_it(daemon, caplog):
    daemon.script("fail", method="getbalance", text=f"cannot parse {KEY} at all")
    with pytest.raises(CoinRefused) as refused:
        daemon.call("getbalance", xpub=KEY)
    seed = "absurd lamp potato absurd lamp potato absurd lamp potato"
    daemon.script("fail", method="restore", text=f"cannot restore {seed}")
    with pytest.raises(CoinRefused):
        daemon.call("restore", seed)
    log = caplog.text
    assert "cannot parse … at all" in str(refused.value)
    assert "cannot parse … at all" in log
    assert "cannot restore …" in log
    assert KEY not in log
    assert "lamp potato" not in log


def test_a_body_beyond_one_mebibyte_is_refused_in_the_same_words(daemon):
    status, _, content = exchange(daemon, "POST", "/", b" " * (1024 * 1024 + 1))
    assert status == 413
    assert json.loads(content)["error"]["code"] == -32600
    assert "too large" in json.loads(content)["error"]["message"]
    largest = b'{"method":"getinfo"}'.ljust(1024 * 1024)
    assert post(daemon, largest)["result"]["connected"] is True


def test_a_body_that_ends_early_harms_nobody(daemon):
    host, port = urlsplit(daemon.address["url"]).netloc.split(":")
    with socket.create_connection((host, int(port))) as broken:
        broken.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    with socket.create_connection((host, int(port))) as broken:
        broken.sendall(b"\x00\x01 nonsense\r\n\r\n")
    assert daemon.call("getinfo")["connected"] is True


def test_only_the_paths_of_the_contract_exist(daemon):
    assert exchange(daemon, "GET", "/")[0] == 405
    assert exchange(daemon, "GET", "/elsewhere")[0] == 404
    assert exchange(daemon, "GET", "/ws")[0] == 400


def test_spec_has_the_four_keys_that_the_sdk_looks_for(daemon):
    status, headers, content = exchange(daemon, "GET", "/spec")
    spec = json.loads(content)
    assert status == 200
    assert headers["Content-Type"].startswith("application/json")
    assert set(spec) == {"version", "electrum_map", "exceptions", "capabilities"}
    assert spec["exceptions"]["-32005"]["exc_name"] == "LoadingWalletError"


def test_health_needs_no_login_and_tells_when_the_daemon_lags(daemon):
    status, _, content = exchange(daemon, "GET", "/health", authorized=False)
    assert (status, json.loads(content)["status"]) == (200, "ok")
    daemon.script("synchronized", value=False)
    status, _, content = exchange(daemon, "GET", "/health", authorized=False)
    assert (status, json.loads(content)) == (503, {"status": "synchronizing", "height": daemon.height()})


def test_help_lists_the_methods_of_the_host_among_the_coins(daemon):
    names = daemon.call("help")
    assert {"add_request", "get_updates", "events_since", "payments_of", "state"} <= set(names)
    assert names == sorted(names)
    assert "place in the journal" in daemon.call("help", "payments_of")
    assert daemon.call("help", "add_request").startswith("add_request")


def test_the_bulk_question_is_answered_in_one_call_with_the_place_it_is_true_for(daemon):
    paid = [daemon.call("add_request", amount="0.1", xpub="xpub-bulk") for _ in range(3)]
    for request in paid[:2]:
        daemon.pay(request["address"], "0.1")
    keys = [request["request_id"] for request in paid]
    answer = daemon.call("payments_of", requests=[*keys, "unknown"])
    assert sorted(payment["lookup_key"] for payment in answer["payments"]) == sorted(keys[:2])
    place = {"epoch": answer["epoch"], "seq": answer["seq"]}
    assert daemon.call("payments_of", requests=keys, after=place)["payments"] == []
    daemon.pay(paid[1]["address"], "0.2")
    changed = daemon.call("payments_of", requests=keys, after=place)["payments"]
    assert {payment["lookup_key"] for payment in changed} == {keys[1]}
    assert sorted(payment["amount"] for payment in changed) == ["0.1", "0.2"]
    assert len(daemon.call("payments_of", requests=keys, after={"epoch": 1, "seq": 10**6})["payments"]) == 3


@pytest.mark.parametrize(
    "arguments",
    [
        {"requests": "a text"},
        {"requests": [1]},
        {"requests": ["a"] * 20_001},
        {"requests": [], "after": 5},
        {"requests": [], "after": {"epoch": 1}},
        {"requests": [], "after": {"epoch": -1, "seq": 0}},
        {"requests": [], "after": {"epoch": 2**64, "seq": 0}},
        {"requests": [], "after": {"epoch": True, "seq": 0}},
    ],
)
def test_a_malformed_bulk_question_says_what_is_wrong(daemon, arguments):
    with pytest.raises(CoinRefused, match=r"requests|place|whole number") as refused:
        daemon.call("payments_of", **arguments)
    assert refused.value.code == -32602


def test_lone_surrogates_are_only_a_text_that_nobody_knows(daemon):
    body = b'{"method":"payments_of","params":{"requests":["\\ud800"],"xpub":null},"id":"\\udfff"}'
    answer = post(daemon, body)
    assert "error" in answer or answer["result"]["payments"] == []
    assert post(daemon, b'{"method":"getbalance","params":{"xpub":"\\ud800"}}')["error"]["code"] == -32005
