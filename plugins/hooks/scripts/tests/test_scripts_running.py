"""Real executables: what they are given, what their end means, and what is left of them."""

import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from bitcart_core import ConfigError, DeliveryError, Rejected

DONE = "invoice_completed"


def living(marker: str) -> list[int]:
    """Return the processes whose command line holds a word."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and marker.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_a_script_gets_the_event_on_standard_input(folder, tmp_path):
    folder.add(DONE, f"#!sh\ncat > {tmp_path}/got\necho thanks\n")
    outcome = folder.run()
    got = json.loads((tmp_path / "got").read_text())
    assert (got["id"], got["kind"], got["seq"]) == ("01EVENT", "invoice_completed", 3)
    assert (got["invoice"]["id"], got["invoice"]["price"]) == ("01INVOICE", "5.00")
    assert outcome.summary.startswith("invoice_completed exited with 0 after ")
    assert outcome.detail["exit_code"] == 0
    assert outcome.detail["stdout"] == "thanks\n"


def test_a_script_may_open_its_standard_input_by_name(folder):
    folder.add(DONE, "#!sh\nhead -c 6 /dev/stdin\n")
    assert folder.run().detail["stdout"] == '{"id":'


def test_a_shell_can_read_the_event_as_one_line(folder):
    folder.add(DONE, '#!sh\nset -e\nread -r event\necho "${#event}"\n')
    assert int(folder.run().detail["stdout"]) > 300


def test_a_script_that_reads_nothing_is_fine(folder):
    folder.add(DONE, "#!sh\nexit 0\n")
    assert folder.run().detail["exit_code"] == 0


def test_a_script_sees_four_variables_and_no_secret(folder, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://bitcart:hush@db/bitcart")
    monkeypatch.setenv("LD_PRELOAD_NOT", "x")
    folder.add(DONE, "#!python\nimport os, json\nprint(json.dumps(dict(os.environ)))\n")
    assert json.loads(folder.run().detail["stdout"]) == {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "BITCART_EVENT": "invoice_completed",
        "BITCART_EVENT_ID": "01EVENT",
    }


def test_a_script_inherits_no_open_file(folder):
    with tempfile.TemporaryFile() as secret:
        os.set_inheritable(secret.fileno(), True)  # noqa: FBT003 - takes no keyword
        folder.add(DONE, "#!sh\nls /proc/self/fd\n")
        assert folder.run().detail["stdout"].split() == ["0", "1", "2", "3"]


def test_a_script_works_in_an_empty_folder_that_is_gone_afterwards(folder):
    folder.add(DONE, "#!sh\nls -A\npwd\necho x > left-behind\n")
    cwd = Path(folder.run().detail["stdout"].strip())
    assert cwd.is_absolute()
    assert not cwd.exists()


def test_names_are_not_read_by_a_shell(folder):
    folder.add(f"{DONE}.d/10 print label; touch x $(id)", "#!sh\necho printed\n")
    assert folder.run().detail["stdout"] == "printed\n"


def test_a_program_without_a_first_line_is_told_so(folder):
    folder.add(DONE, "echo hello\n")
    with pytest.raises(DeliveryError, match=r"could not be started: OSError.*Exec format error"):
        folder.run()


def test_a_failing_script_is_tried_again_and_its_last_line_is_shown(folder):
    folder.add(DONE, "#!sh\necho working\necho first >&2\necho 'no paper in printer' >&2\nexit 3\n")
    with pytest.raises(DeliveryError, match="invoice_completed failed with exit code 3: no paper in printer") as caught:
        folder.run()
    assert not isinstance(caught.value, Rejected)
    assert caught.value.detail["exit_code"] == 3
    assert caught.value.detail["stdout"] == "working\n"
    assert caught.value.detail["stderr"] == "first\nno paper in printer\n"


def test_a_script_may_ask_to_be_run_again(folder):
    folder.add(DONE, "#!sh\nexit 75\n")
    with pytest.raises(DeliveryError, match=r"asks to be run again later \(exit code 75\)"):
        folder.run()


@pytest.mark.parametrize(("name", "number"), [("KILL", 9), ("TERM", 15), ("SEGV", 11), ("RTMIN+3", 37)])
def test_a_script_that_a_signal_ended_is_tried_again(name, number, folder):
    folder.add(DONE, f"#!/bin/bash\nkill -{name} $$\n")
    with pytest.raises(DeliveryError, match=f"was ended by signal {number} "):
        folder.run()


def test_a_script_hears_the_usual_signals(folder):
    folder.add(DONE, "#!python\nimport signal\nprint(signal.pthread_sigmask(signal.SIG_BLOCK, []))\n")
    assert folder.run().detail["stdout"] == "set()\n"
    folder.add(DONE, "#!/bin/bash\nyes | head -1\nexit ${PIPESTATUS[0]}\n")
    with pytest.raises(DeliveryError, match="exit code 141"):
        folder.run()


FORKER = """#!sh
sleep 1000.{0} &
setsid sleep 1000.{0} &
(setsid sh -c 'sleep 1000.{0} & sleep 1000.{0}' &) &
nohup setsid sleep 1000.{0} > /dev/null 2>&1 < /dev/null &
"""


@pytest.mark.parametrize("end", ["exec sleep 1000.{0}", "trap '' TERM INT HUP; while :; do sleep 1000.{0}; done"])
def test_at_the_deadline_nothing_of_a_script_is_left_not_even_what_left_its_session(end, folder):
    marker = f"{os.getpid()}1"
    folder.add(DONE, (FORKER + end).format(marker))
    with pytest.raises(DeliveryError, match=r"did not end within 0\.5 seconds and was killed"):
        folder.run(deadline_seconds=0.5)
    assert living(f"1000.{marker}") == []


def test_what_a_script_leaves_running_is_ended_with_it(folder):
    marker = f"{os.getpid()}2"
    folder.add(DONE, (FORKER + "exit 0").format(marker))
    assert folder.run().detail["exit_code"] == 0
    assert living(f"1000.{marker}") == []


def test_a_script_that_closes_its_output_is_still_waited_for(folder):
    folder.add(DONE, "#!sh\nexec >&- 2>&-\nsleep 0.2\nexit 4\n")
    with pytest.raises(DeliveryError, match="failed with exit code 4"):
        folder.run()


def test_of_much_output_the_end_is_kept(folder):
    folder.add(DONE, "#!sh\nhead -c 1000000 /dev/zero | tr '\\0' x\necho end\necho bad >&2\nexit 1\n")
    with pytest.raises(DeliveryError, match="exit code 1: bad") as caught:
        folder.run()
    assert caught.value.detail["stdout"].endswith("xxxend\n")
    assert len(caught.value.detail["stdout"]) == 4000


def test_a_flood_is_stopped(folder):
    folder.add(DONE, "#!sh\nyes flood-$$\n")
    with pytest.raises(DeliveryError, match="wrote without end and was stopped"):
        folder.run()
    assert living("yes\x00flood-") == []


def test_output_that_postgresql_could_not_hold_is_made_harmless(folder):
    folder.add(DONE, "#!sh\nprintf 'a\\000b\\377'\n")
    assert folder.run().detail["stdout"] == "a\ufffdb\ufffd"


def test_a_memory_hog_ends_itself(folder):
    folder.add(DONE, "#!python\nx = b'x' * 2_000_000_000\n")
    with pytest.raises(DeliveryError, match="exit code 1: MemoryError"):
        folder.run(memory_mib=256)


def test_a_busy_loop_ends_when_its_processor_time_is_used_up(folder):
    folder.add(DONE, "#!sh\nwhile :; do :; done\n")
    with pytest.raises(DeliveryError, match="was ended by signal"):
        folder.run(cpu_seconds=1)


def test_a_file_cannot_grow_without_end(folder):
    folder.add(DONE, "#!sh\nexec head -c 3000000 /dev/zero > big\n")
    with pytest.raises(DeliveryError, match="was ended by signal 25"):
        folder.run(file_mib=1)


def test_a_script_cannot_open_files_without_end(folder):
    folder.add(DONE, "#!python\nfiles = [open('/dev/null') for _ in range(100)]\n")
    with pytest.raises(DeliveryError, match="Too many open files"):
        folder.run(open_files=32)


def test_a_script_cannot_gain_rights(folder):
    folder.add(DONE, "#!sh\ngrep NoNewPrivs /proc/self/status\n")
    assert folder.run().detail["stdout"].split() == ["NoNewPrivs:", "1"]


@pytest.fixture
def open_folder(folder):
    """A folder that other users can enter, unlike pytest's own."""
    folder.path = Path(tempfile.mkdtemp())
    folder.path.chmod(0o755)
    yield folder
    shutil.rmtree(folder.path)


