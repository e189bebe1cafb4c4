"""Speak to Electrum 4.3.4: the only module that imports it, and the only one that knows which version it is.

What the rest of the family sees are `Electrum`, one per process, and `ElectrumWallet`; both answer in plain values.
"""

import asyncio
import importlib
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, Final

from bitcart_coin_electrum.profile import NetworkProfile
from bitcart_coin_electrum.standing import Output
from bitcart_core import ConfigError

_MODULES: Final = (
    *("bitcoin", "blockchain", "commands", "constants", "daemon", "keystore", "logging", "network", "simple_config"),
    *("storage", "transaction", "util", "verifier", "version", "wallet", "wallet_db"),
)

CONFIG_VERSION: Final = 3
"""Without it Electrum takes a configuration for an old one and turns every server `:t` into `:s`."""

UNSAFE_COMMANDS: Final = frozenset(
    {
        "commands",  # a listing that `help` replaces
        "stop",  # would stop Electrum under the running daemon
        "load_wallet",  # takes any path of this machine
        "password",  # an encrypted file could not be opened again after a restart
        "dumpprivkeys",
    }
)


class HintKind(StrEnum):
    """What Electrum may say."""

    WALLET = "wallet"
    TRANSACTION = "transaction"
    VERIFIED = "verified"
    TIP = "tip"
    SERVER = "server"


@dataclass(frozen=True)
class Hint:
    """Something changed. Says where to look and is no fact by itself.

    Attributes:
        kind: What changed.
        wallet: Name of the wallet it concerns; empty if it concerns them all.
        txid: The transaction, where there is one.
        height: The block it was proven to stand in, for `VERIFIED`.
    """

    kind: HintKind
    wallet: str = ""
    txid: str = ""
    height: int = 0


@dataclass(frozen=True)
class Tip:
    """The best block that was checked; `time` is the Unix time in seconds that it claims."""

    height: int
    hash: str
    time: int


@dataclass(frozen=True)
class Command:
    """A command of Electrum's own."""

    name: str
    doc: str
    parameters: tuple[str, ...]
    takes_wallet: bool
    needs_wallet: bool


class ElectrumWallet:
    """One wallet that Electrum has open."""

    def __init__(self, electrum: "Electrum", name: str, inner: Any) -> None:
        self._electrum = electrum
        self.name = name
        self.inner = inner

    def is_synchronized(self) -> bool:
        """Return whether everything the server said was fetched and checked, and the server is still there."""
        adb = self.inner.adb
        return bool(
            self.inner.is_up_to_date()
            and self._electrum.is_connected()
            and adb.synchronizer is not None
            # Electrum refreshes its own flag ten times a second; in between only these two tell the truth.
            and adb.synchronizer.is_up_to_date()
            and adb.verifier.is_up_to_date()
        )

    def outputs(self, address: str) -> tuple[Output, ...]:
        """Return what pays an address by the server's account, with blocks only where their proof was checked.

        Transactions that the server does not list any more, such as replaced ones, are left out, and so are
        those that this wallet signed and nobody has seen yet.
        """
        found = []
        for txid, _ in self.inner.db.get_addr_history(address):
            block = self.inner.db.get_verified_tx(txid)
            for index, (units, _) in self.inner.db.get_txo_addr(txid, address).items():
                mined = (block.height, block.header_hash, block.timestamp) if block else (None, None, None)
                found.append(Output(txid, index, units, *mined))
        return tuple(sorted(found, key=lambda output: (output.txid, output.index)))

    def is_used(self, address: str) -> bool:
        """Return whether any transaction touches an address, local ones included."""
        return bool(self.inner.adb.is_used(address) or self.inner.db.get_addr_history(address))

    def has(self, address: str) -> bool:
        """Return whether an address belongs to this wallet."""
        return bool(self.inner.is_mine(address))

    def receiving_count(self) -> int:
        """Return how many receiving addresses the wallet knows."""
        return len(self.inner.get_receiving_addresses())

    def receiving_address(self, index: int) -> str:
        """Return a receiving address by its place."""
        return str(self.inner.get_receiving_addresses(slice_start=index, slice_stop=index + 1)[0])

    def can_derive(self) -> bool:
        """Return whether new addresses can be had; a wallet made of a list of addresses cannot."""
        return bool(self.inner.is_deterministic())

    def derive(self) -> str:
        """Return one more receiving address, beyond the gap limit if need be."""
        return str(self.inner.create_new_address(False))  # noqa: FBT003 - Electrum's own signature

    def label(self, address: str, text: str) -> None:
        """Name an address, so that the history of the wallet tells what was paid."""
        self.inner.set_label(address, text)

    def balance(self) -> tuple[int, int, int]:
        """Return the confirmed, unconfirmed and unmatured balance in smallest units."""
        confirmed, unconfirmed, unmatured = self.inner.get_balance()
        return confirmed, unconfirmed, unmatured

    def fee_of(self, txid: str) -> int | None:
        """Return what a transaction of this wallet paid to miners, in smallest units, or None if it is not known."""
        fee = self.inner.adb.get_tx_fee(txid)
        return None if fee is None else int(fee)

    def path(self) -> str:
        """Return the file, or an empty text for a wallet kept in memory."""
        return str(self.inner.storage.path) if self.inner.storage else ""


