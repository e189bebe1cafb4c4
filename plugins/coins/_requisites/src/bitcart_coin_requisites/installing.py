"""Installs a folder all at once or not at all; knows nothing of what is inside."""

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

MARKER = ".installed"
"""File inside an installed folder that holds the fingerprint of what was installed; written last."""


def home_of(data_dir: Path, name: str) -> Path:
    """Return where a requisite lives: `BITCART_DATA/requisites/NAME`."""
    return data_dir / "requisites" / name


def fingerprint(*parts: str | bytes) -> str:
    """Return a digest of everything that decides what gets installed."""
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode() if isinstance(part, str) else part
        digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()


def is_installed(home: Path, expected: str) -> bool:
    """Say whether a folder holds exactly what the fingerprint stands for."""
    try:
        return (home / MARKER).read_text() == expected
    except OSError:
        return False


def install_folder(home: Path, expected: str, build: Callable[[Path], None]) -> None:
    """Fill a folder beside its place and move it there when it is complete.

    Two processes may do so at once: the second waits and finds the work done. A run that was interrupted leaves a
    folder beside the place, which the next run removes.

    Args:
        home: Where the folder shall be; an older one there is replaced.
        expected: Fingerprint of what `build` makes.
        build: Fills the empty folder it is given; whatever it raises passes through.
    """
    home.parent.mkdir(parents=True, exist_ok=True)
    with _alone(home):
        if is_installed(home, expected):
            return
        partial, outdated = home.with_name(f".{home.name}.partial"), home.with_name(f".{home.name}.outdated")
        for leftover in (partial, outdated):
            shutil.rmtree(leftover, ignore_errors=True)
        partial.mkdir()
        try:
            build(partial)
            (partial / MARKER).write_text(expected)
            if home.exists():
                home.rename(outdated)
            partial.rename(home)
        finally:
            for leftover in (partial, outdated):
                shutil.rmtree(leftover, ignore_errors=True)


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    with home.with_name(f".{home.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
