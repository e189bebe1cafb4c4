"""Start one executable in a cage, wait for it, and leave nothing of it running. A program of its own.

It is started as `python -I -S launcher.py CONFIG`, with the standard library alone, so that the cage is built in
a small process with one thread. Being the reaper of all that descends from it (PR_SET_CHILD_SUBREAPER, Linux), it
also gets hold of processes that left their parent or their session.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38

KILL_SECONDS = 0.8
"""How long the rest of a script may take to be gone once it is killed."""


def main() -> None:
    """Run the script that the configuration names and write to its report file what came of it."""
    config = json.loads(sys.argv[1])
    os.set_inheritable(config["report"], False)  # noqa: FBT003 - takes no keyword
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != config["parent"]:
        return
    script = os.fork()
    if script == 0:
        _become_script(config)
    for standard in (0, 1, 2):
        os.close(standard)
    status = _wait(script, config["deadline_seconds"])
    if status is None:
        os.killpg(script, signal.SIGKILL)
    left = _kill_rest()
    _report(config, status=status, left=left)


def _become_script(config: dict[str, Any]) -> None:
    """Turn this process into the script; never returns."""
    try:
        os.setsid()
        _prctl(PR_SET_NO_NEW_PRIVS, 1)
        for name, limit in config["limits"].items():
            resource.setrlimit(getattr(resource, name), (limit, limit))
        os.chdir(config["cwd"])
        os.umask(0o077)
        _drop_user(config)
        for quiet in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(quiet, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        os.execve(config["path"], [config["path"]], config["environment"])  # noqa: S606 - no shell is the point
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent must hear of it
        _report(config, error=f"{type(error).__name__}: {error}")
    finally:
        os._exit(127)


def _drop_user(config: dict[str, Any]) -> None:
    uid, gid = config["uid"], config["gid"]
    if uid is not None:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)


def _wait(script: int, seconds: float) -> int | None:
    """Return the script's wait status, or None at the deadline or when told to stop."""
    ends_at = time.monotonic() + seconds
    while True:
        pid, status = _reap()
        while pid:
            if pid == script:
                return status
            pid, status = _reap()
        left = ends_at - time.monotonic()
        if left <= 0:
            return None
        came = signal.sigtimedwait({signal.SIGCHLD, signal.SIGTERM}, left)
        if came is not None and came.si_signo == signal.SIGTERM:
            return None


def _kill_rest() -> int:
    """Kill all that descends from here, whatever its group or session; return how many could not be killed."""
    ends_at = time.monotonic() + KILL_SECONDS
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return 0
        descendants = _descendants()
        if time.monotonic() > ends_at:
            return len(descendants)
        for pid in descendants:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, 0.01)


def _descendants() -> list[int]:
    """Return every living process below this one; who lost its parent stands below this one itself."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it is gone meanwhile
            state, parent, *_ = (entry / "stat").read_bytes().rpartition(b")")[2].split()
            if state != b"Z":
                children.setdefault(int(parent), []).append(int(entry.name))
    found, below = [], [os.getpid()]
    while below:
        own = children.get(below.pop(), [])
        found += own
        below += own
    return found


def _reap() -> tuple[int, int]:
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _report(config: dict[str, Any], **what: object) -> None:
    os.write(config["report"], json.dumps(what).encode() + b"\n")


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option} was refused")


if __name__ == "__main__":
    main()
