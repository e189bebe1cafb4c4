"""Real development chains on loopback: `bitcart devchain`."""

from bitcart_core.hosts import Host
from bitcart_host_devchain.command import app

host = Host(name="devchain", command=app)

__all__ = ["host"]
