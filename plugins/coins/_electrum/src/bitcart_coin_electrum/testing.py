"""Run a coin's daemon in a process of its own, with its journal in the memory of the test. For tests of coins only.

Electrum keeps one network for a whole process and never lets go of it, so a test that restarts a daemon, or kills
it, needs a process for it. The journal outlives the daemon, as the real one does.
"""

import asyncio
import contextlib
import faulthandler
import importlib
import itertools
import logging
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, TypeVar

from bitcart_core import BlockEvent, DaemonSettings, PaymentEvent, WalletKey, WatchedRequest

T = TypeVar("T")

PATIENCE_SECONDS = 60.0
"""How long a test waits for what must happen; only a failing test waits that long."""


class MemoryJournal:
    """A `DaemonJournal` in memory: the same rules, nothing durable.

    Attributes:
        events: What was told, oldest first, with the words of the contract.
        outputs: What is known of each request, by transaction and output.
        heights: Every height that was told of an output, in order.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.outputs: dict[str, dict[tuple[str, str], PaymentEvent]] = {}
        self.heights: dict[str, list[int | None]] = {}
        self.requests: dict[str, WatchedRequest] = {}
        self._changed = threading.Condition()

    def watch(self, request: WatchedRequest) -> None:
        """Remember a request."""
        with self._changed:
            self.requests[request.lookup_key] = request
            self._changed.notify_all()

    def watched(self, wallet: str | None = None) -> Sequence[WatchedRequest]:
        """Return what is watched."""
        with self._changed:
            return [request for request in self.requests.values() if wallet in (None, request.wallet)]

    def payments(self, request: WatchedRequest, outputs: Sequence[PaymentEvent], *, summary: Mapping[str, Any]) -> None:
        """Write an event if anything differs from what is known."""
        with self._changed:
            known = self.outputs.get(request.lookup_key, {})
            now = {key: _gone(output) for key, output in known.items()}
            for output in outputs:
                key = (output.txid, output.output)
                now[key] = replace(output, first_seen_at=known.get(key, output).first_seen_at)
            if now == known:
                return
            self.outputs[request.lookup_key] = now
            for output in outputs:
                self.heights.setdefault(output.txid, []).append(output.height)
            self.events.append({"event": "new_payment", "wallet": request.wallet, **summary})
            self._changed.notify_all()

    def block(self, event: BlockEvent) -> None:
        """Write a block."""
        self._write({"event": "new_block", "height": event.height, "hash": event.block_hash})

    def note(self, wallet: str | None, event: Mapping[str, Any]) -> None:
        """Write another event."""
        self._write({"wallet": wallet, **event})

    def of(self, lookup_key: str) -> list[PaymentEvent]:
        """Return what is known of a request."""
        return list(self.outputs.get(lookup_key, {}).values())

    def wait_for(self, find: Callable[[Self], T]) -> T:
        """Wait until something holds and return it.

        Raises:
            TimeoutError: It did not happen; says what did.
        """
        with self._changed:
            if self._changed.wait_for(lambda: find(self), PATIENCE_SECONDS):
                return find(self)
        raise TimeoutError(f"did not happen; events: {self.events}, outputs: {self.outputs}")

    def _write(self, event: dict[str, Any]) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()


def _gone(output: PaymentEvent) -> PaymentEvent:
    return replace(output, is_replaced=True, height=None, block_hash=None, block_time=None)


class RemoteError(Exception):
    """What a daemon raised in its own process.

    Attributes:
        kind: Name of the class of the error.
        code: The contract's code, if the error had one.
    """

    def __init__(self, kind: str, message: str, code: int | None) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code


class DaemonProcess:
    """A daemon in a process of its own.

    Args:
        factory: What builds it, as in an entry point: `package.module:name`.
        settings: For the daemon.
        journal: Kept by the test.
        log: File that the process writes its log to.

    Attributes:
        journal: As given.
    """

    def __init__(self, factory: str, settings: DaemonSettings, journal: MemoryJournal, log: Path) -> None:
        self._factory = factory
        self._settings = settings
        self.journal = journal
        self._log = log
        self._answers: dict[int, Future[Any]] = {}
        self._numbers = itertools.count()
        self._sending = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and the daemon in it.

        Raises:
            RemoteError: The daemon would not start.
        """
        with TemporaryDirectory(prefix="daemon-") as folder, Listener(f"{folder}/socket", family="AF_UNIX") as listener:
            command = [sys.executable, "-m", __spec__.name, self._factory, f"{folder}/socket"]
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(command, stdout=log, stderr=log)
            self._calls, journal_calls = listener.accept(), listener.accept()
        threading.Thread(target=self._serve_journal, args=(journal_calls,), daemon=True).start()
        started: Future[Any] = Future()
        self._answers[-1] = started
        threading.Thread(target=self._read_answers, daemon=True).start()
        self._calls.send(self._settings)
        started.result(PATIENCE_SECONDS)

    def stop(self) -> None:
        """Stop the daemon as its host would, and wait for the end of the process."""
        if self._process.poll() is None:
            with contextlib.suppress(OSError, RemoteError):
                self._calls.send(None)
            try:
                self._process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                # Makes it write where each of its threads hangs.
                self._process.send_signal(signal.SIGABRT)
                self._process.wait()
                raise

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._process.kill()
        self._process.wait()

    def call(self, method: str, *positional: Any, key: WalletKey | str | None = None, **named: Any) -> Any:
        """Call a method and return its answer.

        Raises:
            RemoteError: The daemon raised something.
        """
        return self.begin(method, *positional, key=key, **named).result(PATIENCE_SECONDS)

    def state(self) -> dict[str, Any]:
        """Return what the daemon says of itself."""
        state: dict[str, Any] = self.call(_STATE)
        return state

    def begin(self, method: str, *positional: Any, key: WalletKey | str | None = None, **named: Any) -> Future[Any]:
        """Call a method without waiting for its answer."""
        number = next(self._numbers)
        answer: Future[Any] = Future()
        self._answers[number] = answer
        wallet_key = WalletKey(key=key) if isinstance(key, str) else key
        with self._sending:
            self._calls.send((number, method, positional, named, wallet_key))
        return answer

    def _read_answers(self) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                number, value, error = self._calls.recv()
                if error is None:
                    self._answers.pop(number).set_result(value)
                else:
                    self._answers.pop(number).set_exception(RemoteError(*error))
        for answer in self._answers.values():
            answer.set_exception(RemoteError("EOFError", f"the daemon is gone, see {self._log}", None))

    def _serve_journal(self, calls: Connection) -> None:
        with contextlib.suppress(EOFError, OSError):
            while True:
                method, positional, named = calls.recv()
                try:
                    calls.send((getattr(self.journal, method)(*positional, **named), None))
                except Exception as error:  # noqa: BLE001 - it is sent to who called
                    calls.send((None, error))


