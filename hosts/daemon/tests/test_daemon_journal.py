"""The journal by itself, on a real file."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from bitcart_host_daemon.journal import MOST_OUTPUTS_TOLD, RECENT_ENTRIES, Journal
from bitcart_host_daemon.reading import JournalReader

from bitcart_core.daemons import WatchedRequest
from bitcart_core.errors import ConfigError
from bitcart_core.events import BlockEvent, PaymentEvent, Position

NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = WatchedRequest(
    lookup_key="r1", wallet="w1", address="a1", amount=Decimal("0.5"), expires_at=NOW + timedelta(minutes=15)
)
OUTPUT = PaymentEvent(
    lookup_key="r1",
    address="a1",
    txid="t1",
    output="0",
    amount=Decimal("0.2"),
    first_seen_at=NOW + timedelta(seconds=9),
)
SUMMARY = {"address": "r1", "status": 0, "status_str": "Unpaid", "tx_hashes": ["t1"], "sent_amount": "0.20000000"}


class Clock:
    def __init__(self):
        self.now = NOW

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def journal(tmp_path, clock):
    journal = Journal(tmp_path, now=clock)
    yield journal
    journal.close()


@pytest.fixture
def reader(journal):
    reader = JournalReader(journal.path)
    yield reader
    reader.close()


def entries(reader, journal, after=0):
    place = Position(epoch=journal.head.epoch, seq=after)
    return [json.loads(entry.frame) for entry in reader.entries(place, limit=1000)]


def test_an_entry_says_what_the_contract_says_and_all_outputs(journal, reader):
    journal.watch(REQUEST)
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    (entry,) = entries(reader, journal)
    assert entry == {"event": "new_payment", **SUMMARY, "payments": [OUTPUT.to_json()]}


def test_what_is_known_is_not_written_again(journal):
    for _ in range(3):
        journal.watch(REQUEST)
        journal.payments(replace(REQUEST, lookup_key="unpaid"), [], summary=SUMMARY)
        journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
        journal.payments(REQUEST, [replace(OUTPUT, amount=Decimal("0.200"))], summary={**SUMMARY, "status": 7})
        journal.block(BlockEvent(height=7, block_hash="b7"))
        journal.note("w1", {"event": "new_transaction", "tx": "t1"})
    assert journal.head.seq == 3


def test_the_first_sight_of_an_output_is_kept(journal, reader):
    journal.watch(REQUEST)
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    later = replace(OUTPUT, first_seen_at=NOW + timedelta(hours=2), height=5, block_hash="b5", block_time=NOW)
    journal.payments(REQUEST, [later], summary=SUMMARY)
    (told,) = entries(reader, journal)[-1]["payments"]
    assert PaymentEvent.from_json(told) == replace(later, first_seen_at=OUTPUT.first_seen_at)


def test_an_output_that_is_missing_now_is_replaced_and_may_come_back(journal, reader):
    confirmed = replace(OUTPUT, height=5, block_hash="b5", block_time=NOW)
    other = replace(OUTPUT, txid="t2", amount=Decimal("0.3"))
    journal.watch(REQUEST)
    journal.payments(REQUEST, [confirmed], summary=SUMMARY)
    journal.payments(REQUEST, [other], summary=SUMMARY)
    journal.payments(REQUEST, [other], summary=SUMMARY)
    gone, stands = (PaymentEvent.from_json(told) for told in entries(reader, journal)[-1]["payments"])
    assert gone == replace(OUTPUT, is_replaced=True)
    assert stands == other
    journal.payments(REQUEST, [OUTPUT, other], summary=SUMMARY)
    back, _ = (PaymentEvent.from_json(told) for told in entries(reader, journal)[-1]["payments"])
    assert back == OUTPUT
    assert journal.head.seq == 3


def test_a_block_is_told_again_only_after_another_one(journal, reader):
    a, b = (BlockEvent(height=5, block_hash=name, block_time=NOW) for name in "ab")
    for block in (a, a, b, b, a):
        journal.block(block)
    assert [entry["hash"] for entry in entries(reader, journal)] == ["a", "b", "a"]
    assert entries(reader, journal)[0]["time"] == NOW.isoformat()


def test_a_payment_for_another_request_is_a_fault_of_the_coin_and_changes_nothing(journal):
    with pytest.raises(ValueError, match="output of request r2 was told for request r1"):
        journal.payments(REQUEST, [replace(OUTPUT, lookup_key="r2")], summary=SUMMARY)
    assert journal.head.seq == 0


def test_everything_is_there_again_after_a_restart(journal, tmp_path, clock):
    journal.watch(REQUEST)
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    journal.block(BlockEvent(height=7, block_hash="b7"))
    head = journal.head
    journal.close()
    again = Journal(tmp_path, now=clock)
    assert again.head == head
    assert again.watched() == again.watched("w1") == [REQUEST]
    assert again.watched("w2") == []
    again.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    again.block(BlockEvent(height=7, block_hash="b7"))
    assert again.head == head
    again.close()


def test_a_lost_file_is_a_later_epoch(journal, tmp_path, clock):
    epoch = journal.head.epoch
    assert epoch == NOW.timestamp() * 1000
    journal.close()
    for file in tmp_path.iterdir():
        file.unlink()
    clock.now += timedelta(seconds=1)
    again = Journal(tmp_path, now=clock)
    assert again.head == Position(epoch=epoch + 1000, seq=0)
    again.close()


def test_a_number_is_never_used_twice_even_when_all_entries_are_pruned(journal, reader, clock):
    journal.block(BlockEvent(height=1))
    journal.block(BlockEvent(height=2))
    clock.now += timedelta(days=31)
    assert journal.prune(entry_days=30, late_days=30) == 2
    assert entries(reader, journal, after=2) == []
    assert reader.entries(Position(epoch=journal.head.epoch, seq=1), limit=10) is None
    journal.block(BlockEvent(height=3))
    assert journal.head.seq == 3


def test_pruning_keeps_what_replay_promises_and_what_late_money_needs(journal, reader, clock):
    journal.watch(REQUEST)
    journal.watch(replace(REQUEST, lookup_key="for ever", expires_at=None))
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    clock.now += timedelta(days=29)
    assert journal.prune(entry_days=30, late_days=30) == 0
    journal.payments(REQUEST, [replace(OUTPUT, height=9)], summary=SUMMARY)
    clock.now += timedelta(days=2)
    assert journal.prune(entry_days=30, late_days=30) == 1
    assert {request.lookup_key for request in journal.watched()} == {"r1", "for ever"}
    assert len(reader.payments(["r1"], after=None).bodies) == 1
    clock.now += timedelta(days=30)
    assert journal.prune(entry_days=30, late_days=30) == 2
    assert {request.lookup_key for request in journal.watched()} == {"for ever"}
    assert reader.payments(["r1"], after=None).bodies == []


def test_pruning_takes_a_little_at_a_time(journal, clock):
    for height in range(25):
        journal.block(BlockEvent(height=height))
    clock.now += timedelta(days=31)
    assert [journal.prune(entry_days=30, late_days=30, limit=10) for _ in range(4)] == [10, 10, 5, 0]


def test_polling_gives_each_event_once_across_restarts_and_only_the_newest(journal, tmp_path, clock):
    journal.block(BlockEvent(height=1))
    journal.watch(REQUEST)
    assert journal.poll("w1", limit=100) == []
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    journal.note("w2", {"event": "new_transaction", "tx": "t9"})
    journal.block(BlockEvent(height=2))
    journal.close()
    again = Journal(tmp_path, now=clock)
    assert [json.loads(frame)["event"] for frame in again.poll("w1", limit=100)] == ["new_payment", "new_block"]
    assert again.poll("w1", limit=100) == []
    for height in range(3, 10):
        again.block(BlockEvent(height=height))
    assert [json.loads(frame)["height"] for frame in again.poll("w1", limit=3)] == [7, 8, 9]
    assert again.poll("w1", limit=3) == []
    again.close()


def test_a_new_epoch_keeps_the_outputs_and_the_watch_list(journal, reader):
    journal.watch(REQUEST)
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    before = journal.head
    journal.begin_epoch()
    assert before < journal.head
    assert journal.head.seq == 0
    assert journal.watched() == [REQUEST]
    assert len(reader.payments(["r1"], after=before).bodies) == 1
    journal.block(BlockEvent(height=1))
    assert journal.head.seq == 1
    assert [json.loads(frame)["event"] for frame in journal.poll("w1", limit=9)] == ["new_block"]


def test_recent_entries_are_the_same_from_memory_and_from_the_file(journal, reader):
    for height in range(RECENT_ENTRIES + 50):
        journal.block(BlockEvent(height=height))
    for after in (50, 51, 600, RECENT_ENTRIES + 49, RECENT_ENTRIES + 50):
        place = Position(epoch=journal.head.epoch, seq=after)
        assert journal.recent(after) == reader.entries(place, limit=RECENT_ENTRIES)
    assert journal.recent(49) is None


def test_nothing_has_happened_when_a_write_fails(journal, reader):
    told = []
    journal.listen(lambda: told.append(journal.head))
    journal.watch(REQUEST)
    journal._db.execute("CREATE TRIGGER full BEFORE INSERT ON outputs BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="disk is full"):
        journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    assert told == []
    assert journal.head.seq == 0
    journal._db.execute("DROP TRIGGER full")
    journal.payments(REQUEST, [OUTPUT], summary=SUMMARY)
    assert [place.seq for place in told] == [1]
    assert len(entries(reader, journal)) == 1


def test_listeners_are_told_after_the_entry_can_be_read(journal, reader):
    seen = []
    journal.listen(lambda: seen.append(len(entries(reader, journal))))
    journal.block(BlockEvent(height=1))
    journal.block(BlockEvent(height=2))
    assert seen == [1, 2]


def test_threads_may_write_at_once_and_no_number_is_missing(journal, reader):
    def write(name):
        for number in range(40):
            journal.note(name, {"event": "new_transaction", "tx": f"{name}-{number}"})

    threads = [threading.Thread(target=write, args=(f"w{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [entry.seq for entry in reader.entries(Position(epoch=journal.head.epoch, seq=0), limit=1000)]
    assert numbers == list(range(1, 161))


def test_only_its_owner_may_read_the_files(journal, tmp_path):
    journal.block(BlockEvent(height=1))
    assert {file.name: oct(file.stat().st_mode & 0o777) for file in tmp_path.iterdir()} == dict.fromkeys(
        ["journal.sqlite", "journal.sqlite-shm", "journal.sqlite-wal"], "0o600"
    )


def test_a_damaged_file_stops_the_start_with_a_remedy(tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(ConfigError, match=r"journal\.sqlite: file is not a database; move it away and start again"):
        Journal(tmp_path)


def test_a_journal_goes_on_only_for_its_own_coin_and_network(tmp_path):
    Journal(tmp_path, belongs_to="btc on regtest").close()
    Journal(tmp_path, belongs_to="btc on regtest").close()
    with pytest.raises(ConfigError, match="holds the journal of btc on regtest, not of btc on mainnet; name another"):
        Journal(tmp_path, belongs_to="btc on mainnet")


def test_a_request_that_is_paid_again_and_again_does_not_fill_the_disk(journal, reader):
    outputs = [replace(OUTPUT, txid=f"t{number:04}") for number in range(MOST_OUTPUTS_TOLD + 50)]
    journal.watch(REQUEST)
    for count in (MOST_OUTPUTS_TOLD, MOST_OUTPUTS_TOLD + 49, MOST_OUTPUTS_TOLD + 50):
        journal.payments(REQUEST, outputs[:count], summary=SUMMARY)
    assert [len(entry["payments"]) for entry in entries(reader, journal)] == [MOST_OUTPUTS_TOLD, 49, 1]
    since = Position(epoch=journal.head.epoch, seq=2)
    assert len(reader.payments(["r1"], after=None).bodies) == len(reader.payments(["r1"], after=since).bodies) == 150
    assert reader.payments(["r1"], after=journal.head).bodies == []


def test_a_file_of_a_newer_version_is_left_alone(journal, tmp_path):
    journal._db.execute("PRAGMA user_version = 99")
    journal.close()
    with pytest.raises(ConfigError, match="written by a newer version"):
        Journal(tmp_path)


WRITER = """
import sys
from pathlib import Path
from bitcart_core.events import BlockEvent
from bitcart_host_daemon.journal import Journal
journal = Journal(Path(sys.argv[1]))
for height in range(1, 10**9):
    journal.block(BlockEvent(height=journal.head.seq + 1))
    print(journal.head.seq, flush=True)
"""


def test_a_process_killed_at_any_moment_loses_nothing_it_had_told(tmp_path):
    last = 0
    for entries_before_death in (1, 2, 7, 30, 90):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        told = int(process.stdout.readline())
        assert told == last + 1
        for _ in range(entries_before_death):
            told = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        told = int(([told] + process.stdout.read().split())[-1])
        process.stdout.close()
        process.wait()
        journal = Journal(tmp_path)
        last = journal.head.seq
        reader = JournalReader(journal.path)
        heights = [
            json.loads(e.frame)["height"]
            for e in reader.entries(Position(epoch=journal.head.epoch, seq=0), limit=10**6)
        ]
        reader.close()
        journal.close()
        assert heights == list(range(1, last + 1))
        assert last in {told, told + 1}
