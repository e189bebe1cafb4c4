"""Run one script through the launcher and collect what it said; decides nothing about the delivery."""

import contextlib
import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bitcart_hook_scripts import launcher

MAX_OUTPUT_BYTES = 64 * 1024
"""What is kept of each stream: its end."""

MAX_FLOOD_BYTES = 16 * 1024 * 1024
"""A script that says more than this on one stream is stopped."""

_GRACE_SECONDS = launcher.KILL_SECONDS + 5


@dataclass(frozen=True, kw_only=True)
class Cage:
    """What a script may use.

    Attributes:
        limits: By name of the limit in `resource`: `RLIMIT_CPU`.
        uid: User to become, with `gid`; None to stay.
    """

    deadline_seconds: float
    limits: Mapping[str, int]
    uid: int | None = None
    gid: int | None = None


@dataclass(frozen=True, kw_only=True)
class Run:
    """What came of one script.

    Attributes:
        exit_code: 0 or above; minus the signal that ended it; None if it had to be stopped.
        error: Why it could not be started.
        left: Processes of it that could not be killed.
    """

    exit_code: int | None
    seconds: float
    stdout: str
    stderr: str
    is_flood: bool = False
    error: str = ""
    left: int = 0


@dataclass
class _Stream:
    kept: bytearray = field(default_factory=bytearray)
    seen: int = 0

    def add(self, chunk: bytes) -> None:
        self.seen += len(chunk)
        self.kept += chunk
        del self.kept[:-MAX_OUTPUT_BYTES]

    @property
    def text(self) -> str:
        """The end of it as text that PostgreSQL can hold: it has no NUL."""
        return self.kept.decode("utf-8", "replace").replace("\x00", "\ufffd")


def run(path: Path, payload: bytes, environment: Mapping[str, str], cage: Cage) -> Run:
    """Run an executable with a payload as its standard input, in an empty folder that is removed afterwards.

    Args:
        path: Checked before.
        payload: At the beginning of a file, so that a script that does not read it stops nobody.
        environment: All of it.
        cage: Deadline and limits.

    Returns:
        What came of it; no process of it runs any more.
    """
    began_at = time.monotonic()
    with (
        _empty_folder(cage) as cwd,
        _file_for(cage, payload) as stdin,
        tempfile.TemporaryFile() as report,
        subprocess.Popen(
            [sys.executable, "-I", "-S", launcher.__file__, _config(path, environment, cage, cwd, report.fileno())],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(report.fileno(),),
            env={},
            start_new_session=True,
        ) as process,
    ):
        stdout, stderr, is_flood = _collect(process, ends_at=began_at + cage.deadline_seconds + _GRACE_SECONDS)
        told = _read_report(report)
    status = told.get("status")
    return Run(
        exit_code=None if status is None or is_flood else os.waitstatus_to_exitcode(status),
        seconds=time.monotonic() - began_at,
        stdout=stdout.text,
        stderr=stderr.text,
        is_flood=is_flood,
        error=told.get("error", ""),
        left=told.get("left", 0),
    )


def _config(path: Path, environment: Mapping[str, str], cage: Cage, cwd: Path, report: int) -> str:
    return json.dumps(
        {
            "path": str(path),
            "environment": dict(environment),
            "cwd": str(cwd),
            "report": report,
            "parent": os.getpid(),
            "deadline_seconds": cage.deadline_seconds,
            "limits": dict(cage.limits),
            "uid": cage.uid,
            "gid": cage.gid,
        }
    )


def _read_report(report: IO[bytes]) -> dict[str, Any]:
    """Join what the launcher and the script's process, before it became the script, had to say."""
    report.seek(0)
    return {key: value for line in report for key, value in json.loads(line).items()}


def _collect(process: subprocess.Popen[bytes], *, ends_at: float) -> tuple[_Stream, _Stream, bool]:
    """Read both streams to their ends and wait. They end: the launcher kills whoever holds them."""
    stdout, stderr, is_flood = _Stream(), _Stream(), False
    with selectors.DefaultSelector() as selector:
        for file, stream in ((process.stdout, stdout), (process.stderr, stderr)):
            if file is not None:
                selector.register(file, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(max(ends_at - time.monotonic(), 0))
            if not ready:
                break
            for key, _ in ready:
                chunk = os.read(key.fd, 65536)
                key.data.add(chunk)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.data.seen > MAX_FLOOD_BYTES and not is_flood:
                    is_flood = True
                    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(max(ends_at - time.monotonic(), 0))
    process.kill()  # only if even the launcher hangs; else it is over and this does nothing
    return stdout, stderr, is_flood


@contextlib.contextmanager
def _empty_folder(cage: Cage) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="bitcart-script-"))
    try:
        if cage.uid is not None and cage.gid is not None:
            os.chown(folder, cage.uid, cage.gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _file_for(cage: Cage, payload: bytes) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        if cage.uid is not None and cage.gid is not None:
            os.fchown(file.fileno(), cage.uid, cage.gid)
        file.write(payload)
        file.seek(0)
        yield file
