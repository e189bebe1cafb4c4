"""Strangers' plugins: built outside the tree, installed with pip, named in plugins.toml, and nothing more."""

import subprocess
import sys
import sysconfig
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey.deployment import Deployment, open_store, run_deployment, until

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("strangers")]

NOTIFIER = '''
"""Writes notifications into a file."""
from pathlib import Path
from pydantic import BaseModel
from bitcart_core import Notification, Plugin, hookimpl

class Slate(BaseModel):
    file: Path

class SlateNotifier:
    name = "slate"
    target_model = Slate

    def send(self, target, notification: Notification) -> None:
        target.file.write_text(notification.title)

class Slates(Plugin):
    @hookimpl
    def register_notifiers(self):
        return [SlateNotifier()]
'''
HOOK = '''
"""Keeps a tally of completed invoices."""
from pathlib import Path
from bitcart_core import InvoiceEvent, Plugin, PluginSettings, hookimpl

class Tally(Plugin):
    class Settings(PluginSettings):
        file: Path

    @hookimpl
    def invoice_completed(self, event: InvoiceEvent) -> None:
        with self.settings.file.open("a") as tally:
            tally.write(event.invoice.id + "\\n")
'''
PROJECT = """
[project]
name = "{distribution}"
version = "1.0"
dependencies = ["bitcart-core"]
[project.entry-points.bitcart]
{entry}
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


def build_wheel(folder: Path, distribution: str, module: str, source: str, entry: str) -> Path:
    project = folder / distribution
    (project / "src" / module).mkdir(parents=True)
    (project / "src" / module / "__init__.py").write_text(source)
    (project / "pyproject.toml").write_text(PROJECT.format(distribution=distribution, entry=entry))
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel"], cwd=project, check=True)
    (wheel,) = (project / "dist").glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An environment beside ours that sees ours, with the strangers' wheels installed by pip."""
    folder = tmp_path_factory.mktemp("strangers")
    wheels = [
        build_wheel(folder, "slates", "slates", NOTIFIER, 'slates = "slates:Slates"'),
        build_wheel(folder, "tally", "tally", HOOK, 'tally = "tally:Tally"'),
    ]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    (site,) = (folder / "venv").glob("lib/python*/site-packages")
    (site / "ours.pth").write_text(
        textwrap.dedent(f"""\
            import site; site.addsitedir({sysconfig.get_path("purelib")!r})
        """)
    )
    pip = [folder / "venv" / "bin" / "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, *wheels], check=True)
    return str(folder / "venv" / "bin" / "python")


@pytest.fixture(scope="module")
def stranger_deployment(folder: Path, requisites: Path, python: str) -> Iterator[Deployment]:
    tally = folder / "tally.txt"
    tables = f'[slates]\n[tally]\nfile = "{tally}"\n'
    with run_deployment(folder / "strangers", requisites, {}, python=python, more_plugins=tables) as deployment:
        yield deployment


def test_strangers_hear_of_an_invoice_and_the_rest_runs_on_without_bitcoin(
    stranger_deployment: Deployment, folder: Path
):
    deployment, slate = stranger_deployment, folder / "slate.txt"
    merchant = open_store(deployment, provider="slate", target={"file": str(slate)})
    made = merchant.sell()
    merchant.pay(made, "0.0001")
    deployment.tools.mine(1)
    merchant.becomes(made, "complete")

    until(lambda: made["id"] in (folder / "tally.txt").read_text(), "the stranger's hook ran")
    until(lambda: "Green Bean" in slate.read_text(), "the stranger's notifier was used")

    second = merchant.sell()
    deployment.down()
    plugins = deployment.settings.plugins_file
    plugins.write_text(plugins.read_text().replace('[bitcoin]\nnetwork = "regtest"\n', ""))
    deployment.up()

    assert merchant.invoice(made)["status"] == "complete"
    refused = deployment.client.post("/invoices", json={"store_id": merchant.store_id, "price": "5"})
    assert refused.status_code == 503
    assert "add the coin to plugins.toml" in refused.json()["detail"]
    merchant.post("/invoices/batch", ids=[second["id"]], command="mark_complete")
    until(lambda: second["id"] in (folder / "tally.txt").read_text(), "announcements go on without any coin")
