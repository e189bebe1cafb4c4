"""Files out of Debian packages, without root and without a change to the system.

apt checks the mirror's signatures as always, with lists and a cache of our own that are thrown away again; what it
brings is then compared with the hash pinned in our source. Refuses every version that is not pinned.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bitcart_coin_requisites.commands import run
from bitcart_coin_requisites.installing import fingerprint, home_of, install_folder, is_installed
from bitcart_core import ConfigError

ANY_ARCHITECTURE = "all"

_CONFIGURATION = """\
Dir::State "{folder}";
Dir::State::lists "{folder}/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "{folder}/cache";
Acquire::Languages "none";
// a source that cannot be read is an error and not a warning
APT::Update::Error-Mode "any";
// apt would download as a user of its own, who may not enter our folder
APT::Sandbox::User "root";
// what the system does after its own updates
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""
"""Read after the system's own, so that it wins (apt.conf(5)); sources and keys stay the system's."""


@dataclass(frozen=True, kw_only=True)
class Build:
    """One version of a package that we accept.

    Attributes:
        version: As Debian writes it.
        sha256: Of the .deb file, by architecture; `all` for packages that fit any.
        caution: What the operator should know of this version, or empty.
    """

    version: str
    sha256: Mapping[str, str]
    caution: str = ""


@dataclass(frozen=True, kw_only=True)
class DebianPackage:
    """A package with the versions of it that we accept, the best first."""

    name: str
    builds: Sequence[Build]


@dataclass(frozen=True, kw_only=True)
class DebianFiles:
    """`Requisite` of files that Debian packages hold.

    Attributes:
        name: Of the folder below `BITCART_DATA/requisites`, unique among requisites; may have levels.
        purpose: What they are for.
        packages: Where they come from.
        pick: Moves what is wanted from the unpacked packages (first folder) into the requisite (second folder).
        otherwise: What an operator can do who cannot have these packages; a whole clause.
    """

    name: str
    purpose: str
    packages: Sequence[DebianPackage]
    pick: Callable[[Path, Path], None]
    otherwise: str

    def home(self, data_dir: Path) -> Path:
        """Return the folder that holds the files."""
        return home_of(data_dir, self.name)

    def problem(self, data_dir: Path) -> str | None:
        """Return what is missing and the remedy, or None."""
        if is_installed(self.home(data_dir), self._fingerprint()):
            return None
        return f"{self.name} is not installed in {data_dir}; run `bitcart setup`, or {self.otherwise}"

    def install(self, data_dir: Path, report: Callable[[str], None]) -> None:
        """Fetch the packages and keep what is picked; return at once if it is there.

        Raises:
            ConfigError: No apt here, a version that we do not know, or a wrong hash; says the remedy.
        """
        home = self.home(data_dir)
        if is_installed(home, self._fingerprint()):
            return
        install_folder(home, self._fingerprint(), lambda folder: self._fill(folder, report))
        report(f"{self.name} is in {home}")

    def _fill(self, folder: Path, report: Callable[[str], None]) -> None:
        work = folder / ".work"
        apt = _PrivateApt(work, otherwise=self.otherwise)
        report("reading the package lists of this system's Debian mirror")
        apt.refresh()
        unpacked = work / "unpacked"
        for package in self.packages:
            build = apt.choose(package)
            report(f"fetching {package.name} {build.version}")
            if build.caution:
                report(f"{package.name} {build.version}: {build.caution}")
            apt.unpack(apt.download(package.name, build), unpacked)
        self.pick(unpacked, folder)
        shutil.rmtree(work)

    def _fingerprint(self) -> str:
        return fingerprint(*(repr((package.name, package.builds)) for package in self.packages))


class _PrivateApt:
    """apt with lists and a cache of its own; the system's sources and keys."""

    def __init__(self, folder: Path, *, otherwise: str) -> None:
        if missing := [program for program in ("apt-get", "dpkg-deb") if shutil.which(program) is None]:
            raise ConfigError(f"{missing[0]} is not on this system, which seems not to be Debian; {otherwise}")
        self._otherwise = otherwise
        self._downloads = folder / "downloads"
        self._configuration = folder / "apt.conf"
        for part in ("lists/partial", "cache/archives/partial", "downloads"):
            (folder / part).mkdir(parents=True)
        self._configuration.write_text(_CONFIGURATION.format(folder=folder))
        self._unreadable: ConfigError | None = None

    def refresh(self) -> None:
        """Read the lists of all sources; one that cannot be read matters only if a package is missing then."""
        try:
            self._run("apt-get", "update", "--quiet", doing="read the package lists of this system's mirrors")
        except ConfigError as error:
            self._unreadable = error

    def choose(self, package: DebianPackage) -> Build:
        """Return the best build that a mirror offers for this machine."""
        offered = self._offered(package.name)
        for build in package.builds:
            if build.version in offered and self._hash_of(build):
                return build
        if self._unreadable:
            raise self._unreadable
        known = ", ".join(build.version for build in package.builds)
        there = ", ".join(offered) or "no such package"
        raise ConfigError(
            f"this system's mirrors offer {there} where {package.name} {known} is known for {self._architecture()}; "
            f"update Bitcart, or {self._otherwise}"
        )

    def download(self, name: str, build: Build) -> Path:
        """Return the file of a package once its hash is right."""
        folder = self._downloads / name
        folder.mkdir()
        self._run("apt-get", "download", f"{name}={build.version}", doing=f"fetch {name}", folder=folder)
        (file,) = folder.glob("*.deb")
        actual, expected = hashlib.sha256(file.read_bytes()).hexdigest(), self._hash_of(build)
        if actual != expected:
            raise ConfigError(
                f"{file.name} has the SHA-256 {actual} where {expected} is pinned; do not trust this mirror, "
                f"name another in apt's sources, or {self._otherwise}"
            )
        return file

    def unpack(self, file: Path, folder: Path) -> None:
        """Unpack a package's files; runs none of its scripts."""
        self._checked(("dpkg-deb", "--extract", str(file), str(folder)), doing=f"unpack {file.name}")

    def _offered(self, name: str) -> list[str]:
        lines = self._run("apt-cache", "madison", name, doing=f"look up {name}").splitlines()
        return list(dict.fromkeys(line.split("|")[1].strip() for line in lines if line.count("|") >= 2))

    def _hash_of(self, build: Build) -> str | None:
        return build.sha256.get(ANY_ARCHITECTURE) or build.sha256.get(self._architecture())

    def _architecture(self) -> str:
        return self._checked(("dpkg", "--print-architecture"), doing="tell the architecture of this system").strip()

    def _run(self, program: str, *arguments: str, doing: str, folder: Path | None = None) -> str:
        return self._checked((program, f"--config-file={self._configuration}", *arguments), doing=doing, folder=folder)

    def _checked(self, command: Sequence[str], *, doing: str, folder: Path | None = None) -> str:
        environment = os.environ | {"LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        remedy = f"check the network and apt's sources, or {self._otherwise}"
        return run(command, doing=doing, remedy=remedy, folder=folder, environment=environment)
