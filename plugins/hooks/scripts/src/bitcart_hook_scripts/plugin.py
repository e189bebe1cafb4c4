"""The plugin: one target per script, one run per attempt. Which scripts there are is up to the operator alone."""

import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from bitcart_core import (
    ConfigError,
    DeliveryError,
    HealthProblem,
    InvoiceEvent,
    Outcome,
    Plugin,
    PluginContext,
    PluginSettings,
    Rejected,
    StoreView,
    Target,
    hookimpl,
)
from bitcart_hook_scripts.folder import check, find_all, find_scripts, problems
from bitcart_hook_scripts.running import Cage, Run, run

EX_TEMPFAIL = 75
"""Exit code for "try again later" (sysexits.h)."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_EXCERPT_CHARACTERS = 4000
_MEBIBYTE = 1024 * 1024


class ScriptsSettings(PluginSettings):
    """The operator's table `[scripts]` in plugins.toml."""

    folder: Path | None = Field(default=None, description="Where the scripts are, absolute; none: nothing ever runs.")
    deadline_seconds: float = Field(default=30, gt=0, le=60, description="Then everything of the script is killed.")
    uid: int | None = Field(default=None, ge=1, description="User to run scripts as, with gid; needs root.")
    gid: int | None = Field(default=None, ge=1, description="Group to run scripts as, with uid; needs root.")
    cpu_seconds: int = Field(default=30, ge=1, description="Of each process.")
    memory_mib: int = Field(default=1024, ge=16, description="Address space of each process.")
    file_mib: int = Field(default=64, ge=0, description="Largest file that may be written.")
    open_files: int = Field(default=256, ge=16, description="Of each process.")
    processes: int = Field(default=64, ge=1, description="Of all scripts together; in force only with uid.")

    @field_validator("folder")
    @classmethod
    def _is_absolute(cls, folder: Path | None) -> Path | None:
        if folder is not None and not folder.is_absolute():
            raise ValueError(f"{folder} is not absolute; write the whole path, such as /etc/bitcart/scripts")
        return folder

    @model_validator(mode="after")
    def _has_both_ids(self) -> Self:
        if (self.uid is None) != (self.gid is None):
            raise ValueError("uid and gid belong together; set both or neither")
        return self

    @property
    def cage(self) -> Cage:
        """What a script may use."""
        limits = {
            "RLIMIT_CPU": self.cpu_seconds,
            "RLIMIT_AS": self.memory_mib * _MEBIBYTE,
            "RLIMIT_FSIZE": self.file_mib * _MEBIBYTE,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CORE": 0,
        }
        if self.uid is not None:
            limits["RLIMIT_NPROC"] = self.processes
        return Cage(deadline_seconds=self.deadline_seconds, limits=limits, uid=self.uid, gid=self.gid)


class Scripts(Plugin):
    """Run `FOLDER/KIND` and `FOLDER/KIND.d/*` for each event, with the event as JSON on standard input."""

    Settings = ScriptsSettings
    settings: ScriptsSettings

    def __init__(self, settings: ScriptsSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        if settings.folder is not None and sys.platform != "linux":
            raise ConfigError("[scripts] works on Linux only; remove folder")
        if settings.uid not in {None, os.geteuid()} and os.geteuid() != 0:
            raise ConfigError(f"[scripts] uid = {settings.uid} needs root; start as root or remove uid and gid")

    @hookimpl
    def delivery_targets(self, event: InvoiceEvent, store: StoreView) -> list[Target]:  # noqa: ARG002 - one folder for all stores
        """Name the scripts of this kind of event, one target each."""
        if self.settings.folder is None:
            return []
        return [
            Target(key=_key(name), label=name, data={"script": name})
            for name in find_scripts(self.settings.folder, event.kind)
        ]

    @hookimpl
    def announced(self, event: InvoiceEvent, store: StoreView, target: Target) -> Outcome:  # noqa: ARG002
        """Run one script.

        Raises:
            Rejected: The script is there no more.
            DeliveryError: It was refused, it failed, or it had to be stopped.
        """
        name, folder = str(target.data.get("script", "")), self.settings.folder
        if folder is None or name not in find_scripts(folder, event.kind):
            raise Rejected(f"the script {name} was removed since the event")
        payload = json.dumps(event.to_json()).encode() + b"\n"  # one line, for a shell's `read`
        result = run(check(folder, name), payload, _environment(event), self.settings.cage)
        return _judge(name, result, self.settings)

    @hookimpl
    def check_health(self) -> Iterator[HealthProblem]:
        """Tell of a missing folder and of every script that would be refused."""
        folder = self.settings.folder
        if folder is None:
            return
        if not folder.is_dir():
            yield HealthProblem(subject=str(folder), message=f"the scripts folder {folder} is not there; create it")
            return
        for name, fault in problems(folder, find_all(folder)):
            yield HealthProblem(subject=name, message=fault)


def _environment(event: InvoiceEvent) -> dict[str, str]:
    return {"PATH": _PATH, "LANG": "C.UTF-8", "BITCART_EVENT": event.kind, "BITCART_EVENT_ID": event.id}


def _key(name: str) -> str:
    return name if len(name) <= 200 else hashlib.sha256(name.encode()).hexdigest()


def _judge(name: str, result: Run, settings: ScriptsSettings) -> Outcome:
    """Turn what came of a script into an outcome, or into the error that says why it is due again."""
    detail: dict[str, object] = {
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
        "stdout": result.stdout[-_EXCERPT_CHARACTERS:],
        "stderr": result.stderr[-_EXCERPT_CHARACTERS:],
    }
    if result.exit_code == 0 and not result.error and not result.left:
        return Outcome(summary=f"{name} exited with 0 after {result.seconds:.1f} s", detail=detail)
    raise DeliveryError(f"{name} {_fault(result, settings)}", detail=detail)


def _fault(result: Run, settings: ScriptsSettings) -> str:
    """Say in words what went wrong, with the last line that the script wrote to standard error."""
    last_line = next(reversed(result.stderr.strip().splitlines()), "")[:500]
    said = f": {last_line}" if last_line else ""
    if result.error:
        return f"could not be started: {result.error}"
    if result.left:
        return f"left {result.left} processes that could not be killed"
    if result.is_flood:
        return "wrote without end and was stopped"
    return _ending(result.exit_code, settings) + said


def _ending(exit_code: int | None, settings: ScriptsSettings) -> str:
    if exit_code is None:
        return f"did not end within {settings.deadline_seconds:g} seconds and was killed"
    if exit_code < 0:
        return f"was ended by signal {-exit_code} ({signal.strsignal(-exit_code)})"
    if exit_code == EX_TEMPFAIL:
        return f"asks to be run again later (exit code {EX_TEMPFAIL})"
    return f"failed with exit code {exit_code}"
