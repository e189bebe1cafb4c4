"""`bitcart devchain` as people and programs use it, with a real chain of a plugin that a stranger wrote."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from bitcart_coin_bitcoin.devchain import BCOIN

from bitcart_core import RunningChain

ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
STRANGER = """
from bitcart_coin_bitcoin.devchain import BitcoinDevchainFactory
from bitcart_core import Plugin, hookimpl


class Stranger(Plugin):
    @hookimpl
    def register_devchains(self):
        return [BitcoinDevchainFactory()]
"""


@dataclass
class Deployment:
    """A folder with a plugin that pip could have installed, a plugins.toml that names it, and data."""

    folder: Path

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def chain_file(self) -> Path:
        return self.data / "devchain" / "btc.json"

    def environment(self) -> dict[str, str]:
        return os.environ | {
            "PYTHONPATH": str(self.folder / "plugin"),
            "BITCART_DATA": str(self.data),
            "BITCART_PLUGINS": str(self.folder / "plugins.toml"),
        }

    def command(self, *arguments: str) -> Sequence[str]:
        return [sys.executable, "-m", "bitcart_host_devchain", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment(), capture_output=True, text=True, check=False
        )

    def output(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.strip()

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.command(*arguments), env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip


def make_deployment(folder: Path, requisites: Path) -> Deployment:
    information = folder / "plugin" / "bitcart_stranger-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: bitcart-stranger\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[bitcart]\nstranger = bitcart_stranger:Stranger\n")
    (folder / "plugin" / "bitcart_stranger.py").write_text(STRANGER)
    (folder / "plugins.toml").write_text("[stranger]\n")
    (folder / "data").mkdir()
    (folder / "data" / "requisites").symlink_to(requisites)
    return Deployment(folder)


@pytest.fixture(scope="module")
def requisites(request: pytest.FixtureRequest) -> Path:
    """What is fetched once for all runs from this checkout."""
    folder = request.config.rootpath / ".bitcart" / "tests"
    BCOIN.install(folder, lambda _: None)
    return folder / "requisites"


@pytest.fixture
def deployment(tmp_path: Path, requisites: Path) -> Deployment:
    return make_deployment(tmp_path, requisites)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, requisites: Path) -> Iterator[Deployment]:
    """A deployment whose chain runs."""
    deployment = make_deployment(tmp_path_factory.mktemp("deployment"), requisites)
    with deployment.start("--json") as process:
        assert process.stdout is not None
        assert RunningChain.from_json(json.loads(process.stdout.readline())).coin == "btc"
        yield deployment
        process.terminate()
        process.communicate()


def test_a_program_reads_one_line_and_ends_the_chain_by_a_signal(deployment: Deployment):
    with deployment.start("--json") as process:
        assert process.stdout is not None
        chain = RunningChain.from_json(json.loads(process.stdout.readline()))
        assert json.loads(deployment.chain_file.read_text()) == chain.to_json()
        assert stat.S_IMODE(deployment.chain_file.stat().st_mode) == 0o600
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate()
    assert (process.returncode, rest, errors) == (0, "", "")
    assert not deployment.chain_file.exists()
    assert "no development chain runs" in deployment.run("status").stderr


def test_a_person_sees_how_to_go_on_and_ends_the_chain_by_ctrl_c(deployment: Deployment):
    with deployment.start("btc") as process:
        assert process.stdout is not None
        lines = []
        while "Ctrl-C" not in "".join(lines):
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        process.communicate()
    chain = "".join(lines)
    assert "Starting a chain of btc" in chain
    assert "bitcart devchain pay ADDRESS" in chain
    assert str(deployment.data / "devchain" / "btc") in chain
    assert process.returncode == 0


def test_the_chain_pays_mines_and_misbehaves_on_request(running: Deployment):
    before = height(running)
    first = running.output("pay", ADDRESS, "0.5")
    second = running.output("replace", first)
    assert first != second
    assert len(running.output("mine", "2").splitlines()) == 2
    assert running.output("reorg", "2", "--drop-transactions") == str(before + 3)
    assert height(running) == before + 3


def height(running: Deployment) -> int:
    return int(running.output("status").splitlines()[0].removeprefix("btc regtest, height "))


@pytest.mark.parametrize(
    ("arguments", "status", "sentence"),
    [
        (["pay", "nonsense", "1"], 1, "nonsense is no address of this chain"),
        (["pay", ADDRESS, "much"], 1, "'much' is not an amount"),
        (["replace", "00"], 1, "does not wait in the mempool"),
        (["mine", "--coin", "xyz"], 2, "no development chain of xyz runs"),
        (["xyz"], 2, "there is no development chain of 'xyz'; there is one of btc"),
        (["btc"], 2, "runs already"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    running: Deployment, arguments: list[str], status: int, sentence: str
):
    done = running.run(*arguments)
    assert done.returncode == status
    assert done.stderr.startswith("bitcart devchain: ")
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_help_teaches_by_an_example(deployment: Deployment):
    text = deployment.output("--help")
    assert "bitcart devchain pay bcrt1q... 0.1" in text
    assert all(command in text for command in ("start", "mine", "pay", "replace", "reorg", "status"))


def test_a_chain_that_was_killed_can_be_started_again(deployment: Deployment):
    for _ in range(2):
        with deployment.start("--json") as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.kill()
        assert "does not answer" in wait_for_failure(deployment)


def wait_for_failure(deployment: Deployment) -> str:
    """Ask until the node has noticed that its parent is gone."""
    while (done := deployment.run("status")).returncode == 0:
        pass
    return done.stderr


def test_a_chain_whose_node_dies_ends_with_the_reason(deployment: Deployment):
    with deployment.start("--json") as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        _, errors = process.communicate()
    assert process.returncode == 2
    assert "ended with status -9" in errors
    assert not deployment.chain_file.exists()


def test_without_the_node_the_remedy_is_told(deployment: Deployment):
    (deployment.data / "requisites").unlink()
    done = deployment.run("btc")
    assert done.returncode == 2
    assert "run `bitcart setup`" in done.stderr


def test_without_a_plugins_file_what_is_installed_counts(deployment: Deployment):
    (deployment.folder / "plugins.toml").unlink()
    shutil.rmtree(deployment.folder / "plugin")
    assert "no development chain of 'xyz'" in deployment.run("xyz").stderr


def test_a_deployment_without_a_chain_says_so(deployment: Deployment):
    (deployment.folder / "plugins.toml").write_text("")
    assert "no plugin brings a development chain" in deployment.run().stderr
