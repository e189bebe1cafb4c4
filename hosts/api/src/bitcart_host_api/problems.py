"""Errors as the contract words them (REST API contract, section 1), with what helps a caller added beside."""

import logging

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from sqlalchemy.exc import OperationalError

from bitcart_core.errors import CoinError, CoinUnreachable, ForbiddenError, InputError, NotFoundError, RateUnavailable

log = logging.getLogger(__name__)

_RETRY_AFTER_SECONDS = "30"


def install(app: FastAPI) -> None:
    """Teach the application to answer the kernel's errors."""
    app.add_exception_handler(InputError, _input)
    app.add_exception_handler(RateUnavailable, _rate)
    app.add_exception_handler(CoinError, _coin)
    app.add_exception_handler(OperationalError, _database)


async def _input(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, NotFoundError):
        return JSONResponse({"error": "Not found", "detail": str(error)}, status_code=404)
    field = error.field if isinstance(error, InputError) else None
    status = 403 if isinstance(error, ForbiddenError) else 422
    return JSONResponse({"detail": str(error), **({"field": field} if field else {})}, status_code=status)


async def _rate(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error), "field": "currency"}, status_code=422)


async def _coin(_: Request, error: Exception) -> JSONResponse:
    """Time mends a daemon that is away: 503; one that says no is the caller's to mend: 422."""
    if isinstance(error, CoinUnreachable):
        return JSONResponse({"detail": str(error)}, status_code=503, headers={"Retry-After": _RETRY_AFTER_SECONDS})
    return JSONResponse({"detail": str(error)}, status_code=422)


async def _database(_: Request, error: Exception) -> JSONResponse:
    log.error("database: %s", str(error).splitlines()[0])
    body = {"detail": "The database is not available; try again in a moment"}
    return JSONResponse(body, status_code=503, headers={"Retry-After": _RETRY_AFTER_SECONDS})