_STATE = "the state of the daemon, which is no method"


class _RemoteJournal:
    """The journal as the daemon's process sees it: every call goes to the test and waits for it."""

    def __init__(self, calls: Connection) -> None:
        self._calls = calls

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*positional: object, **named: object) -> Any:
            self._calls.send((method, positional, named))
            value, error = self._calls.recv()
            if error is not None:
                raise error
            return value

        return call


def _serve(factory: str, address: str) -> None:
    """Be the daemon's process."""
    faulthandler.enable()
    logging.basicConfig(level=logging.DEBUG, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    calls, journal_calls = Client(address), Client(address)
    module, name = factory.split(":")
    create = getattr(importlib.import_module(module), name)
    asyncio.run(_answer_calls(create, calls, _RemoteJournal(journal_calls)))


async def _answer_calls(create: Callable[[DaemonSettings, Any], Any], calls: Connection, journal: Any) -> None:
    loop = asyncio.get_running_loop()
    daemon = create(await asyncio.to_thread(calls.recv), journal)
    await _answer(calls, -1, daemon.start())
    under_way = set()
    with contextlib.suppress(EOFError):
        while (call := await loop.run_in_executor(None, calls.recv)) is not None:
            number, method, positional, named, key = call
            work = _state(daemon) if method == _STATE else daemon.call(method, named, positional, key)
            task = asyncio.create_task(_answer(calls, number, work))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    await daemon.stop()


async def _state(daemon: Any) -> dict[str, Any]:
    return dict(daemon.state())


async def _answer(calls: Connection, number: int, work: Any) -> None:
    answer: tuple[int, Any, object]
    try:
        answer = (number, await work, None)
    except Exception as error:  # noqa: BLE001 - it is sent to who asked
        answer = (number, None, (type(error).__name__, str(error), getattr(error, "code", None)))
    calls.send(answer)


if __name__ == "__main__":
    _serve(*sys.argv[1:])
