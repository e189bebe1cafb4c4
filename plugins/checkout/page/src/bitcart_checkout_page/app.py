"""The application under `/i`: the page of an invoice, its stylesheet, and a page for each way in which that can fail.

Every answer carries the same strict headers. There is no script, no cookie, and nothing from another host.
"""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ExceptionHandler

from bitcart_checkout_page import texts
from bitcart_checkout_page.api import TOO_MANY, Api, ApiDownError, InvoiceNotFoundError, client_for
from bitcart_checkout_page.pages import HEADERS, Pages
from bitcart_checkout_page.settings import PageSettings
from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.view import view_of
from bitcart_checkout_page.visit import Visit

log = logging.getLogger(__name__)


def create_app(settings: PageSettings) -> Starlette:
    """Return the application.

    The host that mounts it puts the REST API into `app.state.bitcart_api`; with `api_url` set it is not needed.
    """
    checkout = _Checkout(settings)
    handlers: dict[int | type[Exception], ExceptionHandler] = {
        InvoiceNotFoundError: checkout.not_found,
        HTTPException: checkout.not_found,
        ApiDownError: checkout.api_down,
        Exception: checkout.broken,
    }
    return Starlette(
        routes=[
            Route("/static/{name}", checkout.stylesheet),
            Route("/{invoice_id}", checkout.invoice),
        ],
        exception_handlers=handlers,
        lifespan=checkout.lifespan,
    )


class _Checkout:
    """The endpoints, with what they share."""

    def __init__(self, settings: PageSettings) -> None:
        self._settings = settings
        self._pages = Pages()
        self._api: Api | None = None

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Close the connections to an API elsewhere. Runs where the page is served by itself, not under a mount."""
        yield
        if self._api is not None:
            await self._api.close()

    async def invoice(self, request: Request) -> Response:
        """Show an invoice."""
        invoice, store = await self._find_api(request).find(request.path_params["invoice_id"])
        speech = Speech.in_english(datetime.now(UTC))
        visit = Visit.from_query(request.query_params)
        view = view_of(invoice, store, visit, speech=speech, wallet_schemes=self._settings.wallet_schemes)
        return self._pages.invoice(request, view, speech)

    async def stylesheet(self, request: Request) -> Response:
        """Return the stylesheet; under the name of its content it never changes, under another it may not be kept."""
        styles = self._pages.stylesheet
        is_current = request.path_params["name"] == styles.name
        lasting = "public, max-age=31536000, immutable" if is_current else "no-cache"
        return Response(styles.content, media_type="text/css", headers=HEADERS | {"cache-control": lasting})

    async def not_found(self, request: Request, error: Exception) -> Response:
        """Say that there is no such invoice; also for a path or a method that leads nowhere."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        return self._pages.problem(request, texts.NOT_FOUND, status=status, is_retryable=False)

    async def api_down(self, request: Request, error: Exception) -> Response:
        """Say that it is not the buyer's fault, and that a payment is not lost."""
        down = error if isinstance(error, ApiDownError) else ApiDownError(str(error))
        log.warning("the invoice cannot be shown: %s", down)
        said = texts.TOO_MANY if down.status == TOO_MANY else texts.API_DOWN
        answer = self._pages.problem(request, said, status=down.status, n=down.retry_after_seconds)
        answer.headers["retry-after"] = str(down.retry_after_seconds)
        return answer

    async def broken(self, request: Request, error: Exception) -> Response:
        """Give the buyer a code by which the operator finds the error in the log; never the error itself."""
        code = secrets.token_hex(4)
        log.error("page %s failed, code %s: %r", request.url.path, code, error)
        return self._pages.problem(request, texts.BROKEN, status=500, code=code)

    def _find_api(self, request: Request) -> Api:
        if self._api is None:
            settings = self._settings
            url = str(settings.api_url).rstrip("/") if settings.api_url else None
            api = getattr(request.app.state, "bitcart_api", None)
            if url is None and api is None:
                raise ApiDownError("this application is not mounted on a REST API and [page] has no api_url")
            client = client_for(api, url, timeout_seconds=settings.timeout_seconds)
            self._api = Api(client, timeout_seconds=settings.timeout_seconds)
        return self._api
