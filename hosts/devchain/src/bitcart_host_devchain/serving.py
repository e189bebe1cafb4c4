"""Runs a development chain until a signal comes or one of its processes ends by itself."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from bitcart_core.devchains import DevchainFactory, RunningChain
from bitcart_core.errors import ConfigError
from bitcart_host_devchain.running import announced, only_one

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOOK_EVERY_SECONDS = 0.5


def serve(factory: DevchainFactory, data_dir: Path, ready: Callable[[RunningChain, Path], None]) -> None:
    """Bring a chain up, say so, and keep it until a signal comes.

    Args:
        factory: Of the coin.
        data_dir: `BITCART_DATA`.
        ready: Called once with the chain and the folder of its logs.

    Raises:
        ConfigError: It did not come up, or ended by itself.
    """
    with only_one(data_dir, factory.coin) as folder, _ended_by_signals():
        devchain = factory.create(data_dir)
        try:
            chain = devchain.start(folder)
            with announced(data_dir, chain):
                ready(chain, folder)
                _watch(devchain.failed)
        finally:
            devchain.stop()


def _watch(failed: Callable[[], str | None]) -> None:
    while (problem := failed()) is None:
        threading.Event().wait(_LOOK_EVERY_SECONDS)
    raise ConfigError(problem)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turn the first signal into a `SystemExit`, and let later ones not disturb the clean-up."""

    def end(_number: int, _frame: FrameType | None) -> None:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
