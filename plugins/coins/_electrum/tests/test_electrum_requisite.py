"""The Electrum that the daemon runs: Debian's by default, or one that the operator names."""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from bitcart_coin_electrum import requisite
from bitcart_coin_electrum.requisite import SETTING, ElectrumRequisite, electrum_path

from bitcart_core import ConfigError


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)


@pytest.fixture(scope="module")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """Where Debian's Electrum is installed, once for all runs from this checkout."""
    folder = request.config.rootpath / ".bitcart" / "tests"
    ElectrumRequisite().install(folder, silence)
    return folder


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder that holds an Electrum of the operator's own."""
    folder = tmp_path / "own"
    (folder / "electrum").mkdir(parents=True)
    (folder / "electrum" / "version.py").write_text("ELECTRUM_VERSION = '9.9'\n")
    return folder


def silence(_: str) -> None: ...


def ask_electrum(path: Path, question: str) -> str:
    """Run Python with Electrum on its path and nothing that finds a library elsewhere; return what it printed."""
    program = f"import sys; sys.path.append({str(path)!r}); {question}"
    clean = {name: value for name, value in os.environ.items() if name not in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
    return subprocess.run(
        [sys.executable, "-c", program], env=clean, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_debians_electrum_is_there_with_nothing_beside_it(data_dir: Path):
    path = electrum_path(data_dir)
    assert path == data_dir / "requisites" / "electrum" / "4.3.4"
    assert [entry.name for entry in path.iterdir() if not entry.name.startswith(".")] == ["electrum"]
    assert ask_electrum(path, "from electrum.version import ELECTRUM_VERSION as v; print(v)") == "4.3.4"


def test_it_signs_with_the_library_that_lies_beside_it(data_dir: Path):
    path = electrum_path(data_dir)
    question = (
        "from electrum import ecc; key = ecc.ECPrivkey(b'1' * 32); "
        "assert key.sign_message(b'hello', is_compressed=True); "
        "print(next(line.split(maxsplit=5)[5] for line in open('/proc/self/maps') if 'libsecp256k1' in line))"
    )
    assert ask_electrum(path, question) == str(path / "electrum" / "libsecp256k1.so.1")


def test_a_second_run_asks_nobody(data_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "")
    ElectrumRequisite().install(data_dir, pytest.fail)


def test_without_an_electrum_the_remedy_is_told(tmp_path: Path):
    assert requisite.problem(tmp_path) == (
        f"electrum/4.3.4 is not installed in {tmp_path}; run `bitcart setup`, or name an Electrum of your own in "
        f"{SETTING}: a folder that holds electrum/, or an archive"
    )
    with pytest.raises(ConfigError, match="run `bitcart setup`"):
        electrum_path(tmp_path)


def test_a_folder_of_the_operators_own_is_used_as_it_is(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(SETTING, str(own))
    ElectrumRequisite().install(tmp_path / "data", silence)
    assert electrum_path(tmp_path / "data") == own
    assert not (tmp_path / "data").exists()


def test_a_folder_without_an_electrum_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="holds no folder electrum/"):
        ElectrumRequisite(str(tmp_path)).install(tmp_path / "data", silence)


def test_an_archive_of_the_operators_own_is_unpacked_once(own: Path, tmp_path: Path):
    archive = tmp_path / "Electrum-9.9.tar.gz"
    with tarfile.open(archive, "w:gz") as content:
        content.add(own / "electrum", "Electrum-9.9/electrum")
    wanted = ElectrumRequisite(str(archive))
    assert wanted.problem(tmp_path) == (
        f"the Electrum that {SETTING} names is not installed in {tmp_path}; run `bitcart setup`"
    )
    wanted.install(tmp_path, silence)
    wanted.install(tmp_path, pytest.fail)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert wanted.path(tmp_path) == tmp_path / "requisites" / "electrum" / sha256[:16]
    assert ask_electrum(wanted.path(tmp_path), "from electrum.version import *; print(ELECTRUM_VERSION)") == "9.9"


def test_an_archive_without_an_electrum_is_refused_and_leaves_nothing(tmp_path: Path):
    (tmp_path / "file").touch()
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz") as content:
        content.add(tmp_path / "file", "file")
    wanted = ElectrumRequisite(str(tmp_path / "other.tar.gz"))
    with pytest.raises(ConfigError, match="holds no folder electrum/"):
        wanted.install(tmp_path / "data", silence)
    assert wanted.problem(tmp_path / "data") is not None


def test_a_url_without_a_hash_is_refused(tmp_path: Path):
    wanted = ElectrumRequisite("https://example.com/Electrum.tar.gz")
    assert "without a hash" in str(wanted.problem(tmp_path))
    with pytest.raises(ConfigError, match="without a hash"):
        wanted.install(tmp_path, silence)
