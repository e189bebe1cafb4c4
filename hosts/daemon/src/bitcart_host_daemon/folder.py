"""A daemon's own folder: made, checked, and held by one process at a time."""

import fcntl
import os
from pathlib import Path

from bitcart_core.errors import ConfigError


class Folder:
    """The data folder of one coin on one network, held until `release` or the end of the process.

    Args:
        path: Created with mode 0700 if it does not exist.

    Raises:
        ConfigError: It cannot be used, or another daemon holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path)
        self._handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            # The lock is on the folder itself, so there is no file to leave behind; a killed process lets go of it.
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise ConfigError(
                f"another daemon is running in {path}; stop it, or choose another folder with --data"
            ) from error

    def release(self) -> None:
        """Let another process use the folder."""
        os.close(self._handle)


def make_folder(path: Path) -> None:
    """Make a folder that only its owner may enter, with its parents; harmless if it is there.

    Raises:
        ConfigError: It cannot be made, or not be written to.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror
        raise ConfigError(f"cannot make the data folder {path}: {reason}; choose another with --data") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise ConfigError(f"the data folder {path} is not writable; correct its owner, or choose another with --data")