class Electrum:
    """Electrum inside this process. Its network is a global of its own: one per process, for one network.

    Args:
        folder: The folder that holds `electrum/`.
        network: The network to join.
        data_dir: Where headers, certificates and wallets are kept.
        options: Electrum's own settings by their names; not changed while running, and written nowhere.
        user_options: Settings that callers may change while running; forgotten at the end.

    Attributes:
        commands: Its own commands that callers may use, by name.
    """

    def __init__(
        self,
        folder: Path,
        *,
        network: NetworkProfile,
        data_dir: Path,
        options: Mapping[str, object],
        user_options: Mapping[str, object],
    ) -> None:
        self._lib = _load(folder)
        self._lib.constants.net = getattr(self._lib.constants, network.electrum_class)
        switch = {network.electrum_option: True} if network.electrum_option else {}
        self.config = self._lib.simple_config.SimpleConfig(
            {**options, **switch, "electrum_path": str(data_dir), "forget_config": True},
            read_user_config_function=lambda _path: {**user_options, "config_version": CONFIG_VERSION},
        )
        self._wallets: dict[int, ElectrumWallet] = {}
        self._handlers: list[Callable[..., None]] = []
        self._daemon: Any = None
        self._commands: Any = None
        known = self._lib.commands.known_commands
        self.commands = {name: _describe(command) for name, command in known.items() if name not in UNSAFE_COMMANDS}

    @property
    def version(self) -> str:
        """Electrum's version: `4.3.4`."""
        return str(self._lib.version.ELECTRUM_VERSION)

    @property
    def data_dir(self) -> Path:
        """The folder of this network."""
        return Path(self.config.path)

    @property
    def _network(self) -> Any:
        return self._daemon.network

    async def start(self, on_hint: Callable[[Hint], None]) -> None:
        """Begin to connect; `on_hint` is called in this loop from now on and must neither block nor raise."""
        self._lib.util._asyncio_event_loop = asyncio.get_running_loop()  # noqa: SLF001 - how a host loop is lent
        self._listen(on_hint)
        self._daemon = self._lib.daemon.Daemon(self.config, listen_jsonrpc=False)
        self._commands = self._lib.commands.Commands(config=self.config, network=self._network, daemon=self._daemon)

    async def stop(self) -> None:
        """Write the wallets and close all connections."""
        for handler in self._handlers:
            self._lib.util.unregister_callback(handler)
        await asyncio.gather(*(self.close_wallet(wallet) for wallet in list(self._wallets.values())))
        if self._daemon is not None:
            await self._daemon.stop()

    def is_connected(self) -> bool:
        """Return whether a server answers."""
        return bool(self._network and self._network.is_connected())

    def is_synchronized(self) -> bool:
        """Return whether all headers that the server has were fetched and checked."""
        return self.is_connected() and 0 < self.server_height() <= self.height()

    def height(self) -> int:
        """Return the height of the best block that was checked."""
        return int(self._network.get_local_height())

    def server_height(self) -> int:
        """Return the height that the server claims, or 0 without a server."""
        return int(self._network.get_server_height())

    def server(self) -> str:
        """Return the host of the server."""
        return str(self._network.get_parameters().server.host)

    def server_count(self) -> int:
        """Return how many servers are connected."""
        return len(self._network.get_interfaces())

    def is_auto_connecting(self) -> bool:
        """Return whether Electrum may choose another server."""
        return bool(self._network.get_parameters().auto_connect)

    def tip(self) -> Tip | None:
        """Return the best block that was checked, or None before there is one."""
        header = self._network.blockchain().header_at_tip()
        return self._as_tip(header) if header else None

    def block_hash(self, height: int) -> str | None:
        """Return the hash of a block of the best chain, or None if it is not known."""
        header = self._network.blockchain().read_header(height)
        return self._lib.blockchain.hash_header(header) if header else None

    def _as_tip(self, header: Mapping[str, Any]) -> Tip:
        return Tip(int(header["block_height"]), self._lib.blockchain.hash_header(header), int(header["timestamp"]))

    def restore(self, text: str, file: Path | None, addresses: int) -> Any:
        """Make a wallet from a key; blocks for the time of thirty derivations, so call it in a thread.

        Args:
            text: Extended key, Electrum seed, or addresses or private keys separated by spaces.
            file: Where it is kept, or None for memory only.
            addresses: How many receiving addresses it must know.

        Returns:
            Electrum's wallet, for `open`.
        """
        restored = self._lib.wallet.restore_wallet_from_text(
            text, path=str(file) if file else None, config=self.config, encrypt_file=False
        )
        return _with_addresses(restored["wallet"], addresses)

    def read(self, file: Path, addresses: int) -> Any:
        """Read a wallet file; blocks, so call it in a thread. The rest is as in `restore`."""
        storage = self._lib.storage.WalletStorage(str(file))
        database = self._lib.wallet_db.WalletDB(storage.read(), manual_upgrades=False)
        return _with_addresses(self._lib.wallet.Wallet(database, storage, config=self.config), addresses)

    def open(self, name: str, inner: Any, *, with_lightning: bool) -> ElectrumWallet:
        """Bring a wallet to the network; its hints come from now on, under this name."""
        if not with_lightning:
            inner.lnworker = None
        inner.start_network(self._network)
        self._wallets[id(inner)] = wallet = ElectrumWallet(self, name, inner)
        return wallet

    async def close_wallet(self, wallet: ElectrumWallet) -> None:
        """Write a wallet and forget it."""
        self._wallets.pop(id(wallet.inner), None)
        await wallet.inner.stop()

    def save(self, wallet: ElectrumWallet) -> None:
        """Write a wallet to its file, if it has one and something changed."""
        wallet.inner.save_db()

    def is_key(self, text: str) -> bool:
        """Return whether a text is an extended key of this network or an Electrum seed."""
        return bool(self._lib.keystore.is_master_key(text) or self._lib.keystore.is_seed(text))

    def make_seed(self, seed_type: str | None) -> str:
        """Return twelve new words."""
        return str(self._lib.commands.Mnemonic("en").make_seed(seed_type=seed_type))

    def transaction(self, raw: str) -> Any:
        """Read a transaction from hexadecimal digits, or a PSBT."""
        return self._lib.transaction.tx_from_any(raw)

    def script_hash(self, script: bytes) -> str:
        """Return what a server indexes an output script by."""
        return str(self._lib.bitcoin.script_to_scripthash(script.hex()))

    async def ask_server(self, method: str, *params: object) -> Any:
        """Put a question of the Electrum protocol to the server.

        Raises:
            aiorpcx.RPCError: The server refused; its own words, not to be trusted further than their sender.
        """
        return await self._network.interface.session.send_request(method, list(params))

    async def prove(self, txid: str, height: int) -> None:
        """Make sure that a transaction stands in a block of the best chain.

        Raises:
            Exception: The server's proof does not hold.
        """
        proof = await self._network.get_merkle_for_transaction(txid, height)
        header = self._network.blockchain().read_header(height)
        self._lib.verifier.verify_tx_is_in_block(txid, proof["merkle"], proof["pos"], header, height)

    def fee_estimates(self) -> dict[int, int]:
        """Return the servers' estimates: smallest units per 1000 virtual bytes, by blocks to wait."""
        return dict(self.config.fee_estimates)

    def fee_for_target(self, blocks: int) -> int | None:
        """Return the estimate for so many blocks to wait, or None if the servers gave none."""
        fee = self.config.eta_target_to_fee(blocks)
        return None if fee is None else int(fee)

    def fee_for_size(self, size: int) -> int:
        """Return the fee that a new transaction of so many virtual bytes would pay, in smallest units."""
        return int(self.config.estimate_fee(size, allow_fallback_to_static_rates=True))

    async def run(
        self, command: str, wallet: ElectrumWallet | None, positional: Sequence[Any], named: Mapping[str, Any]
    ) -> Any:
        """Run one of Electrum's own commands, in the wallet if it takes one."""
        extra = {"wallet": wallet.inner} if wallet and self.commands[command].takes_wallet else {}
        return await getattr(self._commands, command)(*positional, **named, **extra)

    def _listen(self, on_hint: Callable[[Hint], None]) -> None:
        def wallet_updated(inner: Any, *_: object) -> None:
            self._tell(on_hint, HintKind.WALLET, inner)

        def new_transaction(inner: Any, transaction: Any, *_: object) -> None:
            self._tell(on_hint, HintKind.TRANSACTION, inner, txid=transaction.txid())

        def verified(inner: Any, txid: str, block: Any, *_: object) -> None:
            self._tell(on_hint, HintKind.VERIFIED, inner, txid=txid, height=block.height)

        def tip(*_: object) -> None:
            on_hint(Hint(HintKind.TIP))

        def server(*_: object) -> None:
            on_hint(Hint(HintKind.SERVER))

        for handler, events in (
            (wallet_updated, ["wallet_updated"]),
            (new_transaction, ["new_transaction"]),
            (verified, ["verified"]),
            (tip, ["blockchain_updated"]),
            (server, ["default_server_changed"]),
        ):
            self._handlers.append(handler)  # newer versions keep only weak references
            self._lib.util.register_callback(handler, events)

    def _tell(self, on_hint: Callable[[Hint], None], kind: HintKind, inner: Any, **where: Any) -> None:
        wallet = self._wallets.get(id(inner))
        if wallet is not None:
            on_hint(Hint(kind, wallet.name, **where))


