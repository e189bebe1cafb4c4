"""Where a running chain can be found: a file that exists as long as the chain does, readable by its owner alone."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from bitcart_core.devchains import RunningChain
from bitcart_core.errors import ConfigError


def chains_folder(data_dir: Path) -> Path:
    """Return the folder of all development chains: `BITCART_DATA/devchain`."""
    return data_dir / "devchain"


@contextmanager
def only_one(data_dir: Path, coin: str) -> Iterator[Path]:
    """Keep a second chain of a coin out of a data folder; give the folder for the chain's logs and data.

    Raises:
        ConfigError: One runs already.
    """
    folder = chains_folder(data_dir) / coin
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                f"a development chain of {coin} runs already in {data_dir}; stop it, or set another BITCART_DATA"
            ) from None
        yield folder


@contextmanager
def announced(data_dir: Path, chain: RunningChain) -> Iterator[None]:
    """Let other processes find a chain, until the block ends."""
    file = chains_folder(data_dir) / f"{chain.coin}.json"
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as content:
        json.dump(chain.to_json(), content)
    partial.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def find_running(data_dir: Path, coin: str | None) -> RunningChain:
    """Return the chain of a coin that runs, or the only one that does.

    Raises:
        ConfigError: None runs, or the choice is not clear.
    """
    found = {file.stem: file for file in sorted(chains_folder(data_dir).glob("*.json"))}
    if coin is None and len(found) > 1:
        raise ConfigError(f"development chains of {', '.join(found)} run; choose one with --coin")
    file = found.get(coin or next(iter(found), ""))
    if file is None:
        what = f"of {coin} " if coin else ""
        raise ConfigError(f"no development chain {what}runs in {data_dir}; start one with `bitcart devchain`")
    try:
        return RunningChain.from_json(json.loads(file.read_text()))
    except (OSError, ValueError, ValidationError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); remove it and start the chain again") from None
