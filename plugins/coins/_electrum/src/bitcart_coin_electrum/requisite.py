"""Provides the Electrum that the daemon runs inside itself: Debian's, or one that the operator names.

Only the folder `electrum/` is exposed, so that nothing else of Debian's Python gets onto the path. Imports no
Electrum and needs none of what Electrum needs.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bitcart_coin_requisites import (
    ANY_ARCHITECTURE,
    Archive,
    Build,
    DebianFiles,
    DebianPackage,
    find_archive,
    home_of,
    install_folder,
    is_installed,
)

from bitcart_core import ConfigError

SETTING = "BITCART_ELECTRUM"
VERSION = "4.3.4"
LIBRARY = "libsecp256k1.so.1"

ELECTRUM = DebianPackage(
    name="python3-electrum",
    builds=(
        Build(
            version="4.3.4+dfsg1-1+deb12u2",
            sha256={ANY_ARCHITECTURE: "06b967a35a5a01841b497f5a447f6c5d9f5224d57df547683292685ab738fc48"},
        ),
        Build(
            version="4.3.4+dfsg1-1+deb12u1",
            sha256={ANY_ARCHITECTURE: "f8ebc6b0e6fbfddaff488fb05f9411ee2028adfbcf721f00fcd99b22ed811e63"},
            caution="bumping fees is unsafe in it (CVE-2026-117601); add bookworm-security to apt's sources",
        ),
    ),
)
SECP256K1 = DebianPackage(
    name="libsecp256k1-1",
    builds=(
        Build(
            version="0.2.0-2",
            sha256={
                "amd64": "d6de95cc96d97936900bad1af561f8c2e73906f5956ca48906d49771197232a8",
                "arm64": "364f2866d774ea1b6adf54ae04987f2dee991b6ed1493db84c62b73bb5ee0ea3",
                "armhf": "b671e35d0b14c16f122608d7b7d82a4421203ac8f4c0db670a7816680b885f93",
                "i386": "d5b12a2fb870a1d6f19dd4da8693dcf5470125d9a6593002230acc0eeeeb1e2a",
                "ppc64el": "02a7d981128db0044b7a2990ae6726c9f39c2ad09f605ff78d54d7284659f0dd",
            },
        ),
    ),
)


def _pick(unpacked: Path, home: Path) -> None:
    """Keep Electrum, and beside its `ecc_fast.py` the library, where it looks before it asks the system."""
    electrum = home / "electrum"
    (unpacked / "usr/lib/python3/dist-packages/electrum").rename(electrum)
    (library,) = (unpacked / "usr/lib").glob(f"*/{LIBRARY}")
    shutil.copyfile(library, electrum / LIBRARY)


DEBIAN_ELECTRUM = DebianFiles(
    name=f"electrum/{VERSION}",
    purpose="Electrum, the wallet inside the daemon",
    packages=(ELECTRUM, SECP256K1),
    pick=_pick,
    otherwise=f"name an Electrum of your own in {SETTING}: a folder that holds electrum/, or an archive",
)


@dataclass(frozen=True)
class ElectrumRequisite:
    """`Requisite` of the coins built on Electrum.

    Attributes:
        source: A folder that holds `electrum/`; a .tar.gz or .zip file; a URL of one with `#sha256=HEX` at its end;
            or empty for what the environment variable `BITCART_ELECTRUM` says, and Debian's Electrum if it is not set.
    """

    source: str = ""
    name: str = "electrum"
    purpose: str = DEBIAN_ELECTRUM.purpose

    def path(self, data_dir: Path) -> Path:
        """Return the folder to append to `sys.path`.

        Raises:
            ConfigError: There is no Electrum; says the remedy.
        """
        if problem := self.problem(data_dir):
            raise ConfigError(problem)
        return self._place(data_dir)

    def problem(self, data_dir: Path) -> str | None:
        """Return what is missing and the remedy, or None."""
        try:
            place = self._place(data_dir)
        except ConfigError as error:
            return str(error)
        if not self._source():
            return DEBIAN_ELECTRUM.problem(data_dir)
        if _holds_electrum(place):
            return None
        if Path(self._source()).is_dir():
            return f"{SETTING} is {self._source()!r}, which holds no folder electrum/ with Electrum in it"
        return f"the Electrum that {SETTING} names is not installed in {data_dir}; run `bitcart setup`"

    def install(self, data_dir: Path, report: Callable[[str], None]) -> None:
        """Fetch it; return at once if it is there.

        Raises:
            ConfigError: It could not be had; says the remedy.
        """
        source = self._source()
        if not source:
            DEBIAN_ELECTRUM.install(data_dir, report)
        elif not Path(source).is_dir():
            _install_archive(self._place(data_dir), find_archive(source, setting=SETTING), report)
        if problem := self.problem(data_dir):
            raise ConfigError(problem)

    def _source(self) -> str:
        return self.source or os.environ.get(SETTING, "")

    def _place(self, data_dir: Path) -> Path:
        source = self._source()
        if not source:
            return DEBIAN_ELECTRUM.home(data_dir)
        if Path(source).is_dir():
            return Path(source).absolute()
        return home_of(data_dir, "electrum") / find_archive(source, setting=SETTING).sha256[:16]


def electrum_path(bitcart_data: Path, source: str = "") -> Path:
    """Return the folder to append to `sys.path` before `import electrum`.

    Args:
        bitcart_data: `BITCART_DATA`.
        source: As in `ElectrumRequisite`.

    Raises:
        ConfigError: There is no Electrum; says the remedy.
    """
    return ElectrumRequisite(source).path(bitcart_data)


def problem(bitcart_data: Path, source: str = "") -> str | None:
    """Return why there is no Electrum and the remedy, for `bitcart doctor`; None if there is one."""
    return ElectrumRequisite(source).problem(bitcart_data)


def _holds_electrum(folder: Path) -> bool:
    return (folder / "electrum" / "version.py").is_file()


def _install_archive(home: Path, archive: Archive, report: Callable[[str], None]) -> None:
    if is_installed(home, archive.sha256):
        return

    def fill(folder: Path) -> None:
        unpacked = folder / ".unpacked"
        archive.unpack(unpacked, report)
        found = sorted(unpacked.rglob("electrum/version.py"), key=lambda file: len(file.parts))
        if not found:
            raise ConfigError(
                f"{SETTING} names {archive.location}, which holds no folder electrum/ with Electrum in it"
            )
        found[0].parent.rename(folder / "electrum")
        shutil.rmtree(unpacked)

    install_folder(home, archive.sha256, fill)
    report(f"electrum is in {home}")
