"""The client against the real daemon host: every question of the kernel, and every way to fail."""

import http.server
import itertools
import multiprocessing
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from bitcart_coin_daemon import DaemonClient, DaemonClientSettings
from bitcart_coin_daemon.answers import read_request
from pydantic import SecretStr, ValidationError

from bitcart_core import (
    CoinClient,
    CoinRefused,
    CoinUnreachable,
    HasBalance,
    InputError,
    Position,
    WalletKey,
)
from bitcart_core.coins import UsesDaemon

KEY = WalletKey(key="xpub-of-the-client-tests")
BAD_KEY = WalletKey(key="no-key-at-all")
_keys = (WalletKey(key=f"xpub-{number}") for number in itertools.count())


def ask(client, key=KEY, amount=Decimal("0.5"), **more):
    options = {"memo": "", "expires_in_seconds": 900, "timeout_seconds": 10} | more
    return client.create_request(key, amount=amount, **options)


def make_client(daemon, **settings):
    return DaemonClient(DaemonClientSettings.model_validate(settings), folder=daemon.folder, name="bitcoin on regtest")


def test_the_client_is_what_the_kernel_expects(client):
    checked: CoinClient = client
    assert isinstance(checked, HasBalance)
    assert isinstance(checked, UsesDaemon)
    assert client.is_remote is False


def test_a_good_key_passes_and_a_bad_one_is_refused_with_a_hint_and_without_the_key(client):
    client.check_key(KEY)
    with pytest.raises(InputError, match="cannot receive bitcoin on regtest; give an xpub") as refused:
        client.check_key(BAD_KEY)
    assert refused.value.field == "key"
    assert BAD_KEY.key not in str(refused.value)


def test_a_request_has_what_a_buyer_needs_and_its_amount_is_exact(daemon, client):
    request = ask(client, amount=Decimal("0.12345678"), memo="a cup")
    described = daemon.call("get_request", request.lookup_key, xpub=KEY.key)
    assert described["amount_sat"] == 12_345_678
    assert request.address == described["address"]
    assert request.uri == described["URI"]
    assert not request.is_lightning


def test_a_tiny_amount_is_not_written_with_an_exponent(daemon, client):
    request = ask(client, amount=Decimal("1E-8"))
    assert daemon.call("get_request", request.lookup_key, xpub=KEY.key)["amount_sat"] == 1


def test_a_request_for_any_amount_falls_back_to_the_address(client):
    request = ask(client, amount=None, expires_in_seconds=None)
    assert request.uri == request.address


def test_a_key_with_more_to_say_is_sent_as_an_object(daemon, client):
    token = WalletKey(key=KEY.key, contract="a-token", extra={"address": "x"})
    request = ask(client, key=token)
    with pytest.raises(CoinRefused, match="Request not found"):
        daemon.call("get_request", request.lookup_key, xpub=KEY.key)
    same = {"xpub": KEY.key, "contract": "a-token"}
    assert daemon.call("get_request", request.lookup_key, xpub=same)["address"] == request.address


def test_what_the_daemon_refuses_keeps_its_code_and_tells_no_key(client):
    with pytest.raises(CoinRefused, match="refused add_request: Error loading wallet") as refused:
        ask(client, key=BAD_KEY)
    assert refused.value.code == -32005
    assert BAD_KEY.key not in str(refused.value)


def test_a_key_is_cut_out_of_whatever_the_daemon_says(daemon, client):
    daemon.script("fail", method="add_request", text=f"oh no, {KEY.key}!")
    with pytest.raises(CoinRefused, match="oh no, …!"):
        ask(client)
    daemon.script("fail", method="add_request")


def test_an_unclear_error_while_a_key_is_checked_is_not_the_merchants_fault(daemon, client):
    daemon.script("fail", method="validatekey", text="server has the hiccups")
    with pytest.raises(CoinRefused, match="hiccups") as refused:
        client.check_key(KEY)
    daemon.script("fail", method="validatekey")
    assert refused.value.code == -32603


def test_a_balance_is_told_in_full(daemon, client):
    key = next(_keys)
    daemon.pay(ask(client, key=key).address, Decimal("0.3"))
    daemon.mine(1)
    daemon.pay(ask(client, key=key).address, Decimal("0.1"))
    assert client.balance(key) == {
        "confirmed": Decimal("0.3"),
        "unconfirmed": Decimal("0.1"),
        "unmatured": Decimal(0),
        "lightning": Decimal(0),
    }


def test_the_bulk_question_tells_payments_and_where_the_journal_was(daemon, client):
    paid, unpaid = ask(client), ask(client)
    txid = daemon.pay(paid.address, Decimal("0.5"))
    snapshot = client.payments_of([paid.lookup_key, unpaid.lookup_key, "unknown"])
    (payment,) = snapshot.payments
    assert (payment.lookup_key, payment.txid, payment.amount) == (paid.lookup_key, txid, Decimal("0.5"))
    assert snapshot.position == client.state().position
    assert snapshot.height == daemon.height()
    assert client.payments_of([paid.lookup_key], after=snapshot.position).payments == ()
    older = Position(epoch=snapshot.position.epoch, seq=snapshot.position.seq - 1)
    assert len(client.payments_of([paid.lookup_key], after=older).payments) == 1
    assert client.payments_of([]).payments == ()


def test_a_bulk_question_of_any_size_is_cut_into_calls_the_daemon_takes(daemon, client):
    requests = [ask(client) for _ in range(3)]
    for request in requests:
        daemon.pay(request.address, Decimal("0.5"))
    strangers = [f"{number:064x}" for number in range(12_000)]
    asked = [requests[0].lookup_key, *strangers, requests[1].lookup_key, requests[2].lookup_key]
    found = {payment.lookup_key for payment in client.payments_of(asked).payments}
    assert found == {request.lookup_key for request in requests}


