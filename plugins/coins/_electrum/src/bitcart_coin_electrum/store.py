"""Keep the payment requests of this daemon in a small SQLite file. Knows no chain: whether money came is not kept here.

Requests are ours rather than the wallet library's: one row is one durable write whatever the size of the wallet,
an expired request keeps its address, and the file reads the same whichever version of the library runs.
"""

import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ID_BYTES = 5
"""Ten hex characters, as the contract has them (section 4.1); the primary key sees to it that none is given twice."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS request (
    id TEXT PRIMARY KEY,
    wallet TEXT NOT NULL,
    address TEXT NOT NULL,
    address_index INTEGER,
    units INTEGER,
    memo TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    lifetime INTEGER NOT NULL,
    is_deleted INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS request_by_wallet ON request (wallet, created_at);
CREATE INDEX IF NOT EXISTS request_by_address ON request (address, created_at);
"""
_COLUMNS = "id, wallet, address, address_index, units, memo, created_at, lifetime"


@dataclass(frozen=True)
class StoredRequest:
    """A payment request as it was made.

    Attributes:
        id: The contract's `request_id`.
        wallet: Name of its wallet, a digest.
        address: Where its money arrives.
        address_index: Which receiving address of the wallet it is, or None where the wallet has a fixed list.
        units: The amount in smallest units, or None for any.
        memo: What the caller wrote.
        created_at: Unix time in seconds.
        lifetime: Seconds until it expires; 0 for never.
    """

    id: str
    wallet: str
    address: str
    address_index: int | None
    units: int | None
    memo: str
    created_at: int
    lifetime: int

    @property
    def expires_at(self) -> int | None:
        """Unix time in seconds after which money is late; None for never."""
        return self.created_at + self.lifetime if self.lifetime else None


class RequestStore:
    """The requests of one coin on one network. Calls come from the daemon's loop only.

    Args:
        file: The database; made if it is not there.
    """

    def __init__(self, file: Path) -> None:
        self._database = sqlite3.connect(file, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        # A request must survive a power cut once its address was handed out.
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def new_id(self) -> str:
        """Return an id that no request has."""
        while True:
            candidate = secrets.token_hex(ID_BYTES)
            if not self._database.execute("SELECT 1 FROM request WHERE id = ?", (candidate,)).fetchone():
                return candidate

    def add(self, request: StoredRequest) -> None:
        """Keep a request; it is on disk when this returns."""
        self._database.execute(
            f"INSERT INTO request ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            (
                request.id,
                request.wallet,
                request.address,
                request.address_index,
                request.units,
                request.memo,
                request.created_at,
                request.lifetime,
            ),
        )

    def get(self, request_id: str) -> StoredRequest | None:
        """Return a request by its id, also one that was deleted."""
        return next(self._read("id = ?", request_id), None)

    def of_wallet(self, wallet: str) -> list[StoredRequest]:
        """Return the requests of a wallet that were not deleted, oldest first."""
        return list(self._read("wallet = ? AND is_deleted = 0 ORDER BY created_at, id", wallet))

    def delete(self, wallet: str, request_id: str | None = None) -> None:
        """Hide one request of a wallet, or all. Their addresses stay taken: a buyer may still look at one."""
        self._database.execute(
            "UPDATE request SET is_deleted = 1 WHERE wallet = ? AND (? IS NULL OR id = ?)",
            (wallet, request_id, request_id),
        )

    def is_deleted(self, request_id: str) -> bool:
        """Return whether a request was hidden."""
        row = self._database.execute("SELECT is_deleted FROM request WHERE id = ?", (request_id,)).fetchone()
        return bool(row and row[0])

    def latest_at(self, address: str) -> StoredRequest | None:
        """Return the request that an address was handed out for last."""
        return next(self._read("address = ? ORDER BY created_at DESC, id LIMIT 1", address), None)

    def expired_after(self, moment: int) -> list[StoredRequest]:
        """Return the requests that never expire, or did so after a moment (Unix time in seconds), or will."""
        return list(self._read("lifetime = 0 OR created_at + lifetime > ?", moment))

    def addresses_taken(self, wallet: str) -> int:
        """Return how many receiving addresses a wallet must know for all its requests to be seen."""
        row = self._database.execute("SELECT MAX(address_index) FROM request WHERE wallet = ?", (wallet,)).fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def _read(self, where: str, *values: object) -> Iterator[StoredRequest]:
        # The conditions are the constants above; only values come from outside, and they are bound.
        rows = self._database.execute(f"SELECT {_COLUMNS} FROM request WHERE {where}", values)  # noqa: S608 - constants
        return (StoredRequest(*row) for row in rows)
