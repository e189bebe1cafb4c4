"""What a daemon knows after it was stopped, killed, cut off, or robbed of its journal."""

from dataclasses import replace
from decimal import Decimal

import pytest
from bitcart_coin_electrum.testing import DaemonProcess, MemoryJournal, RemoteError

FACTORY = "bitcart_coin_bitcoin.daemon:create"


def test_a_payment_that_came_while_the_daemon_was_down_is_found_without_being_asked(own_shop, chain, key):
    request = own_shop.request(key)
    own_shop.daemon.stop()
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    chain.tools.mine(2)
    own_shop.daemon.start()
    (found,) = own_shop.wait_for_outputs(request, bool)
    assert (found.txid, found.height) == (txid, chain.tools.height() - 1)
    assert own_shop.statuses(request) == [3]


def test_it_is_synchronized_only_once_all_that_is_watched_was_compared(own_shop, chain, key, eventually):
    request = own_shop.request(key)
    own_shop.daemon.stop()
    chain.tools.pay(request["address"], Decimal("0.5"))
    own_shop.daemon.start()
    eventually(lambda: own_shop.daemon.state()["is_synchronized"])
    assert own_shop.statuses(request) == [7]


def test_a_payment_replaced_while_the_daemon_was_down_is_told_as_gone(own_shop, chain, key):
    request = own_shop.request(key)
    txid = chain.tools.pay(request["address"], Decimal("0.5"))
    own_shop.wait_for_outputs(request, bool)
    own_shop.daemon.stop()
    chain.tools.replace(txid, chain.stranger())
    chain.tools.mine(1)
    own_shop.daemon.start()
    own_shop.wait_for_outputs(request, lambda outputs: outputs[0].is_replaced)
    assert own_shop.statuses(request) == [7, 0]


def test_a_restart_tells_nothing_twice_and_takes_nothing_back(own_shop, chain, key, eventually):
    request = own_shop.request(key)
    chain.tools.pay(request["address"], Decimal("0.5"))
    chain.tools.mine(1)
    own_shop.wait_for_outputs(request, lambda outputs: outputs and outputs[0].height)
    told = own_shop.statuses(request)
    own_shop.daemon.stop()
    own_shop.daemon.start()
    eventually(lambda: own_shop.call("getinfo")["total_wallets"] == 1 and own_shop.call("getinfo")["synchronized"])
    assert own_shop.call("get_request", request["request_id"], key=key)["status"] == 3
    assert own_shop.statuses(request) == told


def test_a_power_cut_loses_no_request_and_no_address_beyond_the_gap_limit(own_shop, chain, key):
    requests = [own_shop.request(key, memo=f"order {number}") for number in range(45)]
    assert len({request["address"] for request in requests}) == 45
    own_shop.daemon.kill()
    chain.tools.pay(requests[44]["address"], Decimal("0.5"))
    own_shop.daemon.start()
    own_shop.wait_for_outputs(requests[44], bool)
    assert own_shop.call("get_request", requests[44]["request_id"], key=key)["message"] == "order 44"
    assert own_shop.request(key)["address"] not in {request["address"] for request in requests}


def test_a_lost_journal_is_filled_again(own_shop, settings, chain, key, tmp_path):
    request = own_shop.request(key)
    chain.tools.pay(request["address"], Decimal("0.5"))
    own_shop.wait_for_outputs(request, bool)
    own_shop.daemon.stop()
    journal = MemoryJournal()
    with DaemonProcess(FACTORY, replace(settings, data_dir=own_shop.folder), journal, tmp_path / "again.log"):
        journal.wait_for(lambda journal: journal.of(request["request_id"]))
    assert [watched.lookup_key for watched in journal.watched()] == [request["request_id"]]


@pytest.fixture
def wired(settings, wire, tmp_path):
    """A daemon whose line to the server can be cut."""
    log, journal = tmp_path / "daemon.log", MemoryJournal()
    with DaemonProcess(FACTORY, replace(settings, data_dir=tmp_path, server=wire.server), journal, log) as daemon:
        yield daemon


def test_a_payment_that_came_while_the_server_was_away_is_found_when_it_is_back(wired, wire, chain, key):
    request = wired.call("add_request", amount="0.5", force=True, key=key)
    wire.cut()
    chain.tools.pay(request["address"], Decimal("0.5"))
    block = chain.tools.mine(1)[0]
    wire.mend()
    wired.journal.wait_for(lambda journal: [o.block_hash for o in journal.of(request["request_id"])] == [block])
    wired.journal.wait_for(lambda journal: any(event.get("hash") == block for event in journal.events))


def test_requests_are_made_while_the_server_is_away_and_nothing_is_told_as_gone(wired, wire, chain, key, eventually):
    paid = wired.call("add_request", amount="0.5", force=True, key=key)
    chain.tools.pay(paid["address"], Decimal("0.5"))
    wired.journal.wait_for(lambda journal: journal.of(paid["request_id"]))
    wire.cut()
    eventually(lambda: not wired.call("getinfo")["connected"])
    later = wired.call("add_request", amount="0.1", force=True, key=key)
    wire.mend()
    chain.tools.pay(later["address"], Decimal("0.1"))
    wired.journal.wait_for(lambda journal: journal.of(later["request_id"]))
    assert not wired.journal.of(paid["request_id"])[0].is_replaced


def test_without_a_server_a_call_ends_in_time_and_says_why(settings, key, wire, tmp_path):
    wire.cut()
    options = {"sync_timeout_seconds": "0.3"}
    changed = replace(settings, data_dir=tmp_path, server=wire.server, options=options)
    with DaemonProcess(FACTORY, changed, MemoryJournal(), tmp_path / "daemon.log") as daemon:
        answer = daemon.begin("add_request", amount="0.5", force=True, key=key)
        error = answer.exception(timeout=30)
        assert isinstance(error, RemoteError)
        assert error.code == -32005
        assert "no Electrum server" in str(error)
        assert "ask again" in str(error)
        assert "add_request" in daemon.call("help")


def test_a_failing_journal_loses_no_payment(settings, chain, key, tmp_path):
    class Moody(MemoryJournal):
        failures = 0

        def payments(self, *positional, **named):
            if self.failures < 2:
                self.failures += 1
                raise OSError("no space left on device")
            super().payments(*positional, **named)

    journal, log = Moody(), tmp_path / "daemon.log"
    with DaemonProcess(FACTORY, replace(settings, data_dir=tmp_path), journal, log) as daemon:
        request = daemon.call("add_request", amount="0.5", force=True, key=key)
        chain.tools.pay(request["address"], Decimal("0.5"))
        journal.wait_for(lambda journal: journal.of(request["request_id"]))
    assert journal.failures == 2
    assert "no space left on device" in log.read_text()
