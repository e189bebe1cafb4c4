"""The durable record of what a daemon saw: numbered entries, known outputs, the watch list. Never holds a key.

One SQLite file. Every call commits before it returns (WAL, synchronous=FULL) and before anyone is told, so a process
killed at any point has either told the whole truth of a request or nothing of it. Commits run on the event loop: one
takes about a millisecond, and plain calls in order are worth more than a thread (docs/decisions/daemon-journal.md).
"""

import hashlib
import json
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bitcart_core.daemons import WatchedRequest
from bitcart_core.errors import ConfigError
from bitcart_core.events import BlockEvent, PaymentEvent, Position
from bitcart_host_daemon.outputs import OutputKey, merge
from bitcart_host_daemon.schema import FILE_NAME, open_for_writing

RECENT_ENTRIES = 1024
"""Kept in memory as well, so that two hundred live sockets do not read the same row two hundred times."""


MOST_OUTPUTS_TOLD = 100
"""An entry tells all outputs of its request up to so many, beyond that only those that changed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One entry of the journal.

    Attributes:
        seq: Its number, from 1 without gaps.
        at: When it was written, ISO 8601.
        wallet: Digest of the wallet it concerns; None for everyone's, such as blocks.
        frame: The event as JSON text, in the words of the daemon contract, section 3.
    """

    seq: int
    at: str
    wallet: str | None
    frame: str


