"""Child processes end with us, whatever becomes of us; and with all that they started."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from bitcart_core.processes import Child, end, is_alive


def wait_until(condition, *, seconds=30):
    end_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end_at, "waited in vain"
        time.sleep(0.01)


def number_in(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text().endswith("\n"))
    return int(path.read_text())


@pytest.fixture
def shell():
    """Start shell commands as children; end those that a test leaves running."""
    children = []

    def start(command, **options):
        child = Child(["/bin/sh", "-c", command], **options)
        children.append(child)
        return child

    yield start
    for child in children:
        child.stop(grace_seconds=0)


def test_a_child_runs_until_it_ends_and_tells_how(shell):
    child = shell("exit 3")
    wait_until(lambda: child.exit_code is not None)

    assert child.exit_code == 3
    assert child.name == "sh"
    child.stop()
    assert child.exit_code == 3


def test_a_child_is_stopped_in_good_order(shell, tmp_path):
    child = shell(
        f"trap 'echo in good order > {tmp_path}/end; exit 0' TERM; echo $$ > {tmp_path}/up; while :; do sleep 0.05; done"
    )
    assert number_in(tmp_path / "up") == child.pid
    child.stop()

    assert (tmp_path / "end").read_text() == "in good order\n"
    assert child.exit_code == 0


def test_the_signal_for_good_order_may_be_another(shell, tmp_path):
    child = shell(
        f"trap 'echo interrupted > {tmp_path}/end; exit 0' INT; echo $$ > {tmp_path}/up; while :; do sleep 0.05; done",
        stop_signal=signal.SIGINT,
    )
    number_in(tmp_path / "up")
    child.stop()

    assert (tmp_path / "end").read_text() == "interrupted\n"


def test_a_child_that_does_not_listen_is_killed_after_its_grace(shell, tmp_path):
    child = shell(f"trap '' TERM; echo $$ > {tmp_path}/up; while :; do sleep 0.05; done")
    number_in(tmp_path / "up")
    child.stop(grace_seconds=0.1)

    assert child.exit_code == -signal.SIGKILL


@pytest.mark.parametrize("ending", ["wait", "exit 0"], ids=["with its parent", "after its parent"])
def test_stopping_a_child_ends_its_children_too(shell, tmp_path, ending):
    child = shell(f"trap '' TERM; (trap '' TERM; sleep 300) & echo $! > {tmp_path}/grandchild; {ending}")
    grandchild = number_in(tmp_path / "grandchild")
    child.stop(grace_seconds=0.1)

    wait_until(lambda: not is_alive(grandchild))


def test_a_child_has_the_environment_the_folder_and_the_log_it_is_given(shell, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    child = shell("pwd; echo $COLOUR $HOME >&2", log=log, cwd=tmp_path, environment={"COLOUR": "green"})
    wait_until(lambda: child.exit_code is not None)

    assert log.read_text() == f"before\n{tmp_path}\ngreen\n"


OWNER = """
    import sys, time
    from bitcart_core.processes import Child

    child = Child(["/bin/sh", "-c", "sleep 300"])
    print(child.pid, flush=True)
    time.sleep(300)
"""


@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_child_dies_with_its_parent_by_whatever_it_dies(blow):
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(OWNER)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with owner:
        child = int(owner.stdout.readline())
        assert is_alive(child)
        owner.send_signal(blow)
        owner.wait(timeout=30)

    wait_until(lambda: not is_alive(child))


def test_a_child_that_has_ended_and_was_not_asked_for_its_code_is_not_alive():
    with subprocess.Popen(["/bin/true"]) as process:
        wait_until(lambda: not is_alive(process.pid))


def test_no_process_of_that_number_is_not_alive():
    assert not is_alive(2**22 + 1)
    assert end(2**22 + 1, signal.SIGTERM, seconds=1)


def test_a_strangers_process_is_ended_and_waited_for():
    with subprocess.Popen(["/bin/sleep", "300"]) as process:
        assert end(process.pid, signal.SIGTERM, seconds=30)
    assert process.returncode == -signal.SIGTERM


def test_a_strangers_process_that_does_not_end_is_said_so(tmp_path):
    with subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' TERM; echo $$ > {tmp_path}/up; while :; do sleep 0.05; done"]
    ) as process:
        number_in(tmp_path / "up")
        assert not end(process.pid, signal.SIGTERM, seconds=0.1)
        os.kill(process.pid, signal.SIGKILL)
