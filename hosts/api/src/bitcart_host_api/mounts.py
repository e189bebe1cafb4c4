"""What plugins mount: their applications, behind the same authentication as ours."""

from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bitcart_core.kernel import Kernel
from bitcart_core.ui import Mount
from bitcart_host_api.security import find_caller


class Guarded:
    """A mounted application that sees who calls under `bitcart.caller`, and strangers only if it is open to them."""

    def __init__(self, kernel: Kernel, mount: Mount) -> None:
        self._kernel = kernel
        self._app: ASGIApp = mount.app
        self._scopes = mount.scopes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Authenticate, then hand over."""
        if scope["type"] == "lifespan":
            return
        caller = None
        if header := Request(scope).headers.get("authorization") if scope["type"] == "http" else None:
            caller = await run_in_threadpool(find_caller, self._kernel, header)
        if self._scopes and (caller is None or not all(caller.may(wanted) for wanted in self._scopes)):
            body: dict[str, Any] = {"detail": "Not authenticated" if caller is None else "Not enough permissions"}
            await JSONResponse(body, status_code=401 if caller is None else 403)(scope, receive, send)
            return
        known = {"user_id": caller.user.id, "permissions": caller.token.permissions} if caller else None
        await self._app({**scope, "bitcart.caller": known}, receive, send)


def mount_all(app: FastAPI, kernel: Kernel) -> None:
    """Mount every application that the plugins registered.

    Besides its prefix an application finds in `app.state.bitcart_api` the REST API itself, to call it in process.
    """
    for prefix, mount in kernel.registry.mounts.items():
        if (state := getattr(mount.app, "state", None)) is not None:
            state.bitcart_api = app
        app.mount(prefix, Guarded(kernel, mount))
