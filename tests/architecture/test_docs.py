"""What the documents say is true: links lead somewhere, the reference is current, the tutorial runs."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from bitcart_core import Plugin

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("hosts/*/README.md"), *ROOT.glob("plugins/*/*/README.md")])  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_hook_reference_is_what_the_code_says():
    written = runpy.run_path(str(ROOT / "scripts" / "hooks-reference"))["reference"]()

    assert (ROOT / "docs" / "hooks.md").read_text() == written


def test_the_tutorials_plugin_does_what_the_tutorial_says(tmp_path: Path):
    text = (ROOT / "docs" / "write-a-plugin.md").read_text()
    plugin, test = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    (tmp_path / "till_book.py").write_text(plugin)
    (tmp_path / "test_till_book.py").write_text(test)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert answer.returncode == 0, answer.stdout


def test_the_readmes_plugin_is_a_plugin():
    source = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL).group(1)
    room: dict = {}
    exec(source, room)  # noqa: S102 - our own text

    assert issubclass(room["Bell"], Plugin)
    assert len(source.splitlines()) <= 11
