"""An archive that the operator names is taken only if its hash is the one that was named with it."""

import hashlib
import http.server
import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from bitcart_coin_requisites import find_archive

from bitcart_core import ConfigError

SETTING = "BITCART_THING"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """A web server on loopback that offers what is in the folder `site`."""
    folder = tmp_path / "site"
    folder.mkdir()
    make_tar(folder / "thing.tar.gz")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def make_tar(file: Path) -> str:
    content = tarfile.TarInfo("thing-1.0/thing/file")
    content.size = 5
    with tarfile.open(file, "w:gz") as archive:
        archive.addfile(content, io.BytesIO(b"hello"))
    return hashlib.sha256(file.read_bytes()).hexdigest()


def silence(_: str) -> None: ...


def test_a_file_is_unpacked(tmp_path: Path):
    make_tar(tmp_path / "thing.tar.gz")
    find_archive(str(tmp_path / "thing.tar.gz"), setting=SETTING).unpack(tmp_path / "out", silence)
    assert (tmp_path / "out/thing-1.0/thing/file").read_text() == "hello"


def test_a_zip_file_is_unpacked(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "thing.zip", "w") as archive:
        archive.writestr("thing/file", "hello")
    find_archive(str(tmp_path / "thing.zip"), setting=SETTING).unpack(tmp_path / "out", silence)
    assert (tmp_path / "out/thing/file").read_text() == "hello"


def test_a_url_is_fetched_checked_and_unpacked(site: str, tmp_path: Path):
    sha256 = hashlib.sha256((tmp_path / "site/thing.tar.gz").read_bytes()).hexdigest()
    archive = find_archive(f"{site}/thing.tar.gz#sha256={sha256}", setting=SETTING)
    assert archive.sha256 == sha256
    archive.unpack(tmp_path / "out", silence)
    assert (tmp_path / "out/thing-1.0/thing/file").read_text() == "hello"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out", "site"]


def test_what_has_another_hash_is_refused(site: str, tmp_path: Path):
    archive = find_archive(f"{site}/thing.tar.gz#sha256={'0' * 64}", setting=SETTING)
    with pytest.raises(ConfigError, match="find out which of the two is right"):
        archive.unpack(tmp_path / "out", silence)
    assert not (tmp_path / "out").exists()


def test_a_url_without_a_hash_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"BITCART_THING is .* a URL without a hash to check; write .*#sha256=HEX"):
        find_archive("https://example.com/thing.tar.gz", setting=SETTING)


def test_a_url_that_cannot_be_fetched_is_named(site: str, tmp_path: Path):
    archive = find_archive(f"{site}/other.tar.gz#sha256={'0' * 64}", setting=SETTING)
    with pytest.raises(ConfigError, match=r"BITCART_THING names http.*/other.tar.gz, which cannot be fetched.*404"):
        archive.unpack(tmp_path / "out", silence)


def test_a_file_that_does_not_exist_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match="which does not exist; write a "):
        find_archive(str(tmp_path / "missing.zip"), setting=SETTING)


@pytest.mark.parametrize("name", ["thing.zip", "thing.tar.gz"])
def test_a_file_that_is_no_archive_is_named(tmp_path: Path, name: str):
    (tmp_path / name).write_text("not an archive")
    with pytest.raises(ConfigError, match="which does not unpack"):
        find_archive(str(tmp_path / name), setting=SETTING).unpack(tmp_path / "out", silence)
