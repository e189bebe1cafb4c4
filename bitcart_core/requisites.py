"""What a plugin needs that no Python index carries; `bitcart setup` fetches it, `bitcart doctor` checks it."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol


class Requisite(Protocol):
    """Something a plugin needs that no Python index carries: a program, a library, another language's package."""

    @property
    def name(self) -> str:
        """Unique in a deployment, and the name of its folder."""

    @property
    def purpose(self) -> str:
        """What it is for, in a few words."""

    def problem(self, data_dir: Path) -> str | None:
        """Return what is missing or broken and the remedy in a sentence, or None if all is well."""

    def install(self, data_dir: Path, report: Callable[[str], None]) -> None:
        """Fetch and check it; return at once if it is there.

        Args:
            data_dir: `BITCART_DATA`; nothing is written elsewhere.
            report: Called with a short line per step.

        Raises:
            ConfigError: It could not be had; says the remedy.
        """
