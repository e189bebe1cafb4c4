"""Runs e-x, the Electrum server, for a development chain; started as a script, never imported by a plugin.

Two things differ from e-x's own command. It listens on a free port that it chose and announces it, so that no two
chains collide. And it sends at once: e-x pads and delays its answers against watchers of the wire, about a second
each, which loopback does not have.
"""

import json
import os
import socket
import sys
import threading
from asyncio import AbstractServer
from typing import Any

from electrumx.cli.electrumx_server import main as run_electrum_server
from electrumx.server import session


def listen_at_once(listener: socket.socket, ready_fd: int) -> None:
    """Make e-x serve its one Electrum service on this socket, and announce the port when it does."""
    serve = session.serve_rs

    async def announce(session_factory: Any, _host: str, port: int, **_: Any) -> AbstractServer:
        server: AbstractServer = await serve(session_factory, sock=listener)
        os.write(ready_fd, json.dumps({"port": port}).encode() + b"\n")
        return server

    session.serve_rs = announce


def end_with_the_parent() -> None:
    """Wait for the end of standard input, which is the end of the process that started this one."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(0)


def main() -> None:
    """Serve until a signal comes or the parent ends."""
    threading.Thread(target=end_with_the_parent, daemon=True).start()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    os.environ["SERVICES"] = f"tcp://127.0.0.1:{listener.getsockname()[1]}"
    listen_at_once(listener, int(os.environ["DEVCHAIN_READY_FD"]))
    run_electrum_server()


if __name__ == "__main__":
    main()