def test_root_runs_scripts_as_another_user_and_others_are_told_that_they_cannot(open_folder):
    open_folder.add(DONE, "#!sh\nid -u; id -g; id -G; cat /dev/stdin | head -c 5; echo x > mine && cat mine\n")
    if os.geteuid() != 0:
        with pytest.raises(ConfigError, match="needs root"):
            open_folder.run(uid=65534, gid=65533)
        return
    assert open_folder.run(uid=65534, gid=65533).detail["stdout"] == '65534\n65533\n65533\n{"id"x\n'
    open_folder.add(DONE, f"#!sh\ncat /proc/{os.getpid()}/environ\n")
    with pytest.raises(DeliveryError, match="Permission denied"):
        open_folder.run(uid=65534, gid=65533)


def test_a_fork_bomb_of_another_user_is_bounded_and_ended(open_folder):
    marker = f"{os.getpid()}3"
    open_folder.add(DONE, f"#!sh\nb() {{ sleep 1000.{marker} & b & b; }}\nb\n")
    ids = {"uid": 65531, "gid": 65531, "processes": 20} if os.geteuid() == 0 else {}
    if not ids:
        open_folder.add(DONE, f"#!sh\nfor i in 1 2 3 4 5; do (sleep 1000.{marker} &) & done\nsleep 1000.{marker}\n")
    with pytest.raises(DeliveryError):
        open_folder.run(deadline_seconds=0.5, **ids)
    assert living(f"1000.{marker}") == []
