"""Electrum inside this process: its network, its servers, its wallets and its own commands, in plain values."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitcart_coin_electrum.adapter import library
from bitcart_coin_electrum.adapter.calm import WalletEvents
from bitcart_coin_electrum.adapter.hints import Hint, Hints
from bitcart_coin_electrum.adapter.wallet import ElectrumWallet
from bitcart_coin_electrum.profile import NetworkProfile
from bitcart_core import CoinUnreachable

WALLET_SEEDS = ("old", "standard", "segwit")
"""Kinds of Electrum seeds that make a wallet alone; those with two factors do not."""
SEED_WORDS = 12
"""Electrum takes one text in 250 for a seed, whatever it says: without this, a mistyped key could become a wallet."""


class NotAKey(ValueError):  # noqa: N818 - what the text is
    """A text that is no key, seed or address of this network."""


@dataclass(frozen=True)
class Tip:
    """The best block that was checked; `time` is the Unix time in seconds that it claims."""

    height: int
    hash: str
    time: int


class Electrum:
    """Electrum, with a network that is a global of its own: one per process.

    Args:
        folder: The folder that holds `electrum/`.
        network: The network to join.
        data_dir: Where headers, certificates and wallets are kept.
        fixed: Electrum's own settings by their names, not changed while it runs.
        changeable: Settings that callers may change while it runs; forgotten at the end.

    Attributes:
        version: Electrum's: `4.3.4`.
        data_dir: The folder of this network.
        commands: Its own commands that callers may use, by name.

    Raises:
        ConfigError: There is no Electrum that can be used; says the remedy.
    """

    def __init__(
        self,
        folder: Path,
        network: NetworkProfile,
        *,
        data_dir: Path,
        fixed: Mapping[str, object],
        changeable: Mapping[str, object],
    ) -> None:
        self._library = library.load(folder)
        self._library.select_network(network.electrum_class)
        switch = {network.electrum_option: True} if network.electrum_option else {}
        self._config = self._library.configuration({**fixed, **switch, "electrum_path": str(data_dir)}, changeable)
        self._wallets: dict[int, ElectrumWallet] = {}
        self._events = WalletEvents(self._library)
        self._hints: Hints | None = None
        self._daemon: Any = None
        self._runner: Any = None
        self.version = str(self._library.version.ELECTRUM_VERSION)
        self.data_dir = Path(self._config.path)
        self.commands = self._library.read_commands()

    async def start(self, on_hint: Callable[[Hint], None]) -> None:
        """Begin to connect; `on_hint` is called in this loop from now on and must neither block nor raise."""
        self._library.util._asyncio_event_loop = asyncio.get_running_loop()  # noqa: SLF001 - how it is lent a loop
        self._hints = Hints(self._library, self._name_of, on_hint)
        self._hints.begin()
        self._daemon = self._library.daemon.Daemon(self._config, listen_jsonrpc=False)
        self._runner = self._library.commands.Commands(config=self._config, network=self._network, daemon=self._daemon)

    async def stop(self) -> None:
        """Write the wallets and close all connections."""
        if self._hints is not None:
            self._hints.end()
        self._events.end()
        # The tasks of wallets end with their connections; closing each by itself would take seconds.
        write = self._library.write_wallet
        await asyncio.gather(*(asyncio.to_thread(write, wallet.inner) for wallet in self._wallets.values()))
        if self._daemon is not None:
            await self._daemon.stop()

    # The network

    def is_connected(self) -> bool:
        """Return whether a server answers."""
        return bool(self._network.is_connected())

    def is_synchronized(self) -> bool:
        """Return whether all headers that the server has were fetched and checked."""
        return self.is_connected() and 0 < self.server_height() <= self.height()

    def height(self) -> int:
        """Return the height of the best block that was checked, or 0 before there is one."""
        return max(int(self._network.get_local_height()), 0)

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
        if not header:
            return None
        hash_of = self._library.blockchain.hash_header
        return Tip(int(header["block_height"]), str(hash_of(header)), int(header["timestamp"]))

    def block_hash(self, height: int) -> str | None:
        """Return the hash of a block of the best chain, or None if it is not known."""
        header = self._network.blockchain().read_header(height)
        return str(self._library.blockchain.hash_header(header)) if header else None

    async def ask_server(self, method: str, *params: object) -> Any:
        """Put a question of the Electrum protocol to the server.

        Raises:
            CoinUnreachable: There is no server.
            aiorpcx.RPCError: The server refused, in its own words.
        """
        if not self.is_connected():
            raise CoinUnreachable("no Electrum server is connected; see that one can be reached")
        return await self._network.interface.session.send_request(method, list(params))

    async def prove(self, txid: str, height: int) -> None:
        """Make sure that a transaction stands in a block of the best chain.

        Raises:
            Exception: The server's proof does not hold.
        """
        proof = await self._network.get_merkle_for_transaction(txid, height)
        header = self._network.blockchain().read_header(height)
        self._library.verifier.verify_tx_is_in_block(txid, proof["merkle"], proof["pos"], header, height)

    def fee_estimates(self) -> dict[int, int]:
        """Return the servers' estimates: smallest units per 1000 virtual bytes, by blocks to wait."""
        return dict(self._config.fee_estimates)

    def fee_for_target(self, blocks: int) -> int | None:
        """Return the estimate for so many blocks to wait, or None if the servers gave none."""
        fee = self._config.eta_target_to_fee(blocks)
        return None if fee is None else int(fee)

    def fee_for_size(self, size: int) -> int:
        """Return the fee that a new transaction of so many virtual bytes would pay, in smallest units."""
        return int(self._config.estimate_fee(size, allow_fallback_to_static_rates=True))

    # Wallets

    def restore(self, text: str, file: Path | None, addresses: int) -> Any:
        """Make a wallet from a key; blocks for the time of thirty derivations, so call it in a thread.

        Args:
            text: Extended key, Electrum seed, or addresses or private keys separated by spaces.
            file: Where it is kept, or None for memory only.
            addresses: How many receiving addresses it must know.

        Returns:
            Electrum's wallet, for `open`.

        Raises:
            NotAKey: It is none of this network.
        """
        keystore = self._library.keystore
        is_list = keystore.is_address_list(text) or keystore.is_private_key_list(text, allow_spaces_inside_key=False)
        if not (is_list or self.is_key(text)):
            raise NotAKey
        return _with_addresses(self._library.restore_wallet(text, file, self._config), addresses)

    def read(self, file: Path, addresses: int) -> Any:
        """Read a wallet file; blocks, so call it in a thread. The rest is as in `restore`."""
        return _with_addresses(self._library.read_wallet(file, self._config), addresses)

    def open(self, name: str, inner: Any) -> ElectrumWallet:
        """Bring a wallet to the network; its hints come from now on, under this name."""
        inner.lnworker = None  # a seed opens a Lightning node unasked
        wallet = ElectrumWallet(self._library, name, inner, is_connected=self.is_connected)
        self._wallets[id(inner)] = wallet
        self._events.add(inner)
        inner.start_network(self._network)
        return wallet

    async def close_wallet(self, wallet: ElectrumWallet) -> None:
        """Write a wallet and forget it."""
        self._wallets.pop(id(wallet.inner), None)
        self._events.remove(wallet.inner)
        await wallet.inner.stop()

    def is_key(self, text: str) -> bool:
        """Return whether a text is an extended key of this network or an Electrum seed."""
        has_words = len(text.split()) >= SEED_WORDS
        is_seed = has_words and self._library.mnemonic.seed_type(text) in WALLET_SEEDS
        return bool(is_seed or self._library.keystore.is_master_key(text))

    def make_seed(self, seed_type: str | None, *, bits: int | None = None, language: str | None = None) -> str:
        """Return new words; blocks for about half a second, so call it in a thread."""
        return str(self._library.mnemonic.Mnemonic(language).make_seed(seed_type=seed_type, num_bits=bits))

    # Transactions and commands

    def transaction(self, raw: str) -> Any:
        """Read a transaction from hexadecimal digits, or a PSBT.

        Raises:
            Exception: It is neither.
        """
        return self._library.transaction.tx_from_any(raw)

    def script_hash(self, script: bytes) -> str:
        """Return what a server indexes an output script by."""
        return str(self._library.bitcoin.script_to_scripthash(script.hex()))

    def get_setting(self, name: str) -> object:
        """Return one of Electrum's settings, or None if it was not set."""
        return self._config.get(name)

    def set_setting(self, name: str, value: object) -> None:
        """Change one of Electrum's settings until the end of this process."""
        self._config.set_key(name, self._library.read_setting(name, value) if isinstance(value, str) else value)

    async def history(
        self, wallet: ElectrumWallet, positional: Sequence[Any], named: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the transactions of a wallet, oldest first."""
        return self._library.history_of(await self.run("onchain_history", wallet, positional, named))

    async def run(
        self, command: str, wallet: ElectrumWallet | None, positional: Sequence[Any], named: Mapping[str, Any]
    ) -> Any:
        """Run one of Electrum's own commands, in the wallet if it takes one."""
        extra = {"wallet": wallet.inner} if wallet and self.commands[command].takes_wallet else {}
        return await getattr(self._runner, command)(*positional, **named, **extra)

    @property
    def _network(self) -> Any:
        return self._daemon.network

    def _name_of(self, inner: Any) -> str | None:
        wallet = self._wallets.get(id(inner))
        return wallet.name if wallet else None


def _with_addresses(inner: Any, count: int) -> Any:
    """Derive what a wallet's file does not know: addresses that were handed out just before a crash."""
    while inner.is_deterministic() and len(inner.get_receiving_addresses()) < count:
        inner.create_new_address(False)  # noqa: FBT003 - Electrum's own signature
    return inner
