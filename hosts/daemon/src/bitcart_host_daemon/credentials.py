"""Who may speak to a daemon: credentials of its own, generated once, and the file that tells local clients of it."""

import json
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

CREDENTIALS_FILE = "credentials.json"
ADDRESS_FILE = "daemon.json"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a client must send with every request."""

    login: str
    password: str = field(repr=False)


def load_credentials(folder: Path, *, login: str | None, password: str | None) -> Credentials:
    """Return what was set, and for what was not, what this installation generated for itself.

    Nothing is the same in two installations unless someone sets it so; the well-known pair of the official SDK
    (`electrum`, `electrumz`) works only where the operator asks for it.

    Args:
        folder: Where the generated ones are kept, readable by their owner alone.
        login: As set by the operator, or None.
        password: As set by the operator, or None.
    """
    if login and password:
        return Credentials(login=login, password=password)
    path = folder / CREDENTIALS_FILE
    try:
        stored = json.loads(path.read_text())
        kept = Credentials(login=str(stored["login"]), password=str(stored["password"]))
    except (OSError, ValueError, KeyError, TypeError):
        kept = Credentials(login="bitcart", password=secrets.token_urlsafe(32))
        write_private(path, {"login": kept.login, "password": kept.password})
    return Credentials(login=login or kept.login, password=password or kept.password)


def publish_address(folder: Path, url: str, credentials: Credentials) -> None:
    """Write where this daemon is, so that clients of the same user on this machine find it."""
    write_private(folder / ADDRESS_FILE, {"url": url, "login": credentials.login, "password": credentials.password})


def withdraw_address(folder: Path) -> None:
    """Remove what `publish_address` wrote: another program may get the port, and must not get the password."""
    with suppress(FileNotFoundError):
        (folder / ADDRESS_FILE).unlink()


def write_private(path: Path, data: dict[str, str]) -> None:
    """Write JSON that only its owner may read; a reader sees the old file or the new one, never a part."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        draft.unlink()
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        json.dump(data, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
