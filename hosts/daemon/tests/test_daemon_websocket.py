"""The websocket: the daemon contract, section 3, and what we add: replay, heartbeats, reset."""

from decimal import Decimal

import pytest
from websockets.exceptions import ConnectionClosed

ONE, TWO = "xpub-one", "xpub-two"


@pytest.fixture
def requests(daemon):
    """A payment request of each of two wallets."""
    return {key: daemon.call("add_request", amount="0.5", xpub=key) for key in (ONE, TWO)}


def names(frames):
    return [(update["event"], frame["wallet"]) for frame in frames for update in frame["updates"]]


def test_a_socket_that_says_nothing_hears_of_every_wallet_by_its_key(daemon, requests, open_socket):
    socket = open_socket(daemon)
    for key in (ONE, TWO):
        daemon.pay(requests[key]["address"], Decimal("0.5"))
    daemon.mine(1)
    frames = [socket.read() for _ in range(5)]
    assert sorted(names(frames[:2])) == [("new_payment", ONE), ("new_payment", TWO)]
    assert sorted(names(frames[2:4])) == [("new_payment", ONE), ("new_payment", TWO)]
    assert names(frames[4:]) == [("new_block", None)]


def test_a_frame_has_the_members_of_the_contract_and_its_place(daemon, requests, open_socket):
    socket = open_socket(daemon)
    txid = daemon.pay(requests[ONE]["address"], Decimal("0.5"))
    frame = socket.read()
    (update,) = frame["updates"]
    assert set(frame) == {"updates", "wallet", "currency", "epoch", "seq", "at"}
    assert frame["currency"] == "BTC"
    assert frame["seq"] == 1
    assert update["address"] == requests[ONE]["request_id"]
    assert (update["status"], update["status_str"]) == (7, "Unconfirmed")
    assert update["sent_amount"] == "0.50000000"
    assert update["tx_hashes"] == [txid]
    (payment,) = update["payments"]
    assert (payment["txid"], payment["amount"], payment["height"]) == (txid, "0.5", None)


@pytest.mark.parametrize("scope", [TWO, {"xpub": TWO}, {"xpub": TWO, "contract": None, "diskless": True}])
def test_a_scoped_socket_hears_of_its_wallet_and_of_blocks(daemon, requests, open_socket, scope):
    socket = open_socket(daemon)
    socket.send({"xpub": scope})
    socket.replay(0, 0)  # answered after the scope was set
    for key in (ONE, TWO):
        daemon.pay(requests[key]["address"], Decimal("0.5"))
    daemon.mine(1)
    frames = [frame for frame in socket.read_until(is_block) if "updates" in frame]
    assert names(frames) == [("new_payment", TWO), ("new_payment", TWO), ("new_block", None)]


def is_block(frame):
    return "updates" in frame and frame["updates"][0]["event"] == "new_block"


def test_scoping_again_replaces_and_null_means_all(daemon, requests, open_socket):
    socket = open_socket(daemon)
    socket.send({"xpub": ONE})
    socket.send({"xpub": TWO})
    epoch = daemon.call("state")["epoch"]
    assert socket.replay(epoch, 0) == []
    daemon.pay(requests[ONE]["address"], Decimal("0.1"))
    daemon.pay(requests[TWO]["address"], Decimal("0.1"))
    assert names(socket.replay(epoch, 0)) == [("new_payment", TWO)]
    socket.send({"xpub": None})
    assert names(socket.replay(epoch, 0)) == [("new_payment", ONE), ("new_payment", TWO)]


def test_messages_without_sense_are_ignored(daemon, open_socket):
    socket = open_socket(daemon)
    for message in ("{", "[]", "5", "null", '"text"', "[" * 20_000, b"\x00\xff", "{}", '{"other":1}', '{"xpub":5}'):
        socket.send(message)
    socket.send({"xpub": None})
    daemon.mine(1)
    assert names([socket.read()]) == [("new_block", None)]


@pytest.mark.parametrize("after", [5, "text", [], {}, {"epoch": "a", "seq": 0}, {"epoch": 1}, {"epoch": -1, "seq": -1}])
def test_a_place_that_cannot_be_read_is_answered_with_a_reset(daemon, open_socket, after):
    daemon.mine(1)
    socket = open_socket(daemon)
    socket.send({"after": after})
    frame = socket.read()
    assert (frame["reset"], frame["seq"]) == (True, 1)


def test_a_message_that_is_too_large_ends_only_its_own_socket(daemon, open_socket):
    large, other = open_socket(daemon), open_socket(daemon)
    with pytest.raises(ConnectionClosed):  # noqa: PT012 - the server may close while we still send
        large.send("x" * 200_000)
        large.read()
    daemon.mine(1)
    assert names([other.read()]) == [("new_block", None)]


def test_sockets_that_did_not_ask_hear_no_heartbeats(daemon, open_socket):
    plain, asking = open_socket(daemon), open_socket(daemon)
    asking.send({"after": None})
    for _ in range(3):
        asking.read_until(lambda frame: "heartbeat" in frame)
    daemon.mine(1)
    assert "updates" in plain.read()


def test_a_heartbeat_says_where_the_journal_ends_and_how_the_daemon_is(daemon, open_socket):
    daemon.mine(3)
    socket = open_socket(daemon)
    socket.send({"after": None})
    resumed, heartbeat = socket.read(), socket.read()
    head = daemon.call("state")
    assert (resumed["resumed"], resumed["epoch"], resumed["seq"]) == (True, head["epoch"], head["seq"])
    assert {name: heartbeat[name] for name in ("heartbeat", "epoch", "seq", "height", "synchronized")} == {
        "heartbeat": True,
        "epoch": head["epoch"],
        "seq": head["seq"],
        "height": 3,
        "synchronized": True,
    }
    assert heartbeat["at"] <= head["at"]
    assert heartbeat["every_seconds"] == 0.2


