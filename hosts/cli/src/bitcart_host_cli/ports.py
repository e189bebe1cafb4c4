"""Ports of loopback that nobody uses."""

import socket

from bitcart_core.errors import ConfigError


def free_port(wished: int = 0) -> int:
    """Return the wished port if it is free, else any that is."""
    for port in (wished, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ConfigError("there is no free port on 127.0.0.1; stop something that listens")
