"""Files out of Debian packages: real apt and dpkg against a small mirror made for the test, so that it needs no network."""

import hashlib
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from bitcart_coin_requisites import ANY_ARCHITECTURE, Build, DebianFiles, DebianPackage

from bitcart_core import ConfigError

NAME = "bitcart-test-greeting"
WithoutRights = Callable[[Callable[[Path], None]], int]


@dataclass
class Mirror:
    """A folder that apt takes for a mirror."""

    folder: Path
    sha256: dict[str, str]

    def files(self, *builds: Build) -> DebianFiles:
        return DebianFiles(
            name="greeting/1",
            purpose="to be tested",
            packages=[DebianPackage(name=NAME, builds=builds)],
            pick=lambda unpacked, home: (unpacked / "usr/share/greeting").rename(home / "greeting"),
            otherwise="write a greeting yourself",
        )

    def build(self, version: str, **changes: str) -> Build:
        sha256 = changes.pop("sha256", self.sha256.get(version, "0" * 64))
        return Build(version=version, sha256={ANY_ARCHITECTURE: sha256}, **changes)


@pytest.fixture
def mirror(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Mirror:
    """Two versions of a package, and an apt that knows nothing but them and would run a hook after an update."""
    folder = open_folder / "mirror"
    made = {version: make_package(folder, version) for version in ("1.0-1", "1.0-2")}
    index = "\n".join(describe(file, version) for version, file in made.items())
    (folder / "Packages").write_text(index)
    configuration = open_folder / "apt.conf"
    sources = open_folder / "sources.list"
    sources.write_text(f"deb [trusted=yes] file:{folder} ./\n")
    configuration.write_text(
        f'Dir::Etc::sourcelist "{sources}"; Dir::Etc::sourceparts "/nonexistent"; Acquire::Retries "0";\n'
        f'APT::Update::Post-Invoke {{ "touch {open_folder}/hook-ran"; }};\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    return Mirror(folder, {version: sha256_of(file) for version, file in made.items()})


def make_package(folder: Path, version: str) -> Path:
    content = folder / version
    (content / "DEBIAN").mkdir(parents=True)
    (content / "DEBIAN" / "control").write_text(
        f"Package: {NAME}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.com>\nDescription: test\n"
    )
    (content / "DEBIAN" / "postinst").write_text(f"#!/bin/sh\ntouch {folder}/script-ran\n")
    (content / "DEBIAN" / "postinst").chmod(0o755)
    (content / "usr/share/greeting").mkdir(parents=True)
    (content / "usr/share/greeting/hello").write_text(version)
    file = folder / f"{NAME}_{version}_all.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", content, file], check=True, capture_output=True)
    return file


def describe(file: Path, version: str) -> str:
    return (
        f"Package: {NAME}\nVersion: {version}\nArchitecture: all\nMaintainer: Test <test@example.com>\n"
        f"Filename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {sha256_of(file)}\nDescription: test\n"
    )


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def silence(_: str) -> None: ...


def test_the_wanted_files_are_there_and_nothing_else_is(mirror: Mirror, open_folder: Path):
    data, lines = open_folder / "data", list[str]()
    files = mirror.files(mirror.build("1.0-2"))
    assert files.problem(data) == (
        f"greeting/1 is not installed in {data}; run `bitcart setup`, or write a greeting yourself"
    )
    files.install(data, lines.append)
    assert files.problem(data) is None
    assert sorted(entry.name for entry in files.home(data).iterdir()) == [".installed", "greeting"]
    assert (files.home(data) / "greeting" / "hello").read_text() == "1.0-2"
    assert f"fetching {NAME} 1.0-2" in lines


def test_no_script_of_the_package_and_no_hook_of_the_system_runs(mirror: Mirror, open_folder: Path):
    mirror.files(mirror.build("1.0-2")).install(open_folder / "data", silence)
    assert not (mirror.folder / "script-ran").exists()
    assert not (open_folder / "hook-ran").exists()


def test_a_second_run_asks_nobody(mirror: Mirror, open_folder: Path):
    files = mirror.files(mirror.build("1.0-2"))
    files.install(open_folder / "data", silence)
    files.install(open_folder / "data", pytest.fail)


def test_the_first_build_that_the_mirror_offers_is_taken_and_its_caution_told(mirror: Mirror, open_folder: Path):
    lines: list[str] = []
    files = mirror.files(mirror.build("1.0-3"), mirror.build("1.0-1", caution="it is old"), mirror.build("1.0-2"))
    files.install(open_folder / "data", lines.append)
    assert (files.home(open_folder / "data") / "greeting" / "hello").read_text() == "1.0-1"
    assert f"{NAME} 1.0-1: it is old" in lines


def test_a_version_that_the_mirror_dropped_ends_in_a_sentence_with_the_remedy(mirror: Mirror, open_folder: Path):
    with pytest.raises(ConfigError) as error:
        mirror.files(mirror.build("0.9-1")).install(open_folder / "data", silence)
    said = str(error.value)
    assert f"mirrors offer 1.0-2, 1.0-1 where {NAME} 0.9-1 is known" in said
    assert said.endswith("update Bitcart, or write a greeting yourself")
    assert not (open_folder / "data" / "requisites" / "greeting" / "1").exists()


def test_a_package_with_another_hash_is_refused(mirror: Mirror, open_folder: Path):
    with pytest.raises(ConfigError, match="do not trust this mirror"):
        mirror.files(mirror.build("1.0-2", sha256="0" * 64)).install(open_folder / "data", silence)
    assert not (open_folder / "data" / "requisites" / "greeting" / "1").exists()


def test_a_build_without_a_hash_for_this_machine_is_not_taken(mirror: Mirror, open_folder: Path):
    foreign = Build(version="1.0-2", sha256={"m68k": "0" * 64})
    with pytest.raises(ConfigError, match=r"1.0-2 is known for"):
        mirror.files(foreign).install(open_folder / "data", silence)


def test_a_source_that_cannot_be_read_does_not_matter_while_another_has_the_package(mirror: Mirror, open_folder: Path):
    with (open_folder / "sources.list").open("a") as sources:
        sources.write("deb http://127.0.0.1:9/nowhere stable main\n")
    mirror.files(mirror.build("1.0-2")).install(open_folder / "data", silence)


def test_a_mirror_that_cannot_be_read_ends_in_a_sentence_with_the_remedy(mirror: Mirror, open_folder: Path):
    (open_folder / "sources.list").write_text("deb http://127.0.0.1:9/nowhere stable main\n")
    with pytest.raises(ConfigError, match="check the network and apt's sources, or write a greeting yourself"):
        mirror.files(mirror.build("1.0-2")).install(open_folder / "data", silence)


def test_a_system_without_apt_is_told_what_to_do(mirror: Mirror, open_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(open_folder))
    with pytest.raises(ConfigError, match=r"apt-get is not on this system.*; write a greeting yourself"):
        mirror.files(mirror.build("1.0-2")).install(open_folder / "data", silence)


def test_it_works_for_a_user_without_any_rights(mirror: Mirror, open_folder: Path, without_rights: WithoutRights):
    files = mirror.files(mirror.build("1.0-2"))
    assert without_rights(lambda data: files.install(data, silence)) == 0
    assert (files.home(open_folder / "data") / "greeting" / "hello").read_text() == "1.0-2"
