"""The dispatcher: woken by a committed event, or by the clock, it queues what is due. Any number may run at once."""

import logging
import threading
from types import TracebackType
from typing import Self

import psycopg
from redis import RedisError
from sqlalchemy.exc import SQLAlchemyError

from bitcart_core import outbox
from bitcart_core.kernel import Kernel

log = logging.getLogger(__name__)

SWEEP_SECONDS = 1.0
_RECONNECT_SECONDS = 1.0


class Dispatcher:
    """A thread that dispatches while its block lasts."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="dispatcher", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._thread.join(timeout=SWEEP_SECONDS + 5)

    def _run(self) -> None:
        """Dispatch until told to stop; a database that went away is waited for."""
        while not self._stopping.is_set():
            try:
                with outbox.listen(self._kernel.settings.database_url) as connection:
                    self._dispatch_on(connection)
            except (psycopg.Error, SQLAlchemyError, RedisError) as error:
                log.warning("dispatcher: %s; trying again", str(error).splitlines()[0])
                self._stopping.wait(_RECONNECT_SECONDS)
            except Exception:
                log.exception("dispatcher: trying again")
                self._stopping.wait(_RECONNECT_SECONDS)

    def _dispatch_on(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        while not self._stopping.is_set():
            while outbox.dispatch(self._kernel):
                pass  # more than one batch was due
            for _ in connection.notifies(timeout=SWEEP_SECONDS, stop_after=1):
                pass
