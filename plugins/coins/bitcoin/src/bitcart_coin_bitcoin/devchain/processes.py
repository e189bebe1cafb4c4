"""A child process that says when it is ready and never outlives us; knows nothing of what it runs."""

import contextlib
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bitcart_core import ConfigError

READY_FD = "DEVCHAIN_READY_FD"
"""Environment variable that tells a child the number of the pipe to announce itself on."""

_GRACE_SECONDS = 5


class Child:
    """A process of its own group, with its output in a log file.

    Its standard input is a pipe that we never write to: when this process ends, however it ends, the child reads
    the end of the pipe and ends too. (Linux could signal it instead, but at the end of the *thread* that began it.)

    Args:
        name: What it is called in errors: `node`.
        command: Program and arguments.
        environment: All the child gets to see; nothing is inherited but PATH and what finds shared libraries.
        log: File for both of its outputs; overwritten.
    """

    def __init__(self, name: str, command: Sequence[str], *, environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._ready, ready_end = os.pipe()
        try:
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={**_inherited(), **environment, READY_FD: str(ready_end)},
                    pass_fds=(ready_end,),
                    start_new_session=True,
                )
        except OSError as error:
            os.close(self._ready)
            raise ConfigError(f"{name} could not be started: {error}") from error
        finally:
            os.close(ready_end)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def ready(self, timeout_seconds: float) -> dict[str, Any]:
        """Wait for the child's announcement and return it.

        Raises:
            ConfigError: It ended, or said nothing in time; quotes the end of its log.
        """
        deadline = time.monotonic() + timeout_seconds
        said = b""
        while not said.endswith(b"\n"):
            remaining = max(0.0, deadline - time.monotonic())
            if not select.select([self._ready], [], [], remaining)[0]:
                raise ConfigError(f"{self.name} was not ready after {timeout_seconds:g} s{self._last_words()}")
            piece = os.read(self._ready, 4096)
            if not piece:
                self._process.wait()
                raise ConfigError(self.failed() or f"{self.name} closed its pipe{self._last_words()}")
            said += piece
        announcement: dict[str, Any] = json.loads(said)
        return announcement

    def failed(self) -> str | None:
        """Return what went wrong if the process ended by itself, else None."""
        status = self._process.poll()
        return None if status is None else f"{self.name} ended with status {status}{self._last_words()}"

    def stop(self) -> None:
        """End the process and its group; safe to repeat."""
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            os.close(self._ready)

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").split("\n") if self.log.exists() else []
        words = " | ".join(line.strip() for line in lines if line.strip())[-400:]
        return f"; see {self.log}" + (f", which ends: {words}" if words else "")


def _inherited() -> dict[str, str]:
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
