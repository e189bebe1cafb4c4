"""Ask the REST API for an invoice and its store, as any stranger may. Sends no credentials and keeps no answer."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from bitcart_checkout_page.invoice import Invoice, Store

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_RETRY_AFTER_SECONDS = 30
_ABSENT = frozenset({400, 401, 403, 404, 405, 410, 422})
TOO_MANY = 429

Read = TypeVar("Read", bound=BaseModel)


class InvoiceNotFoundError(Exception):
    """There is no such invoice, or none that a stranger may see."""


class ApiDownError(Exception):
    """The API did not answer, or not with an invoice.

    Attributes:
        status: What to answer the buyer: 503 if time may mend it, 502 if the answer made no sense, 429.
        retry_after_seconds: When it is worth another try.
    """

    def __init__(self, reason: str, *, status: int = 503, retry_after_seconds: int = _RETRY_AFTER_SECONDS) -> None:
        super().__init__(reason)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


class Api:
    """The public part of the REST API.

    Args:
        client: Knows where the API is; its own deadlines do not matter.
        timeout_seconds: For all questions of one page together, since an API in process knows no deadline.
    """

    def __init__(self, client: httpx.AsyncClient, *, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    async def find(self, invoice_id: str) -> tuple[Invoice, Store]:
        """Return an invoice and its store.

        Raises:
            InvoiceNotFoundError: The API knows no such invoice.
            ApiDownError: The API is away, slow, overrun or speaks nonsense.
        """
        if not _ID.fullmatch(invoice_id):
            raise InvoiceNotFoundError(invoice_id)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                invoice = await self._read(Invoice, "invoices", invoice_id)
                return invoice, await self._read(Store, "stores", invoice.store_id)
        except TimeoutError:
            raise ApiDownError(f"no answer within {self._timeout_seconds:g} seconds") from None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _read(self, kind: type[Read], collection: str, item_id: str) -> Read:
        path = f"/{collection}/{item_id}"
        try:
            answer = await self._client.get(path)
        except httpx.HTTPError as error:
            raise ApiDownError(f"{path}: {str(error) or type(error).__name__}") from error
        if answer.status_code in _ABSENT:
            raise InvoiceNotFoundError(path)
        if answer.status_code != httpx.codes.OK:
            raise ApiDownError(
                f"{path} answered {answer.status_code}",
                status=TOO_MANY if answer.status_code == TOO_MANY else 503,
                retry_after_seconds=_retry_after(answer.headers),
            )
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            fields = ", ".join(sorted({str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}))
            raise ApiDownError(
                f"{path} did not answer with a valid object: {fields or 'no JSON'}", status=502
            ) from None


def client_for(api: Any, url: str | None, *, timeout_seconds: float) -> httpx.AsyncClient:
    """Return a client of the API.

    Args:
        api: The ASGI application of the API, asked in process; not used if there is a URL.
        url: Where the API is, if it is elsewhere.
        timeout_seconds: For each step on a connection.
    """
    if url is not None:
        return httpx.AsyncClient(base_url=url, timeout=timeout_seconds)
    transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://api", trust_env=False)


def _retry_after(headers: Mapping[str, str]) -> int:
    text = headers.get("retry-after", "")
    return min(int(text), 3600) if text.isascii() and text.isdigit() else _RETRY_AFTER_SECONDS
