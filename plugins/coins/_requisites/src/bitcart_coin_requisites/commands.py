"""Runs another program and turns its failure into one sentence for the operator."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from bitcart_core import ConfigError

_TIMEOUT_SECONDS = 900


def run(
    command: Sequence[str],
    *,
    doing: str,
    remedy: str,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a program to its end and return what it printed.

    Args:
        command: Program and arguments; no shell.
        doing: What it is run for, as in `could not DOING`.
        remedy: What the operator can do about it; a whole clause.
        folder: Where it runs; by default where we do.
        environment: All of its environment; by default ours.

    Raises:
        ConfigError: It could not be started, did not end, or ended with an error, whose last lines are quoted.
    """
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ConfigError(f"could not {doing}: {error}; {remedy}") from error
    if done.returncode:
        raise ConfigError(f"could not {doing}: {_last_words(done)}; {remedy}")
    return done.stdout


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return " | ".join(lines[-3:])[-800:] or f"{done.args[0]} ended with status {done.returncode}"
