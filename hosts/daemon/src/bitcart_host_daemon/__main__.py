"""Run a daemon without the command `bitcart`: `python -m bitcart_host_daemon NAME ...`."""

import sys

import typer

from bitcart_core.errors import ConfigError
from bitcart_host_daemon.command import daemon

app = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
app.command()(daemon)

try:
    app()
except ConfigError as error:
    sys.stderr.write(f"bitcart daemon: {error}\n")
    sys.exit(2)
