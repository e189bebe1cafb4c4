"""The tables of the journal and how its file is opened; knows nothing of what is written."""

import os
import sqlite3
from datetime import datetime
from pathlib import Path

FILE_NAME = "journal.sqlite"
_VERSION = 1

# `seq` is AUTOINCREMENT so that a number is never used twice, even after the newest entries were pruned.
# Entries carry the digest of a wallet, never its key; `digest` is set where the same words shall not be told twice.
# `changed_seq` is the entry that last told an output: it answers "what changed after N?" without reading entries.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    wallet TEXT,
    frame TEXT NOT NULL,
    digest BLOB
);
CREATE INDEX entries_by_wallet ON entries (wallet, seq);
CREATE UNIQUE INDEX entries_by_digest ON entries (digest) WHERE digest IS NOT NULL;
CREATE TABLE requests (
    lookup_key TEXT PRIMARY KEY,
    wallet TEXT NOT NULL,
    address TEXT NOT NULL,
    amount TEXT,
    expires_at TEXT
) WITHOUT ROWID;
CREATE INDEX requests_by_wallet ON requests (wallet);
CREATE INDEX requests_by_expiry ON requests (expires_at);
CREATE TABLE outputs (
    lookup_key TEXT NOT NULL REFERENCES requests ON DELETE CASCADE,
    txid TEXT NOT NULL,
    output TEXT NOT NULL,
    body TEXT NOT NULL,
    changed_seq INTEGER NOT NULL,
    changed_at TEXT NOT NULL,
    PRIMARY KEY (lookup_key, txid, output)
) WITHOUT ROWID;
CREATE TABLE polls (wallet TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
"""


def open_for_writing(path: Path, *, begun_at: datetime, belongs_to: str) -> sqlite3.Connection:
    """Open the journal, making a new one where there is none.

    Args:
        path: Its file, readable by its owner alone.
        begun_at: Becomes the epoch of a new journal.
        belongs_to: Written into a new journal.

    Raises:
        sqlite3.Error: It is damaged, cannot be written, or was written by a newer version.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    # Autocommit, and any thread: the journal has its own lock and says BEGIN itself.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        _create_or_check(db, begun_at, belongs_to)
    except BaseException:
        db.close()
        raise
    return db


def open_for_reading(path: Path) -> sqlite3.Connection:
    """Open a journal that is being written, to read from other threads without holding up the writer."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False
    )


def _create_or_check(db: sqlite3.Connection, begun_at: datetime, belongs_to: str) -> None:
    # One transaction: a process killed in between leaves an empty file, which is begun again.
    db.execute("BEGIN IMMEDIATE")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"it was written by a newer version (schema {version}, this is {_VERSION})")
    if version == 0:
        for statement in _TABLES.split(";"):
            db.execute(statement)
        meta = {"epoch": str(int(begun_at.timestamp() * 1000)), "belongs_to": belongs_to}
        db.executemany("INSERT INTO meta VALUES (?,?)", meta.items())
        db.execute(f"PRAGMA user_version = {_VERSION}")
    db.execute("COMMIT")
