"""Find the executables of an event and refuse those that somebody else could have put there; runs nothing."""

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from bitcart_core import DeliveryError

ANY = "any"
"""Name of what runs for every kind of event."""


def find_scripts(folder: Path, kind: str) -> list[str]:
    """Return what runs for a kind of event, as paths inside the folder: `kind`, `kind.d/*`, `any`, `any.d/*`.

    Hidden files and editors' copies (`~`) in a `.d` folder are passed over; a symbolic link is not, it is refused
    later and aloud.

    Raises:
        DeliveryError: The folder cannot be read.
    """
    if not folder.is_dir():
        raise DeliveryError(f"the scripts folder {folder} is not there; create it or remove it from plugins.toml")
    return [name for stem in (kind, ANY) for name in _named(folder, stem)]


def find_all(folder: Path) -> list[str]:
    """Return every script of the folder, for a check of all of them."""
    stems = sorted({path.name.removesuffix(".d") for path in folder.iterdir()})
    return [name for stem in stems for name in _named(folder, stem)]


def check(folder: Path, name: str) -> Path:
    """Return the path of a script that only root or this process's user can have written.

    Args:
        folder: The operator's folder; followed once if it is a symbolic link, nothing inside of it is.
        name: As `find_scripts` returns it.

    Raises:
        DeliveryError: The script, or a folder on the way to it, could be changed by somebody else, or it is not
            a plain executable file; says which and the remedy.
    """
    folder = folder.resolve()
    path = folder / name
    between = [parent for parent in path.parents if parent.is_relative_to(folder)]
    for place in (*folder.parents, *between):
        _check_owner(place, is_shared_ok=place in folder.parents)
    _check_owner(path)
    mode = path.lstat().st_mode
    if not stat.S_ISREG(mode):
        raise DeliveryError(f"{path} is not a plain file; put the executable itself there")
    if not mode & 0o111:
        raise DeliveryError(f"{path} is not executable; run: chmod 755 {path}")
    return path


def problems(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Return the name and the fault of each script that would be refused."""
    for name in names:
        try:
            check(folder, name)
        except DeliveryError as error:
            yield name, str(error)


def _named(folder: Path, stem: str) -> Iterator[str]:
    if os.path.lexists(folder / stem) and not (folder / stem).is_dir():
        yield stem
    try:
        inside = sorted(path.name for path in (folder / f"{stem}.d").iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in inside:
        is_backup = name.startswith(".") or name.endswith("~")
        if not is_backup and not (folder / f"{stem}.d" / name).is_dir():
            yield f"{stem}.d/{name}"


def _check_owner(path: Path, *, is_shared_ok: bool = False) -> None:
    """Refuse what others may write. A sticky folder above, such as /tmp, is fine: what is inside has an owner."""
    found = path.lstat()
    if found.st_uid not in {0, os.geteuid()}:
        raise DeliveryError(f"{path} belongs to user {found.st_uid}; make it root's: chown root {path}")
    is_sticky = stat.S_ISDIR(found.st_mode) and bool(found.st_mode & stat.S_ISVTX)
    if found.st_mode & 0o022 and not stat.S_ISLNK(found.st_mode) and not (is_shared_ok and is_sticky):
        raise DeliveryError(f"{path} may be written by others; run: chmod go-w {path}")
