"""What several tests of fetching share: a folder for everyone, and a child process that is nobody."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user can enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="bitcart-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def without_rights(open_folder: Path) -> Callable[[Callable[[Path], None]], int]:
    """Run an action with a data folder of its own in a child process that gave up root; return its exit code."""

    def run(action: Callable[[Path], None]) -> int:
        data = open_folder / "data"
        data.mkdir()
        if os.geteuid() == 0:
            os.chown(data, NOBODY, NOBODY)
        if (child := os.fork()) == 0:
            code = 1
            try:
                _give_up_root()
                os.environ["HOME"] = "/nonexistent"
                action(data)
                code = 0
            except Exception as error:  # noqa: BLE001 - the child must not return into pytest
                sys.__stderr__.write(f"{error!r}\n")  # type: ignore[union-attr]
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return run


def _give_up_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
