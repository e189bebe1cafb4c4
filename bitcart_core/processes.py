"""Child processes that end with us: started in a group of their own, stopped by it, dead if we are killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A user to run as, instead of our own; only root may choose one."""

    uid: int
    gid: int


def die_with_parent(signal_number: int = signal.SIGTERM) -> Callable[[], None]:
    """Return what a child must run before its program, so that it hears a signal when its parent dies.

    Linux only (prctl(2), PR_SET_PDEATHSIG); elsewhere it does nothing. The parent that counts is the *thread* that
    forked: start children from a thread that lives as long as they shall.
    """
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def in_child() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, signal_number)
            if os.getppid() != parent:  # the parent died before we asked
                os.kill(os.getpid(), signal_number)

    return in_child


def end(pid: int, signal_number: signal.Signals, *, seconds: float) -> bool:
    """Ask a process that is not our child to end, and wait for it.

    Returns:
        Whether it is gone in time.
    """
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal_number)
    until = time.monotonic() + seconds
    while is_alive(pid):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and was not asked for its exit code does not (Linux: proc(5))."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


class Child:
    """A running program with its whole process group.

    Args:
        arguments: Program and arguments; no shell.
        log: File its output is appended to, or None to inherit ours.
        environment: The whole environment, or None for ours.
        cwd: Its current folder.
        identity: Whom to run as, or None for ourselves.
        stop_signal: What ends it in good order.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        identity: Identity | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.name = Path(arguments[0]).name
        self._stop_signal = stop_signal
        output: IO[bytes] | None = log.open("ab") if log else None
        with output or contextlib.nullcontext():
            self._process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(environment) if environment is not None else None,
                cwd=cwd,
                start_new_session=True,
                user=identity.uid if identity else None,
                group=identity.gid if identity else None,
                extra_groups=[] if identity else None,
                preexec_fn=die_with_parent(stop_signal),  # noqa: PLW1509 - runs prctl only, allocates nothing
            )

    @property
    def pid(self) -> int:
        """Process id, which is the id of the group too."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """How it ended, or None while it runs."""
        return self._process.poll()

    def stop(self, *, grace_seconds: float = 10) -> None:
        """End it and every process of its group; harmless if it has ended already."""
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(grace_seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
