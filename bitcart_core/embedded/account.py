"""Whom the embedded servers run as, and folders that belong to them. Touches no folder that it did not make."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from bitcart_core.errors import ConfigError
from bitcart_core.processes import Identity

SERVICE_USER = "bitcart"


def service_identity() -> Identity | None:
    """Return the user the embedded servers run as: ourselves (None), or as root the service user, made if missing.

    PostgreSQL refuses to run as root.

    Raises:
        ConfigError: The service user is missing and could not be made.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        _add_service_user()
        entry = pwd.getpwnam(SERVICE_USER)
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid)


def make_folder(path: Path, *, mode: int, owner: Identity | None = None) -> Path:
    """Make a folder with a mode and an owner; one that exists is left exactly as it is."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=mode)
        path.chmod(mode)
        if owner is not None:
            os.chown(path, owner.uid, owner.gid)
    return path


def require_reachable(path: Path, identity: Identity | None) -> None:
    """Make sure that a user can enter a folder.

    Raises:
        ConfigError: It cannot, as for a folder below a home; says where to put the data instead.
    """
    if identity is None:
        return
    if not _can_enter(identity, path):
        raise ConfigError(
            f"BITCART_DATA={path} lies in a folder that the service user {SERVICE_USER!r} cannot enter; "
            "set BITCART_DATA to a folder outside any home, such as /var/lib/bitcart, or do not run as root"
        )


def _can_enter(identity: Identity, path: Path) -> bool:
    """Let the user try; `cwd` would not do, since that folder is entered before the user is changed."""
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", 'cd "$0"', str(path)],
            cwd="/", user=identity.uid, group=identity.gid, extra_groups=[], capture_output=True, check=False,
        )  # fmt: skip
    except PermissionError:
        return False
    return done.returncode == 0


def _add_service_user() -> None:
    if shutil.which("useradd") is None:
        raise ConfigError(
            f"as root the embedded PostgreSQL needs the user {SERVICE_USER!r}; add it, or set DATABASE_URL"
        )
    subprocess.run(
        ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--user-group"]
        + ["--shell", "/usr/sbin/nologin", SERVICE_USER],
        check=True,
    )
