"""Run a daemon without the command `bitcart`: `python -m bitcart_host_daemon NAME ...`."""

import typer

from bitcart_host_daemon.command import daemon

typer.run(daemon)
