"""Packages of npm, exactly as locked, without running any of their scripts."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from pathlib import Path

from bitcart_coin_requisites.commands import run
from bitcart_coin_requisites.installing import fingerprint, home_of, install_folder, is_installed
from bitcart_coin_requisites.nodejs import find_nodejs, provide_nodejs

_LOCKED = ("package.json", "package-lock.json")


@dataclass(frozen=True, kw_only=True)
class NpmPackages:
    """`Requisite` of npm packages that a lock file names with their hashes (sha512, checked by npm).

    Attributes:
        name: Of the folder below `BITCART_DATA/requisites`, unique among requisites.
        purpose: What they are for.
        locked_in: Folder that holds package.json and package-lock.json, shipped with the plugin.
    """

    name: str
    purpose: str
    locked_in: Traversable

    def modules(self, data_dir: Path) -> Path:
        """Return the folder to name in `NODE_PATH`."""
        return home_of(data_dir, self.name) / "node_modules"

    def problem(self, data_dir: Path) -> str | None:
        """Return what is missing and the remedy, or None."""
        if not is_installed(home_of(data_dir, self.name), self._fingerprint()):
            return f"{self.name} is not installed in {data_dir}; run `bitcart setup`"
        if find_nodejs(data_dir) is None:
            return f"{self.name} is installed and there is no Node.js to run it; run `bitcart setup`"
        return None

    def install(self, data_dir: Path, report: Callable[[str], None]) -> None:
        """Fetch them, and Node.js where there is none; return at once if all is there.

        Raises:
            ConfigError: They could not be had; says the remedy.
        """
        nodejs = provide_nodejs(data_dir, report)
        home = home_of(data_dir, self.name)
        if is_installed(home, self._fingerprint()):
            return
        report(f"fetching {self.name} from npm")
        install_folder(home, self._fingerprint(), lambda folder: self._fetch(folder, nodejs.npm))
        report(f"{self.name} is in {home}")

    def _fetch(self, folder: Path, npm: tuple[str, ...]) -> None:
        for name in _LOCKED:
            (folder / name).write_bytes((self.locked_in / name).read_bytes())
        cache = folder / ".cache"
        quiet = ("--no-audit", "--no-fund", "--loglevel=error", "--logs-max=0")
        run(
            (*npm, "ci", "--ignore-scripts", "--omit=dev", f"--cache={cache}", *quiet),
            doing=f"fetch {self.name} from npm",
            remedy="check the network and the registry that `npm config get registry` names, then try again",
            folder=folder,
            environment=os.environ | {"NO_UPDATE_NOTIFIER": "1", "NODE_DISABLE_COMPILE_CACHE": "1"},
        )
        shutil.rmtree(cache)

    def _fingerprint(self) -> str:
        return fingerprint(*((self.locked_in / name).read_bytes() for name in _LOCKED))
