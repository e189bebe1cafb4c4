"""Ask one price service over HTTP: under one deadline, with a bounded answer, and not again while it asks for peace."""

import json
import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2 as httpx
from pydantic import Field, field_validator

from bitcart_core import PluginSettings, RateUnavailable

MAX_ANSWER_BYTES = 8 * 1024 * 1024
_FIRST_PAUSE_SECONDS = 30.0
_LONGEST_PAUSE_SECONDS = 3600.0
_MOST_AT_ONCE = 8


class RateSettings(PluginSettings):
    """What every rate source on the web lets an operator set."""

    base_url: str = Field(description="Where the service is; without a slash at the end.")
    max_age_seconds: float = Field(default=900, gt=0, description="An older price is not used.")

    @field_validator("base_url")
    @classmethod
    def _is_web_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{url!r} is not a web address; write one that begins with https://")
        return url.rstrip("/")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service said.

    Attributes:
        content: JSON; numbers with a point are `Decimal`.
        sent_at: When the service says it sent it (RFC 9110, Date), so that a stale cache in between shows; else now.
    """

    content: Any
    sent_at: datetime


class PriceService:
    """One service; remembers until when it wants to be left alone.

    Args:
        name: Of the rate source, for messages.
        base_url: Without a slash at the end.
        headers: Sent each time, such as an API key.
        says_too_many: Tells from an answer's JSON that the service wants to be left alone, for those that say so
            with status 200.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        says_too_many: Callable[[Any], bool] = lambda _: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._base_url = base_url
        self._headers = dict(headers or {})
        self._says_too_many = says_too_many
        self._clock = clock
        self._client: httpx.Client | None = None
        self._pid = 0
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        self._pauses = 0
        self._quiet_until = float("-inf")

    def get(self, path: str, parameters: Mapping[str, str], *, timeout_seconds: float) -> Answer:
        """Ask once. Whatever the service does, this returns or raises when the time is over.

        Args:
            path: Begins with a slash.
            parameters: Of the query.
            timeout_seconds: For everything together, the name look-up and a dripping answer included.

        Raises:
            RateUnavailable: No answer in time, an error, not JSON, or the service still wants to be left alone.
        """
        self._check_peace()
        if timeout_seconds <= 0:
            raise RateUnavailable(f"no time was left to ask {self._name}")
        if not self._places.acquire(blocking=False):
            raise RateUnavailable(f"{self._name}: {_MOST_AT_ONCE} questions are still without an answer")
        future: Future[Answer] = Future()

        def ask() -> None:
            try:
                future.set_result(self._ask(path, parameters, timeout_seconds))
            except BaseException as error:  # noqa: BLE001 - raised again where the answer is waited for
                future.set_exception(error)
            finally:
                self._places.release()

        threading.Thread(target=ask, name=f"rates-{self._name}", daemon=True).start()
        try:
            answer = future.result(timeout_seconds)
        except TimeoutError:
            raise RateUnavailable(f"{self._name} did not answer within {timeout_seconds:g} seconds") from None
        self._pauses = 0
        return answer

    def _pause(self, seconds: float | None = None) -> None:
        """Leave the service alone: as long as it asked for, and each time in a row twice as long as before."""
        own = _FIRST_PAUSE_SECONDS * 2 ** min(self._pauses, 10)
        self._pauses += 1
        self._quiet_until = self._clock() + min(max(seconds or 0.0, own), _LONGEST_PAUSE_SECONDS)

    def _check_peace(self) -> None:
        left = self._quiet_until - self._clock()
        if left > 0:
            raise RateUnavailable(f"{self._name} asked to be left alone; it is asked again in {left:.0f} seconds")

    def _ask(self, path: str, parameters: Mapping[str, str], timeout_seconds: float) -> Answer:
        ends_at = time.monotonic() + timeout_seconds
        try:
            with self._own_client().stream(
                "GET", self._base_url + path, params=dict(parameters), timeout=timeout_seconds
            ) as response:
                self._check_status(response)
                content = self._parse(self._read(response, ends_at))
                self._check_content(content)
                return Answer(content=content, sent_at=_sent_at(response))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RateUnavailable(f"{self._name} could not be asked: {str(error) or type(error).__name__}") from error

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            return
        if response.status_code in {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}:
            self._pause(_retry_after(response))
        raise RateUnavailable(f"{self._name} answered {response.status_code}")

    def _check_content(self, content: Any) -> None:
        if self._says_too_many(content):
            self._pause()
            raise RateUnavailable(f"{self._name} says that it was asked too often")

    def _read(self, response: httpx.Response, ends_at: float) -> bytes:
        text = bytearray()
        for chunk in response.iter_bytes():
            text += chunk
            if len(text) > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                raise RateUnavailable(f"{self._name} sent more than it should or slower than it should")
        return bytes(text)

    def _parse(self, text: bytes) -> Any:
        try:
            return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise RateUnavailable(f"{self._name} did not answer with JSON: {error}") from error

    def _own_client(self) -> httpx.Client:
        """Return this process's client: two processes must never speak on one connection after a fork."""
        if self._client is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._client = httpx.Client(headers={"accept": "application/json", **self._headers})
            weakref.finalize(self, self._client.close)
        return self._client


def _sent_at(response: httpx.Response) -> datetime:
    now = datetime.now(UTC)
    try:
        sent_at = parsedate_to_datetime(response.headers.get("date", ""))
    except ValueError:
        return now
    return sent_at if sent_at.tzinfo is not None else now


def _retry_after(response: httpx.Response) -> float | None:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isascii() and text.isdigit() else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")
