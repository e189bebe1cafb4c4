"""`bitcart api`: serve the REST API until stopped."""

import socket

import typer
import uvicorn

from bitcart_core.errors import ConfigError
from bitcart_core.kernel import Kernel
from bitcart_core.logs import configure
from bitcart_core.settings import Settings
from bitcart_host_api.app import create_app

_GRACE_SECONDS = 10


def api() -> None:
    """Serve the REST API at BITCART_HOST:BITCART_PORT (127.0.0.1:8000). Its documentation is at /docs."""
    settings = Settings()
    configure(settings.log_level)
    listening = _bind(settings)
    typer.echo(f"REST API at {settings.url}")
    with Kernel(settings) as kernel:
        config = uvicorn.Config(
            create_app(kernel), log_config=None, access_log=False, timeout_graceful_shutdown=_GRACE_SECONDS
        )
        uvicorn.Server(config).run(sockets=[listening])


def _bind(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"the API cannot listen on {settings.host}:{settings.port} ({error.strerror}); "
            "set BITCART_PORT to a free port, or stop what uses it"
        ) from None
    return listening
