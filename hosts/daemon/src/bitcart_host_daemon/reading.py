"""Read the journal beside its writer: replay, and the bulk question. Blocking; meant for a thread. Writes nothing."""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bitcart_core.events import Position
from bitcart_host_daemon.journal import Entry
from bitcart_host_daemon.schema import open_for_reading


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """All that is known of some requests, and the place in the journal that it is true for.

    Attributes:
        position: Every entry up to here is contained.
        bodies: A payment each, as JSON text.
    """

    position: Position
    bodies: list[str]


class JournalReader:
    """Answers from the file of a journal; each answer is one consistent look at it.

    Args:
        path: The file, opened by a `Journal` before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None

    def entries(self, after: Position, *, limit: int) -> list[Entry] | None:
        """Return the entries that follow a place, or None where they are not all here any more.

        Args:
            after: The last entry the caller has.
            limit: The most to return.
        """
        with self._look() as db:
            head = _head(db)
            rows = db.execute(
                "SELECT seq, at, wallet, frame FROM entries WHERE seq > ? ORDER BY seq LIMIT ?", (after.seq, limit)
            ).fetchall()
        follows = rows[0][0] == after.seq + 1 if rows else after.seq == head.seq
        if after.epoch != head.epoch or not follows:
            return None
        return [Entry(seq=seq, at=at, wallet=wallet, frame=frame) for seq, at, wallet, frame in rows]

    def payments(self, lookup_keys: Sequence[str], *, after: Position | None) -> Outputs:
        """Return all outputs of the requests that are known, replaced ones included.

        Args:
            lookup_keys: The requests asked for.
            after: Leave out requests that did not change after this place; a place of another epoch leaves out none.
        """
        with self._look() as db:
            head = _head(db)
            since = after.seq if after is not None and after.epoch == head.epoch else -1
            rows = db.execute(
                "SELECT body FROM outputs AS o WHERE lookup_key IN (SELECT value FROM json_each(?)) AND"
                " EXISTS (SELECT 1 FROM outputs WHERE lookup_key = o.lookup_key AND changed_seq > ?)",
                (json.dumps(list(lookup_keys)), since),
            ).fetchall()
        return Outputs(position=head, bodies=[body for (body,) in rows])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()

    @contextmanager
    def _look(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db is None:
                self._db = open_for_reading(self._path)
            self._db.execute("BEGIN")
            try:
                yield self._db
            finally:
                self._db.execute("COMMIT")


def _head(db: sqlite3.Connection) -> Position:
    (epoch,) = db.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'entries'").fetchone()
    return Position(epoch=int(epoch), seq=row[0] if row else 0)
