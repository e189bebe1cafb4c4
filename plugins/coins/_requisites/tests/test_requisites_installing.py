"""A requisite is there as a whole or not at all, whatever happens on the way."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from bitcart_coin_requisites import fingerprint, install_folder, is_installed


def build_file(folder: Path) -> None:
    (folder / "file").write_text("content")


def names_in(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir() if not entry.name.endswith(".lock"))


def test_what_is_built_appears_under_its_name(tmp_path: Path):
    home = tmp_path / "requisites" / "thing"
    install_folder(home, "v1", build_file)
    assert (home / "file").read_text() == "content"
    assert is_installed(home, "v1")
    assert names_in(home.parent) == ["thing"]


def test_a_second_run_builds_nothing(tmp_path: Path):
    install_folder(tmp_path / "thing", "v1", build_file)
    install_folder(tmp_path / "thing", "v1", lambda _: pytest.fail("was built again"))


def test_a_new_version_replaces_the_old_one_as_a_whole(tmp_path: Path):
    home = tmp_path / "thing"
    install_folder(home, "v1", build_file)
    install_folder(home, "v2", lambda folder: (folder / "other").touch())
    assert not (home / "file").exists()
    assert (home / "other").exists()
    assert not is_installed(home, "v1")
    assert names_in(tmp_path) == ["thing"]


def test_a_build_that_fails_leaves_the_old_version_and_nothing_else(tmp_path: Path):
    home = tmp_path / "thing"
    install_folder(home, "v1", build_file)

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        install_folder(home, "v2", fail)
    assert is_installed(home, "v1")
    assert names_in(tmp_path) == ["thing"]


def test_an_install_that_was_killed_heals_on_the_next_run(tmp_path: Path):
    home = tmp_path / "thing"
    program = (
        "import sys; from pathlib import Path; from bitcart_coin_requisites import install_folder\n"
        "def build(folder):\n"
        "    (folder / 'half').touch(); print('half done', flush=True); sys.stdin.read()\n"
        "install_folder(Path(sys.argv[1]), 'v1', build)"
    )
    command = [sys.executable, "-c", program, str(home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half done\n"
        process.send_signal(signal.SIGKILL)
    assert not home.exists()
    install_folder(home, "v1", build_file)
    assert names_in(home) == [".installed", "file"]
    assert names_in(tmp_path) == ["thing"]


def test_two_at_once_build_once(tmp_path: Path):
    builds: list[Path] = []
    both_began = threading.Barrier(2)

    def build(folder: Path) -> None:
        builds.append(folder)
        build_file(folder)

    def install() -> None:
        both_began.wait()
        install_folder(tmp_path / "thing", "v1", build)

    threads = [threading.Thread(target=install) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(builds) == 1


def test_a_fingerprint_tells_where_one_part_ends_and_the_next_begins():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("ab", b"c") == fingerprint(b"ab", "c")
