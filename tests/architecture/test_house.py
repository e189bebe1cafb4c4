"""The house keeps its shape: every package is under a contract, looks like the others and stays small."""

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from bitcart_core import hookspecs

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["name"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}
MEMBERS = sorted(
    path.parent for path in [*ROOT.glob("hosts/*/pyproject.toml"), *ROOT.glob("plugins/*/*/pyproject.toml")]
)
PLUGINS = [path for path in MEMBERS if path.parts[-3] == "plugins"]
LONGEST_FILE = 400


def module_of(member: Path) -> str:
    (module,) = [path.name for path in (member / "src").iterdir() if (path / "__init__.py").exists()]
    return module


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("member", MEMBERS, ids=relative)
def test_every_package_has_the_same_shape(member: Path):
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    module = module_of(member)

    assert project["name"].startswith("bitcart-")
    assert (member / "README.md").read_text().startswith(f"# {project['name']}\n")
    assert (member / "src" / module / "py.typed").exists()
    assert list((member / "tests").glob("**/test_*.py")), f"{relative(member)} has no test"
    assert (member / "src" / module / "__init__.py").read_text().startswith('"""')


@pytest.mark.parametrize("member", MEMBERS, ids=relative)
def test_every_package_is_under_the_contracts(member: Path):
    module = module_of(member)
    is_plugin = member in PLUGINS
    named = {name for name, contract in CONTRACTS.items() if module in str(contract)}

    assert module in PROJECT["tool"]["importlinter"]["root_packages"]
    if is_plugin:
        assert "A plugin comes in through the front door" in named
        assert "A host meets plugins through the loader only" in named
    else:
        assert "Hosts do not know each other" in named
    if is_plugin and not member.name.startswith("_"):
        assert "Plugins do not know each other, only their family libraries" in named


def test_every_kernel_module_has_its_place_in_the_layers():
    layers = CONTRACTS["Inside the kernel everything looks down"]["layers"]
    placed = {name for layer in layers for name in re.split(r"[ :|]+", layer)}
    modules = {path.stem for path in (ROOT / "bitcart_core").glob("*.py")} - {"__init__"}
    packages = {path.parent.name for path in (ROOT / "bitcart_core").glob("*/__init__.py")}

    assert modules | packages == placed


def test_plugins_do_not_reach_the_kernels_inner_modules():
    forbidden = set(CONTRACTS["A plugin comes in through the front door"]["forbidden_modules"])
    open_doors = {
        "addresses", "coins", "daemons", "deliveries", "devchains", "errors", "events", "hookspecs", "hosts", "logs",
        "models", "money", "notifiers", "plugin", "processes", "rates", "requisites", "settings", "testing", "ui",
    }  # fmt: skip
    layers = CONTRACTS["Inside the kernel everything looks down"]["layers"]
    for name in {name for layer in layers for name in re.split(r"[ :|]+", layer)} - open_doors:
        assert f"bitcart_core.{name}" in forbidden


def test_the_meta_distribution_holds_every_package_and_none_takes_the_sdks_name():
    server = tomllib.loads((ROOT / "server" / "pyproject.toml").read_text())["project"]
    wanted = {re.split(r"[\[ ><=]", dependency)[0] for dependency in server["dependencies"]}
    names = {tomllib.loads((member / "pyproject.toml").read_text())["project"]["name"] for member in MEMBERS}
    libraries = {
        tomllib.loads((p / "pyproject.toml").read_text())["project"]["name"] for p in PLUGINS if p.name[0] == "_"
    }

    assert names - libraries <= wanted
    assert "bitcart" not in names | {server["name"], PROJECT["project"]["name"]}


def test_no_lock_file_names_a_host():
    for lock in ("requirements.lock", "scripts/installer.lock"):
        assert "://" not in (ROOT / lock).read_text()
    for lock in ROOT.glob("plugins/**/package-lock.json"):
        if "node_modules" not in lock.parts:
            assert '"resolved"' not in lock.read_text()


@pytest.mark.parametrize("folder", ["bitcart_core", "hosts", "plugins"])
def test_no_file_is_longer_than_a_room(folder: str):
    long = {
        relative(path): len(path.read_text().splitlines())
        for path in (ROOT / folder).rglob("*.py")
        if "versions" not in path.parts and "tests" not in path.parts
    }

    assert {path: lines for path, lines in long.items() if lines > LONGEST_FILE} == {}


def test_every_hook_is_used_by_a_plugin_that_is_shipped():
    hooks = {name for name, value in vars(hookspecs).items() if hasattr(value, "bitcart_spec")}
    announcements = {name for name in hooks if name.startswith(("invoice_", "payment_"))}
    implemented = {
        name
        for point in entry_points(group="bitcart")
        for name, value in vars(point.load()).items()
        if hasattr(value, "bitcart_impl")
    }

    assert "announced" in implemented  # hears every announcement, so each of them is used
    assert hooks - announcements <= implemented