def _load(folder: Path) -> SimpleNamespace:
    """Import Electrum from a folder, behind everything else on the path, and undo what importing it changes."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    root_level = logging.getLogger().level
    try:
        modules: Iterable[tuple[str, ModuleType]] = [(n, importlib.import_module(f"electrum.{n}")) for n in _MODULES]
    except ImportError as error:
        message = f"Electrum in {folder} cannot be used: {error}; run `bitcart setup` to fetch it again"
        raise ConfigError(message) from error
    finally:
        logging.getLogger().setLevel(root_level)
    # It logs every request it sends at levels that nobody asked for.
    logging.getLogger("electrum").setLevel(logging.WARNING)
    library = SimpleNamespace(**dict(modules))
    if library.util._asyncio_event_loop is not None:  # noqa: SLF001 - the only trace of another daemon
        raise ConfigError("Electrum runs already in this process; start one process per coin and network")
    return library


def _with_addresses(inner: Any, count: int) -> Any:
    """Derive what a wallet's file does not know: addresses that were handed out just before a crash."""
    while inner.is_deterministic() and len(inner.get_receiving_addresses()) < count:
        inner.create_new_address(False)  # noqa: FBT003 - Electrum's own signature
    return inner


def _describe(command: Any) -> Command:
    parameters = (*command.params, *command.options)
    return Command(
        name=command.name,
        doc=command.description or "",
        parameters=parameters,
        takes_wallet="wallet" in parameters,
        needs_wallet=bool(command.requires_wallet),
    )
