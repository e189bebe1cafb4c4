"""Keeping processes: restarted, prefixed, stopped together, and gone when the supervisor is."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

SUPERVISOR = """
import asyncio, os, sys
from bitcart_core.hosts import Process
from bitcart_host_cli import supervisor

supervisor._FIRST_PAUSE = 0.05
keeper = supervisor.Supervisor(dict(os.environ), command_of=lambda process: ("/bin/sh", *process.arguments))
scripts = zip(sys.argv[1::2], sys.argv[2::2])
asyncio.run(keeper.run([Process(name=name, arguments=(script,)) for name, script in scripts]))
"""


def start(tmp_path: Path, **scripts: str) -> subprocess.Popen:
    """Supervise shell scripts in the place of hosts."""
    arguments = []
    for name, script in scripts.items():
        file = tmp_path / name
        file.write_text(f"{script}\n")
        arguments += [name, str(file)]
    with (tmp_path / "out").open("w") as out:
        return subprocess.Popen([sys.executable, "-c", SUPERVISOR, *arguments], stdout=out, stderr=subprocess.STDOUT)


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not holds() and time.monotonic() < end:
        time.sleep(0.02)
    return holds()


def output(tmp_path: Path) -> str:
    return (tmp_path / "out").read_text()


def is_alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (ProcessLookupError, ValueError, FileNotFoundError):
        return False
    return True


def test_lines_carry_the_name_of_their_process(tmp_path: Path):
    keeper = start(tmp_path, one="echo hello; sleep 60", second="echo there; sleep 60")
    assert until(lambda: "one    | hello" in output(tmp_path) and "second | there" in output(tmp_path))
    keeper.terminate()
    assert keeper.wait(30) == 0


def test_a_process_that_ends_is_started_again_with_a_growing_pause(tmp_path: Path):
    keeper = start(tmp_path, crashing="echo alive; exit 3")
    assert until(lambda: output(tmp_path).count("| alive") >= 3)
    keeper.terminate()
    keeper.wait(30)
    pauses = [line.rpartition("in ")[2] for line in output(tmp_path).splitlines() if "ended with code 3" in line]

    assert pauses[:3] == ["0.1 s", "0.1 s", "0.2 s"]


def test_a_stop_reaches_grandchildren_too(tmp_path: Path):
    pid = tmp_path / "pid"
    keeper = start(tmp_path, parent=f"sleep 300 & echo $! > {pid}; wait")
    assert until(lambda: is_alive(pid))
    keeper.terminate()
    keeper.wait(30)

    assert until(lambda: not is_alive(pid))


def test_processes_end_when_the_supervisor_is_killed(tmp_path: Path):
    pid = tmp_path / "pid"
    keeper = start(tmp_path, child=f"echo $$ > {pid}; exec sleep 300")
    assert until(lambda: is_alive(pid))
    keeper.send_signal(signal.SIGKILL)
    keeper.wait(30)

    assert until(lambda: not is_alive(pid))
