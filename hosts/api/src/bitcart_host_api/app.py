"""The FastAPI application: routes, errors, and what plugins mount. Holds no logic."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bitcart_core.kernel import Kernel
from bitcart_host_api import problems
from bitcart_host_api.mounts import mount_all
from bitcart_host_api.push import PushHub
from bitcart_host_api.routes import health, invoices, notifications, stores, tokens, users, wallets, websockets


def create_app(kernel: Kernel) -> FastAPI:
    """Return the application of a kernel."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with PushHub(kernel.settings.redis_url) as hub:
            app.state.push = hub
            yield

    app = FastAPI(title="Bitcart Core", version="0.10.3.0", lifespan=lifespan, redoc_url=None)
    app.state.kernel = kernel
    problems.install(app)
    for module in (health, users, tokens, wallets, notifications, stores, invoices, websockets):
        app.include_router(module.router)
    mount_all(app, kernel)
    return app