class Journal:
    """The journal of one daemon; implements `bitcart_core.DaemonJournal`, callable from any thread.

    Args:
        folder: Where the file is kept; exists.
        belongs_to: What it is the journal of, such as `btc on regtest`; another coin or network may not go on in it.
        now: The clock.

    Raises:
        ConfigError: The file is damaged, unwritable, of a newer version or someone else's.
    """

    def __init__(
        self, folder: Path, *, belongs_to: str = "", now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.path = folder / FILE_NAME
        self._now = now
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self._recent: deque[Entry] = deque(maxlen=RECENT_ENTRIES)
        try:
            self._db = open_for_writing(self.path, begun_at=now(), belongs_to=belongs_to)
            self._head = self._read_head()
            self._last_block = self._meta("block")
        except sqlite3.Error as error:
            raise ConfigError(
                f"cannot use the journal {self.path}: {error}; move it away and start again: "
                "a new one is begun, and whoever listens compares everything with it"
            ) from error
        if (owner := self._meta("belongs_to")) != belongs_to:
            self._db.close()
            raise ConfigError(f"{folder} holds the journal of {owner}, not of {belongs_to}; name another with --data")

    # What a coin calls

    def watch(self, request: WatchedRequest) -> None:
        """Remember a request before its address is handed out."""
        with self._transaction():
            self._remember(request)
            self._begin_polling(request.wallet)

    def watched(self, wallet: str | None = None) -> Sequence[WatchedRequest]:
        """Return the requests still watched, of one wallet or of all."""
        with self._lock:
            rows = self._db.execute(
                "SELECT lookup_key, wallet, address, amount, expires_at FROM requests WHERE ?1 IS NULL OR wallet = ?1",
                (wallet,),
            ).fetchall()
        return [
            WatchedRequest(
                lookup_key=lookup_key,
                wallet=name,
                address=address,
                amount=None if amount is None else Decimal(amount),
                expires_at=None if expires_at is None else datetime.fromisoformat(expires_at),
            )
            for lookup_key, name, address, amount, expires_at in rows
        ]

    def payments(self, request: WatchedRequest, outputs: Sequence[PaymentEvent], *, summary: Mapping[str, Any]) -> None:
        """Tell all outputs that pay a request now; one entry is written if anything differs from what is known."""
        with self._lock:
            known = self._known_outputs(request.lookup_key)
            current = merge(request.lookup_key, known, outputs)
            changed = {key: output for key, output in current.items() if output != known.get(key)}
            if not changed:
                return
            # All of them are told, so that an entry stands for itself; but not thousands for each one that is added.
            told = current if len(current) <= MOST_OUTPUTS_TOLD else changed
            with self._transaction():
                self._remember(request)
                payments = [output.to_json() for output in told.values()]
                entry = self._append(request.wallet, {"event": "new_payment", **summary, "payments": payments})
                self._keep_outputs(request.lookup_key, changed, entry)

    def block(self, event: BlockEvent) -> None:
        """Tell the new best block; the one told last is not written again."""
        body = json.dumps(event.to_json())
        with self._lock:
            if body == self._last_block:
                return
            with self._transaction():
                time = event.block_time.isoformat() if event.block_time else None
                frame = {"event": "new_block", "height": event.height, "hash": event.block_hash, "time": time}
                self._append(None, frame)
                self._set_meta("block", body)
            self._last_block = body

    def note(self, wallet: str | None, event: Mapping[str, Any]) -> None:
        """Write an event that moves no money of ours; the same words of the same wallet are written once."""
        digest = hashlib.sha256(_encode({"wallet": wallet, "event": event}).encode()).digest()
        with self._lock:
            if self._db.execute("SELECT 1 FROM entries WHERE digest = ?", (digest,)).fetchone() is None:
                with self._transaction():
                    self._append(wallet, event, digest=digest)

    # What the host calls

    @property
    def head(self) -> Position:
        """The last entry."""
        return self._head

    def moment(self) -> tuple[Position, str]:
        """Return the last entry and the time now, ISO 8601: no entry with an earlier time will still be written."""
        with self._lock:
            return self._head, str(_iso(self._now()))

    def listen(self, tell: Callable[[], None]) -> None:
        """Call back after every commit of an entry, on the thread that wrote it."""
        self._listeners.append(tell)

    def recent(self, after: int) -> list[Entry] | None:
        """Return the entries after a number if all of them are still in memory, else None."""
        with self._lock:
            first = self._head.seq - len(self._recent)
            return None if after < first else [self._recent[i] for i in range(after - first, len(self._recent))]

    def poll(self, wallet: str, *, limit: int) -> list[str]:
        """Return the frames of a wallet, and of everyone, since the last call; only the newest so many.

        The place is kept on disk, so a restart loses nothing. A wallet begins at its first request or poll.
        """
        with self._lock, self._transaction():
            after = self._begin_polling(wallet)
            rows = self._db.execute(
                "SELECT frame FROM entries WHERE seq > ? AND (wallet = ? OR wallet IS NULL) ORDER BY seq DESC LIMIT ?",
                (after, wallet, limit),
            ).fetchall()
            if rows:
                self._db.execute("UPDATE polls SET seq = ? WHERE wallet = ?", (self._head.seq, wallet))
        return [frame for (frame,) in reversed(rows)]

    def begin_epoch(self) -> None:
        """Begin again: someone holds a place we never wrote, so this file is an old copy and its numbers are taken.

        Outputs and the watch list stay; who listens is told of the new epoch and compares everything.
        """
        with self._lock:
            with self._transaction():
                epoch = max(self._head.epoch + 1, int(self._now().timestamp() * 1000))
                self._db.execute("DELETE FROM entries")
                self._db.execute("DELETE FROM sqlite_sequence WHERE name = 'entries'")
                self._db.execute("UPDATE outputs SET changed_seq = 0")
                self._db.execute("UPDATE polls SET seq = 0")
                self._set_meta("epoch", str(epoch))
            self._recent.clear()
            self._head = Position(epoch=epoch, seq=0)
        self._tell()

    def prune(self, *, entry_days: float, late_days: float, limit: int = 1000) -> int:
        """Forget what nobody may ask for any more, a little at a time.

        Args:
            entry_days: Age beyond which an entry cannot be replayed.
            late_days: How long a request is watched after it expired; a change of its outputs begins this anew.
            limit: The most entries, and the most requests, to forget in one go.

        Returns:
            How many rows went; 0 when there is nothing left to do.
        """
        now = self._now()
        oldest, late = _iso(now - timedelta(days=entry_days)), _iso(now - timedelta(days=late_days))
        with self._lock, self._transaction():
            requests = self._db.execute(
                "DELETE FROM requests WHERE lookup_key IN (SELECT lookup_key FROM requests AS r WHERE expires_at < ?1"
                " AND NOT EXISTS (SELECT 1 FROM outputs WHERE lookup_key = r.lookup_key AND changed_at >= ?1)"
                " LIMIT ?2)",
                (late, limit),
            )
            entries = self._db.execute(
                "DELETE FROM entries WHERE seq IN"
                " (SELECT seq FROM (SELECT seq, at FROM entries ORDER BY seq LIMIT ?) WHERE at < ?)",
                (limit, oldest),
            )
        return requests.rowcount + entries.rowcount

    def close(self) -> None:
        """Close the file; calls after this fail."""
        with self._lock:
            self._db.close()

    # Within

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what is done inside, then move the head and tell; on any error nothing has happened."""
        with self._lock:
            written: list[Entry] = []
            self._written = written
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            if written:
                self._recent.extend(written)
                self._head = Position(epoch=self._head.epoch, seq=written[-1].seq)
        if written:
            self._tell()

    def _remember(self, request: WatchedRequest) -> None:
        amount = None if request.amount is None else str(request.amount)
        self._db.execute(
            "INSERT INTO requests VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET wallet = excluded.wallet,"
            " address = excluded.address, amount = excluded.amount, expires_at = excluded.expires_at",
            (request.lookup_key, request.wallet, request.address, amount, _iso(request.expires_at)),
        )

    def _append(self, wallet: str | None, event: Mapping[str, Any], *, digest: bytes | None = None) -> Entry:
        at, frame = str(_iso(self._now())), _encode(event)
        cursor = self._db.execute(
            "INSERT INTO entries (at, wallet, frame, digest) VALUES (?,?,?,?)", (at, wallet, frame, digest)
        )
        entry = Entry(seq=int(cursor.lastrowid or 0), at=at, wallet=wallet, frame=frame)
        self._written.append(entry)
        return entry

    def _keep_outputs(self, lookup_key: str, changed: Mapping[OutputKey, PaymentEvent], entry: Entry) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO outputs VALUES (?,?,?,?,?,?)",
            [
                (lookup_key, txid, output, json.dumps(payment.to_json()), entry.seq, entry.at)
                for (txid, output), payment in changed.items()
            ],
        )

    def _known_outputs(self, lookup_key: str) -> dict[OutputKey, PaymentEvent]:
        rows = self._db.execute("SELECT body FROM outputs WHERE lookup_key = ? ORDER BY txid, output", (lookup_key,))
        outputs = [PaymentEvent.from_json(json.loads(body)) for (body,) in rows]
        return {(output.txid, output.output): output for output in outputs}

    def _begin_polling(self, wallet: str) -> int:
        self._db.execute("INSERT OR IGNORE INTO polls (wallet, seq) VALUES (?,?)", (wallet, self._head.seq))
        (seq,) = self._db.execute("SELECT seq FROM polls WHERE wallet = ?", (wallet,)).fetchone()
        return int(seq)

    def _read_head(self) -> Position:
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
        return Position(epoch=int(self._meta("epoch") or 0), seq=row[0] if row else 0)

    def _meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def _set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)", (key, value))

    def _tell(self) -> None:
        for tell in self._listeners:
            tell()


def _iso(moment: datetime | None) -> str | None:
    """Write a time so that text sorts as time does."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="microseconds")


def _encode(event: Mapping[str, Any]) -> str:
    return json.dumps(event, default=str, separators=(",", ":"))
