"""Keeping processes: started, restarted with a growing pause, their lines prefixed, all stopped together.

A supervisor that is killed takes its processes with it (`processes.die_with_parent`).
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx2 as httpx

from bitcart_core.errors import ConfigError
from bitcart_core.hosts import Process
from bitcart_core.processes import die_with_parent

_FIRST_PAUSE = 0.5
_LOOK_SECONDS = 1.0
_LONGEST_PAUSE = 30.0
_STEADY_SECONDS = 30.0
_GRACE_SECONDS = 12.0
_LINE_LIMIT = 1 << 20


def bitcart(process: Process) -> Sequence[str]:
    """Return the command line of a host, run by the interpreter that runs us."""
    return (sys.executable, "-m", "bitcart_host_cli", *process.arguments)


@dataclass
class Supervisor:
    """Processes of one deployment.

    Attributes:
        environment: What every process inherits.
        is_quiet: Keep the processes' lines to ourselves, except in `log`.
        command_of: How a process is started.
        revive: Starts servers of our own that ended by themselves, and names them; called every second.
        restarts: How often each process was started again.
    """

    environment: Mapping[str, str]
    is_quiet: bool = False
    command_of: Callable[[Process], Sequence[str]] = bitcart
    revive: Callable[[], Sequence[str]] = lambda: ()
    restarts: dict[str, int] = field(default_factory=dict)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _width: int = 0

    async def run(self, processes: Sequence[Process]) -> None:
        """Keep the processes until `stop` is called or a signal asks for it, then stop them all."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        self._width = max((len(process.name) for process in processes), default=0)
        await asyncio.gather(*(self._keep(process) for process in processes), self._keep_servers())

    def stop(self) -> None:
        """Ask all processes to end; `run` returns when they have."""
        self._stopping.set()

    @property
    def is_stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stopping.is_set()

    async def until_ready(self, processes: Sequence[Process], *, timeout_seconds: float) -> list[str]:
        """Wait until every process with a `ready_url` answers 200.

        Returns:
            The names of those that still did not when the time was over.
        """
        waiting = {process.name: process.ready_url for process in processes if process.ready_url}
        end = time.monotonic() + timeout_seconds
        async with httpx.AsyncClient() as client:
            while waiting and time.monotonic() < end and not self._stopping.is_set():
                for name, url in list(waiting.items()):
                    with contextlib.suppress(httpx.HTTPError):
                        if (await client.get(url)).status_code == httpx.codes.OK:
                            del waiting[name]
                await asyncio.sleep(0.05)
        return list(waiting)

    async def _keep_servers(self) -> None:
        """Look after the servers from the main thread: what it starts hears of our death, whoever dies first."""
        while not self._stopping.is_set():
            try:
                for name in self.revive():
                    self._say(name, "had ended by itself; started again")
            except ConfigError as error:
                self._say("storage", f"{error}; trying again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _LOOK_SECONDS)

    async def _keep(self, process: Process) -> None:
        pause = _FIRST_PAUSE
        while not self._stopping.is_set():
            started = time.monotonic()
            code = await self._run_once(process)
            if self._stopping.is_set():
                return
            pause = _FIRST_PAUSE if time.monotonic() - started > _STEADY_SECONDS else pause
            self._say(process.name, f"ended with code {code}; started again in {pause:.1f} s")
            self.restarts[process.name] = self.restarts.get(process.name, 0) + 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _run_once(self, process: Process) -> int:
        child = await asyncio.create_subprocess_exec(
            *self.command_of(process),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**self.environment, **process.environment},
            start_new_session=True,
            preexec_fn=die_with_parent(),
            limit=_LINE_LIMIT,
        )
        lines = asyncio.create_task(self._print_lines(process.name, child))
        ended, stopping = asyncio.create_task(child.wait()), asyncio.create_task(self._stopping.wait())
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ended.done():
            child.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(ended), _GRACE_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # whatever of its group is left
        code = await ended
        await lines
        return code

    async def _print_lines(self, name: str, child: asyncio.subprocess.Process) -> None:
        while child.stdout is not None:
            try:
                line = await child.stdout.readline()
            except ValueError:
                continue  # a line longer than the limit was dropped
            if not line:
                return
            self._say(name, line.decode(errors="replace").rstrip("\n"))

    def _say(self, name: str, line: str) -> None:
        if not self.is_quiet:
            sys.stdout.write(f"{name:{self._width}} | {line}\n")
            sys.stdout.flush()