def test_replay_gives_everything_once_in_order_and_then_goes_live(daemon, requests, open_socket):
    for _ in range(30):
        daemon.pay(requests[ONE]["address"], Decimal("0.01"))
    epoch = daemon.call("state")["epoch"]
    socket = open_socket(daemon)
    assert [frame["seq"] for frame in socket.replay(epoch, 12)] == list(range(13, 31))
    daemon.mine(1)
    live = [frame["seq"] for frame in socket.read_until(is_block) if "updates" in frame]
    assert live == [31, 32]


def test_asking_again_in_the_middle_begins_again_from_there(daemon, requests, open_socket):
    daemon.script("pay_many", payments=[[requests[ONE]["address"], "0.01"]])
    for _ in range(20):
        daemon.mine(1)
    epoch, last = (daemon.call("state")[name] for name in ("epoch", "seq"))
    socket = open_socket(daemon)
    for _ in range(3):
        assert [frame["seq"] for frame in socket.replay(epoch, 5)] == list(range(6, last + 1))


def test_an_unknown_epoch_is_reset_to_the_head_and_then_live(daemon, open_socket):
    daemon.mine(2)
    head = daemon.call("state")
    socket = open_socket(daemon)
    socket.send({"after": {"epoch": head["epoch"] - 1, "seq": 1}})
    reset, heartbeat = socket.read(), socket.read()
    assert (reset["reset"], reset["epoch"], reset["seq"]) == (True, head["epoch"], head["seq"])
    assert heartbeat["heartbeat"] is True
    daemon.mine(1)
    assert socket.read_until(is_block)[-1]["seq"] == head["seq"] + 1


def test_a_journal_that_is_older_than_its_client_begins_a_new_epoch(daemon, requests, open_socket):
    daemon.pay(requests[ONE]["address"], Decimal("0.5"))
    head = daemon.call("state")
    plain, socket = open_socket(daemon), open_socket(daemon)
    following = open_socket(daemon)
    assert following.replay(head["epoch"], head["seq"]) == []
    socket.send({"after": {"epoch": head["epoch"], "seq": head["seq"] + 5}})
    reset = socket.read()
    assert reset["reset"] is True
    assert reset["epoch"] > head["epoch"]
    assert following.read_until(lambda frame: "reset" in frame)[-1]["epoch"] == reset["epoch"]
    daemon.mine(1)
    for client in (plain, socket, following):
        frame = client.read_until(lambda frame: "updates" in frame)[-1]
        assert (frame["epoch"], frame["seq"]) == (reset["epoch"], 1)
    known = daemon.call("payments_of", requests=[requests[ONE]["request_id"]])
    assert [payment["amount"] for payment in known["payments"]] == ["0.5"]


def test_a_wallet_nobody_named_since_the_start_is_called_by_its_digest(daemon, requests, open_socket):
    address = requests[ONE]["address"]
    daemon.restart()
    socket = open_socket(daemon)
    daemon.pay(address, Decimal("0.1"))
    digest = socket.read()["wallet"]
    assert len(digest) == 32
    daemon.call("getbalance", xpub=ONE)
    daemon.pay(address, Decimal("0.1"))
    assert socket.read()["wallet"] == ONE


def test_a_key_stands_in_no_file_and_in_no_log(process, open_socket):
    daemon = process
    key = "xpub-that-must-stay-secret"
    request = daemon.call("add_request", amount="0.5", xpub=key)
    socket = open_socket(daemon)
    socket.send({"xpub": key})
    daemon.pay(request["address"], Decimal("0.5"))
    daemon.call("get_updates", xpub={"xpub": key, "contract": None})
    assert socket.read()["wallet"] == key
    daemon.stop()
    written = [file.read_bytes() for file in daemon.folder.rglob("*") if file.is_file()] + [
        daemon.log_path.read_bytes()
    ]
    assert len(written) > 3
    assert not any(key.encode() in content for content in written)


def test_get_updates_gives_what_happened_since_the_last_call_and_survives_a_restart(daemon, requests):
    assert daemon.call("get_updates", xpub=ONE) == []
    daemon.pay(requests[ONE]["address"], Decimal("0.5"))
    daemon.pay(requests[TWO]["address"], Decimal("0.5"))
    daemon.restart()
    daemon.mine(1)
    events = daemon.call("get_updates", xpub=ONE)
    assert [event["event"] for event in events] == ["new_payment", "new_payment", "new_block"]
    assert [event["status"] for event in events[:2]] == [7, 3]
    assert daemon.call("get_updates", xpub={"xpub": ONE}) == []
    assert len(daemon.call("get_updates", xpub=TWO)) == 3


@pytest.mark.parametrize(("cap", "expected"), [(2, [9, 10]), (0, [])])
def test_polling_is_capped_and_can_be_turned_off(hosted, cap, expected):
    daemon = hosted(polling_cap=cap)
    assert daemon.call("get_updates", xpub=ONE) == []
    for _ in range(10):
        daemon.mine(1)
    assert [event["height"] for event in daemon.call("get_updates", xpub=ONE)] == expected


def test_events_since_pages_through_the_journal(daemon, requests):
    for _ in range(5):
        daemon.pay(requests[ONE]["address"], Decimal("0.1"))
    epoch, seen, after = daemon.call("state")["epoch"], [], 0
    while page := daemon.call("events_since", epoch=epoch, seq=after, limit=2)["entries"]:
        assert len(page) <= 2
        seen += [(entry["seq"], entry["wallet"]) for entry in page]
        after = seen[-1][0]
    assert seen == [(seq, ONE) for seq in range(1, 6)]
    assert daemon.call("events_since", epoch - 1, 0)["reset"] is True
