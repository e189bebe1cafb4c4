"""Packages of npm come exactly as locked, without their scripts; the network is the registry that npm is set to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from bitcart_coin_requisites import NpmPackages, find_nodejs, provide_nodejs

from bitcart_core import ConfigError

PACKAGE = "xtend"
VERSION = "4.0.2"
INTEGRITY = "sha512-LKYU1iAXJXUgAXn9URjiu+MWhyUXHsvfp7mcuYm9dSUKK0/CjtrUwFAxD82/mCWbtLsGjFIad0wIsod4zrTAEQ=="


def silence(_: str) -> None: ...


def lock(folder: Path, *, integrity: str = INTEGRITY) -> NpmPackages:
    """Write a locked package that tries to run a script when it is installed."""
    folder.mkdir(exist_ok=True)
    own = {"name": "thing", "version": "1.0.0", "dependencies": {PACKAGE: VERSION}}
    scripts = {"preinstall": "touch script-ran", "postinstall": "touch script-ran"}
    (folder / "package.json").write_text(json.dumps(own | {"scripts": scripts}))
    locked = {"": own, f"node_modules/{PACKAGE}": {"version": VERSION, "integrity": integrity}}
    content = {"name": "thing", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": locked}
    (folder / "package-lock.json").write_text(json.dumps(content))
    return NpmPackages(name="thing", purpose="to be tested", locked_in=folder)


def test_locked_packages_are_fetched_and_none_of_their_scripts_run(tmp_path: Path):
    packages = lock(tmp_path / "locked")
    data = tmp_path / "data"
    assert packages.problem(data) == f"thing is not installed in {data}; run `bitcart setup`"
    lines: list[str] = []
    packages.install(data, lines.append)
    assert packages.problem(data) is None
    assert json.loads((packages.modules(data) / PACKAGE / "package.json").read_text())["version"] == VERSION
    assert not list(data.rglob("script-ran"))
    assert lines == ["fetching thing from npm", f"thing is in {data / 'requisites' / 'thing'}"]


def test_a_second_run_asks_nobody(tmp_path: Path):
    packages = lock(tmp_path / "locked")
    packages.install(tmp_path, silence)
    packages.install(tmp_path, pytest.fail)


def test_nothing_is_written_outside_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    packages = lock(tmp_path / "locked")
    packages.install(tmp_path / "data", silence)
    assert list(home.iterdir()) == []
    assert not (packages.modules(tmp_path / "data").parent / ".cache").exists()


def test_a_package_with_another_hash_is_refused(tmp_path: Path):
    wrong = "sha512-" + "A" * 86 + "=="
    with pytest.raises(ConfigError, match=r"could not fetch thing from npm: .*EINTEGRITY"):
        lock(tmp_path / "locked", integrity=wrong).install(tmp_path / "data", silence)
    assert not (tmp_path / "data" / "requisites" / "thing").exists()


def test_a_changed_lock_is_installed_anew(tmp_path: Path):
    packages = lock(tmp_path / "locked")
    packages.install(tmp_path, silence)
    with (tmp_path / "locked" / "package-lock.json").open("a") as content:
        content.write("\n")
    assert packages.problem(tmp_path) is not None
    packages.install(tmp_path, silence)
    assert packages.problem(tmp_path) is None


def test_an_unreachable_registry_ends_in_a_sentence_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(ConfigError, match="check the network and the registry"):
        lock(tmp_path / "locked").install(tmp_path / "data", silence)


def test_it_works_for_a_user_without_any_rights(
    open_folder: Path, without_rights: Callable[[Callable[[Path], None]], int]
):
    packages = lock(open_folder / "locked")
    assert without_rights(lambda data: packages.install(data, silence)) == 0
    assert packages.problem(open_folder / "data") is None


def test_an_old_node_on_the_path_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    programs(tmp_path / "bin", node="echo v16.20.2", npm="echo 8")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_nodejs(tmp_path / "data") is None


def test_a_node_without_npm_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    programs(tmp_path / "bin", node="echo v22.1.0")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert find_nodejs(tmp_path / "data") is None


def test_where_there_is_no_node_it_is_fetched_and_runs_npm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    programs(tmp_path / "bin", sh=None)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    kept = request.config.rootpath / ".bitcart" / "tests"  # 60 MB, fetched once per checkout
    nodejs = provide_nodejs(kept, silence)
    assert nodejs.node.is_relative_to(kept)
    packages = lock(tmp_path / "locked")
    (tmp_path / "requisites").mkdir()
    (tmp_path / "requisites" / "node").symlink_to(kept / "requisites" / "node")
    packages.install(tmp_path, silence)
    assert (packages.modules(tmp_path) / PACKAGE).is_dir()


def programs(folder: Path, **scripts: str | None) -> None:
    """Fill a folder for PATH with small shell scripts; None stands for the system's own program."""
    folder.mkdir()
    for name, script in scripts.items():
        if script is None:
            (folder / name).symlink_to(f"/bin/{name}")
        else:
            (folder / name).write_text(f"#!/bin/sh\n{script}\n")
            (folder / name).chmod(0o755)