def test_a_payment_that_is_replaced_or_loses_its_block_is_told_so(daemon, client):
    request = ask(client)
    first = daemon.pay(request.address, Decimal("0.5"))
    second = daemon.replace(first, request.address)
    payments = {payment.txid: payment for payment in client.payments_of([request.lookup_key]).payments}
    assert payments[first].is_replaced
    assert not payments[second].is_replaced
    daemon.mine(1)
    mined = client.payments_of([request.lookup_key])
    daemon.reorg(1)
    (moved,) = (p for p in client.payments_of([request.lookup_key]).payments if p.txid == second)
    (before,) = (p for p in mined.payments if p.txid == second)
    assert moved.block_hash != before.block_hash


def test_the_state_says_how_the_daemon_is(daemon, client):
    daemon.script("synchronized", value=False)
    lagging = client.state()
    daemon.script("synchronized", value=True)
    assert not lagging.is_synchronized
    assert client.state().is_synchronized
    assert client.state().version == "scripted"
    assert client.state().at.tzinfo is not None


def test_a_daemon_that_takes_too_long_is_unreachable(daemon, client):
    daemon.script("lag", seconds=30)
    with pytest.raises(CoinUnreachable, match="did not answer"):
        ask(client, timeout_seconds=0.3)
    daemon.script("lag", seconds=0)
    assert ask(client).address


def test_many_threads_share_a_client(client):
    with ThreadPoolExecutor(8) as threads:
        requests = list(threads.map(lambda _: ask(client), range(40)))
    assert len({request.lookup_key for request in requests}) == 40


def _ask_in_child(client, pipe):
    pipe.send([ask(client).lookup_key for _ in range(5)])


def test_a_client_works_on_both_sides_of_a_fork(client):
    ask(client)
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    child = fork.Process(target=_ask_in_child, args=(client, theirs))
    child.start()
    in_parent = [ask(client).lookup_key for _ in range(5)]
    in_child = ours.recv()
    child.join()
    assert len({*in_parent, *in_child}) == 10


def test_no_daemon_here_is_told_with_the_remedy(tmp_path):
    client = DaemonClient(DaemonClientSettings(), folder=tmp_path, name="bitcoin on regtest")
    with pytest.raises(CoinUnreachable, match=r"daemon\.json is missing\); start it with `bitcart daemon`"):
        client.state()


def test_a_daemon_that_started_again_elsewhere_is_found_without_help(mortal):
    client = make_client(mortal)
    before = mortal.address["url"]
    first = ask(client)
    mortal.kill()
    with pytest.raises(CoinUnreachable):
        client.state()
    with socket.create_server(("127.0.0.1", int(before.rsplit(":", 1)[1]))):  # someone else has the port now
        mortal.start()
        assert mortal.address["url"] != before
        assert ask(client).lookup_key != first.lookup_key


def test_a_named_daemon_needs_its_password_and_is_used_instead_of_the_one_here(daemon, tmp_path):
    address = daemon.address
    settings = {"daemon_url": address["url"] + "/", "daemon_password": SecretStr(address["password"])}
    client = DaemonClient(DaemonClientSettings.model_validate(settings), folder=tmp_path, name="bitcoin on regtest")
    assert client.is_remote
    assert client.state().version == "scripted"
    with pytest.raises(ValidationError, match="daemon_url is set and daemon_password is not"):
        DaemonClientSettings(daemon_url=address["url"])
    with pytest.raises(ValidationError, match="daemon_url"):
        DaemonClientSettings(daemon_url="localhost:5000", daemon_password=SecretStr("x"))


def test_a_wrong_password_is_refused_and_not_shown(daemon, tmp_path):
    settings = DaemonClientSettings(daemon_url=daemon.address["url"], daemon_password=SecretStr("a-wrong-one"))
    client = DaemonClient(settings, folder=tmp_path, name="bitcoin on regtest")
    with pytest.raises(CoinRefused, match="Unauthorized") as refused:
        client.state()
    assert "a-wrong-one" not in f"{refused.value} {client!r} {settings!r}"


class _Stranger(http.server.BaseHTTPRequestHandler):
    answer = b"<html>it works</html>"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(502)
        self.send_header("Content-Length", str(len(self.answer)))
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("answer", [b"<html>it works</html>", b"[]", b"5", b"{}", b'{"error": 5}', b"\xff"])
def test_what_is_no_daemon_is_called_so(tmp_path, answer):
    handler = type("Handler", (_Stranger,), {"answer": answer})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        settings = DaemonClientSettings(daemon_url=url, daemon_password=SecretStr("x"))
        with pytest.raises(CoinUnreachable, match="is no daemon"):
            DaemonClient(settings, folder=tmp_path, name="bitcoin on regtest").state()
        server.shutdown()


def test_a_lightning_request_is_read_with_its_hash():
    result = {"is_lightning": True, "lightning_invoice": "lnbcrt1", "rhash": "ab", "request_id": "ab"}
    request = read_request(result)
    assert (request.address, request.payment_hash, request.is_lightning) == ("lnbcrt1", "ab", True)


def test_a_coin_without_request_ids_is_found_by_its_address():
    assert read_request({"address": "qq", "URI": None}).lookup_key == "qq"


def test_no_address_to_give_is_a_refusal(daemon, client, monkeypatch):
    monkeypatch.setattr(client._caller, "call", lambda *_, **__: False)
    with pytest.raises(CoinRefused, match="made no payment request"):
        ask(client)
