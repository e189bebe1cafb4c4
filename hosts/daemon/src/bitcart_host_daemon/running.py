"""The life of a daemon process: hold the folder, bind the port, start the coin, serve, stop in good order."""

import asyncio
import contextlib
import logging
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field

from aiohttp import web

from bitcart_core.daemons import Daemon, DaemonFactory, DaemonSettings
from bitcart_core.errors import ConfigError
from bitcart_host_daemon.credentials import load_credentials, publish_address, withdraw_address
from bitcart_host_daemon.folder import Folder
from bitcart_host_daemon.journal import Journal
from bitcart_host_daemon.keys import WalletKeys
from bitcart_host_daemon.methods import Methods
from bitcart_host_daemon.reading import JournalReader
from bitcart_host_daemon.rpc import Rpc
from bitcart_host_daemon.server import Server
from bitcart_host_daemon.stream import Feed, Timings
from bitcart_host_daemon.streams import Streams

DRAIN_SECONDS = 1.0
"""How long calls under way may take to finish once we are told to stop."""
STOP_SECONDS = 2.0
"""How long the coin may take to stop."""
PRUNE_EVERY_SECONDS = 3600

log = logging.getLogger("bitcart.daemon")


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Everything that is decided before a daemon starts.

    Attributes:
        factory: Builds the coin.
        settings: For the coin.
        host: Address to listen on.
        port: 0 for a free one.
        login: What clients must send, or None for generated ones.
        password: Likewise.
        polling_cap: The most events of one `get_updates`; 0 turns it off.
        replay_days: Age up to which journal entries can be replayed.
        late_days: How long a request is watched after it expired.
        timings: Of the websocket.
    """

    factory: DaemonFactory
    settings: DaemonSettings
    host: str = "127.0.0.1"
    port: int = 0
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    polling_cap: int = 100
    replay_days: float = 30
    late_days: float = 30
    timings: Timings = field(default_factory=Timings)


def run(launch: Launch) -> None:
    """Run a daemon until SIGTERM or SIGINT.

    Raises:
        ConfigError: It cannot start; says why and the remedy.
    """
    asyncio.run(_until_signalled(launch))


async def serve(launch: Launch, told_to_stop: asyncio.Event) -> None:
    """Run a daemon until it is told to stop.

    Raises:
        ConfigError: It cannot start; says why and the remedy.
    """
    with contextlib.ExitStack() as resources:
        folder = Folder(launch.settings.data_dir)
        resources.callback(folder.release)
        listening = resources.enter_context(_bind(launch.host, launch.port))
        journal = Journal(folder.path, belongs_to=f"{launch.factory.code} on {launch.settings.network}")
        resources.callback(journal.close)
        daemon = launch.factory(launch.settings, journal)
        async with _stopping(daemon), _serving(launch, daemon, journal, listening) as server:
            await _live(daemon, server, told_to_stop, _keep_pruning(journal, launch))
    log.info("stopped")


async def _until_signalled(launch: Launch) -> None:
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    await serve(launch, told_to_stop)


@contextlib.asynccontextmanager
async def _serving(launch: Launch, daemon: Daemon, journal: Journal, listening: socket.socket) -> AsyncIterator[Server]:
    """Serve the protocol; on the way out say goodbye to the sockets and let calls under way finish."""
    folder = launch.settings.data_dir
    credentials = load_credentials(folder, login=launch.login, password=launch.password)
    reader = JournalReader(journal.path)
    keys = WalletKeys(daemon.wallet_name)
    methods = Methods(daemon, journal, reader, keys, polling_cap=launch.polling_cap)
    feed = Feed(journal=journal, reader=reader, keys=keys, methods=methods, timings=launch.timings)
    streams = Streams(feed)
    streams.follow_journal()
    server = Server(
        rpc=Rpc(methods.answer, daemon.spec),
        streams=streams,
        spec=daemon.spec,
        state=methods.state_now,
        credentials=credentials,
    )
    # No access log: it would cost more than the calls themselves, and tell nothing that the log of the coin does not.
    runner = web.AppRunner(server.application(), access_log=None, shutdown_timeout=DRAIN_SECONDS)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        url = _url_of(listening)
        publish_address(folder, url, credentials)
        log.info("%s on %s listens at %s, data in %s", daemon.code, launch.settings.network, url, folder)
        yield server
    finally:
        withdraw_address(folder)
        await streams.close()
        await runner.cleanup()
        reader.close()


async def _live(
    daemon: Daemon, server: Server, told_to_stop: asyncio.Event, housekeeping: Coroutine[None, None, None]
) -> None:
    """Start the coin, then wait for the end; being told to stop ends a start that takes long."""
    stopping = asyncio.create_task(told_to_stop.wait())
    starting = asyncio.create_task(daemon.start())
    pruning = asyncio.create_task(housekeeping)
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            server.is_started.set()
            log.info("started")
        await stopping
    finally:
        for task in (starting, stopping, pruning):
            task.cancel()
        await asyncio.gather(starting, stopping, pruning, return_exceptions=True)


@contextlib.asynccontextmanager
async def _stopping(daemon: Daemon) -> AsyncIterator[None]:
    """Stop the coin on the way out, with a deadline; what it saw is in the journal already."""
    try:
        yield
    finally:
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await daemon.stop()
        except TimeoutError:
            log.warning("the coin did not stop within %s s; ending without it", STOP_SECONDS)


async def _keep_pruning(journal: Journal, launch: Launch) -> None:
    while True:
        try:
            # A little at a time, so that others run in between; this waits for nothing.
            while journal.prune(entry_days=launch.replay_days, late_days=launch.late_days):  # noqa: ASYNC110
                await asyncio.sleep(0)
        except sqlite3.Error:
            log.exception("could not prune the journal; trying again in %s s", PRUNE_EVERY_SECONDS)
        await asyncio.sleep(PRUNE_EVERY_SECONDS)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; name another address with --host"
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(1024)
        listening.setblocking(False)  # noqa: FBT003 - its only parameter
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"cannot listen on {host}:{port}: {error.strerror}; stop what uses it, or name another port with --port"
        ) from error
    return listening


def _url_of(listening: socket.socket) -> str:
    """Return where local clients reach a socket; one that listens everywhere is reached on loopback."""
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared with, not bound to
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
