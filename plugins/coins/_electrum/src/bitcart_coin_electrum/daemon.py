"""The daemon of a coin on Electrum: puts the parts together, starts and stops them, and sends calls to methods."""

import asyncio
import contextlib
import dataclasses
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bitcart_coin_electrum import keys, options, spec
from bitcart_coin_electrum.adapter import Electrum
from bitcart_coin_electrum.addresses import LATE_SECONDS
from bitcart_coin_electrum.methods.catalogue import METHODS
from bitcart_coin_electrum.methods.registry import Call, Needs
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.requisite import electrum_path
from bitcart_coin_electrum.store import RequestStore
from bitcart_coin_electrum.wallets import Wallets
from bitcart_coin_electrum.watch import Watcher
from bitcart_core import CoinRefused, ConfigError, DaemonJournal, DaemonSettings, WalletKey

log = logging.getLogger(__name__)

BEGIN_AGAIN_SECONDS = 1.0


class ElectrumDaemon:
    """The heavy half of one coin on one network (`bitcart_core.Daemon`).

    Args:
        profile: The coin.
        settings: From the daemon host.
        journal: Where payments are told.

    Raises:
        ConfigError: The coin has no such network.
    """

    def __init__(self, profile: CoinProfile, settings: DaemonSettings, journal: DaemonJournal) -> None:
        if settings.network not in profile.networks:
            known = ", ".join(profile.networks)
            raise ConfigError(f"{profile.code} has no network {settings.network!r}; choose one of {known}")
        self.code: str = profile.code
        self.default_port: int = profile.default_port
        self.version = ""
        self._profile = profile
        self._settings = settings
        self._journal = journal
        self._tasks: list[asyncio.Task[None]] = []
        self._parts: Call | None = None

    async def start(self) -> None:
        """Begin to connect, and open the wallets of watched requests in the background.

        Raises:
            ConfigError: Electrum is missing, or an option is wrong; says the remedy.
        """
        settings, profile = self._settings, self._profile
        options.refuse_lightning(settings)
        network = profile.networks[settings.network]
        folder: Path = electrum_path(settings.bitcart_data)
        electrum = Electrum(
            folder,
            network,
            data_dir=settings.data_dir / "electrum",
            fixed=options.for_electrum(settings, network),
            changeable=options.changeable(settings),
        )
        self.version = electrum.version
        requests = RequestStore(settings.data_dir / "requests.sqlite")
        wallets = Wallets(
            electrum,
            profile,
            settings.network,
            requests=requests,
            sync_seconds=options.sync_seconds(settings),
        )
        watcher = Watcher(electrum, wallets, requests, self._journal, profile)
        watcher.reconcile(live_after=int(time.time()) - LATE_SECONDS)
        await electrum.start(watcher.hint)
        self._parts = Call(electrum, wallets, requests, watcher, profile, settings.network, key=None)
        self._tasks = [asyncio.create_task(_keep_running(work)) for work in (watcher.run, watcher.keep_open)]

    async def stop(self) -> None:
        """Stop watching, write the wallets and close the connections."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._parts is not None:
            await self._parts.electrum.stop()
            self._parts.requests.close()

    async def call(
        self, method: str, params: Mapping[str, Any], positional: Sequence[Any], key: WalletKey | None
    ) -> Any:
        """Answer a method of our own, or one of Electrum's.

        Raises:
            CoinRefused: No such method, no such wallet, no such thing; with the contract's code.
            Exception: What Electrum raised.
        """
        parts = dataclasses.replace(self._running, key=key)
        own = METHODS.get(method)
        if own is None:
            return await self._pass_through(parts, method, params, positional)
        if own.needs is not Needs.NOTHING:
            parts = await _with_wallet(parts, must_be_synchronized=own.needs is Needs.SYNCHRONIZED)
        return await own.answer(parts, *positional, **params)

    async def _pass_through(
        self, parts: Call, method: str, params: Mapping[str, Any], positional: Sequence[Any]
    ) -> Any:
        command = parts.electrum.commands.get(method)
        if command is None:
            raise CoinRefused("Procedure not found", code=spec.PROCEDURE_NOT_FOUND)
        if command.needs_wallet or (command.takes_wallet and parts.key is not None):
            parts = await _with_wallet(parts, must_be_synchronized=True)
        wallet = parts.opened.electrum if parts.opened else None
        return await parts.electrum.run(method, wallet, positional, params)

    async def load(self, key: WalletKey) -> None:
        """Open a wallet, so that its events are told from now on.

        Raises:
            CoinRefused: It is no key of this network.
        """
        await self._running.wallets.use(key)

    def wallet_name(self, key: WalletKey) -> str:
        """Return the digest under which a wallet is kept and its events are filed."""
        return keys.digest_of(key, self._settings.network)

    def spec(self) -> Mapping[str, Any]:
        """Return the body of `GET /spec`."""
        return spec.spec(version=self.version, has_lightning=False)

    def state(self) -> Mapping[str, Any]:
        """Return the best block, whether it is the network's and all that is watched was compared, and the server."""
        if self._parts is None:
            return {"height": None, "is_synchronized": False, "server": ""}
        electrum = self._parts.electrum
        return {
            "height": electrum.height() or None,
            "is_synchronized": electrum.is_synchronized() and self._parts.watcher.is_caught_up(),
            "server": electrum.server(),
        }

    @property
    def _running(self) -> Call:
        if self._parts is None:
            raise RuntimeError("the daemon was not started")
        return self._parts


async def _with_wallet(call: Call, *, must_be_synchronized: bool) -> Call:
    if call.key is None:
        raise spec.wallet_needed()
    wallet = await call.wallets.use(call.key)
    if must_be_synchronized:
        await call.wallets.synchronized(wallet)
    return dataclasses.replace(call, opened=wallet)


async def _keep_running(work: Callable[[], Awaitable[None]]) -> None:
    """Run what must never end; whatever ends it is logged, and it begins again by comparing everything."""
    while True:
        try:
            await work()
        except Exception:
            log.exception("watching was interrupted; beginning again")
        await asyncio.sleep(BEGIN_AGAIN_SECONDS)
