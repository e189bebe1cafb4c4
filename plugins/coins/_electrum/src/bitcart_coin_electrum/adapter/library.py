"""Import Electrum from its folder and hide what one version does otherwise than another.

`Library` is written for 4.3; a later version is a subclass that overrides what differs, named in `_BY_VERSION`.
"""

import importlib
import logging
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from bitcart_core import ConfigError

CONFIG_VERSION: Final = 3
"""Without it Electrum takes a configuration for an old one and turns every server `:t` into `:s`."""

_MODULES: Final = (
    *("bitcoin", "blockchain", "commands", "constants", "daemon", "keystore", "mnemonic", "network", "simple_config"),
    *("storage", "transaction", "util", "verifier", "version", "wallet", "wallet_db"),
)

_KEPT_BACK: Final = frozenset(
    {
        "commands",  # a listing that `help` replaces
        "dumpprivkeys",  # does nothing
        "load_wallet",  # takes any path of this machine
        "password",  # an encrypted file could not be opened again after a restart
        "stop",  # would stop Electrum under the running daemon
    }
)


@dataclass(frozen=True)
class Command:
    """A command of Electrum's own, for callers to use.

    Attributes:
        doc: What it does.
        parameters: Their names and defaults, without the wallet.
        takes_wallet: It works in a wallet if it is given one.
        needs_wallet: It does not work without.
    """

    name: str
    doc: str
    parameters: tuple[str, ...]
    takes_wallet: bool
    needs_wallet: bool


class Library:
    """Electrum 4.3 as imported. Its modules are attributes by their names: `library.network`."""

    def __init__(self, modules: Mapping[str, Any]) -> None:
        self._modules = modules
        self._writing = threading.Lock()

    def __getattr__(self, module: str) -> Any:
        try:
            return self._modules[module]
        except KeyError:
            raise AttributeError(module) from None

    def select_network(self, name: str) -> None:
        """Make a network the one of this process, by the name of its class."""
        self.constants.net = getattr(self.constants, name)

    def configuration(self, fixed: Mapping[str, object], changeable: Mapping[str, object]) -> Any:
        """Return settings that are read from no file and written to none."""
        return self.simple_config.SimpleConfig(
            {**fixed, "forget_config": True},
            read_user_config_function=lambda _path: {**changeable, "config_version": CONFIG_VERSION},
        )

    def read_setting(self, name: str, text: str) -> Any:
        """Return the value that a text stands for."""
        return self.commands.Commands._setconfig_normalize_value(name, text)  # noqa: SLF001 - its rules have no door

    def restore_wallet(self, text: str, file: Path | None, config: Any) -> Any:
        """Make a wallet from a key, in a file that must not exist or in memory."""
        restored = self.wallet.restore_wallet_from_text(
            text, path=str(file) if file else None, config=config, encrypt_file=False
        )
        return restored["wallet"]

    def read_wallet(self, file: Path, config: Any) -> Any:
        """Read a wallet from its file."""
        storage = self.storage.WalletStorage(str(file))
        database = self.wallet_db.WalletDB(storage.read(), manual_upgrades=False)
        return self.wallet.Wallet(database, storage, config=config)

    def write_wallet(self, inner: Any) -> None:
        """Write a wallet to its file, if it has one and something changed; blocks, so call it in a thread.

        Electrum writes for people to read, which takes ten times as long, and keeps the wallet locked meanwhile.
        """
        if inner.storage is None:
            return
        with self._writing:
            with inner.db.lock:
                if not inner.db.modified():
                    return
                text = inner.db.dump(human_readable=False)
                inner.db.set_modified(False)
            try:
                inner.storage.write(text)
            except BaseException:
                inner.db.set_modified(True)
                raise

    def height_of(self, block: Any) -> int:
        """Return the height in what Electrum knows of a transaction's block."""
        return int(block.height)

    def history_of(self, told: Any) -> list[dict[str, Any]]:
        """Return what `onchain_history` told as the contract has it: a list, with some fields that came later."""
        return [
            {"amount_sat": int(Decimal(item["bc_value"]).scaleb(8)), **_LATER_FIELDS, **item}
            for item in told["transactions"]
        ]

    def read_commands(self) -> dict[str, Command]:
        """Return the commands that callers may use, by name."""
        known = self.commands.known_commands
        return {name: _describe(command) for name, command in known.items() if name not in _KEPT_BACK}


_LATER_FIELDS: Final = {"group_id": None, "wanted_height": None}
_BY_VERSION: Final = {"4.3": Library}


def load(folder: Path) -> Library:
    """Import Electrum, behind everything else on the path, and undo what importing it changes.

    Raises:
        ConfigError: It does not import, is of a version that nobody wrote for, or runs in this process already.
    """
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    root_level = logging.getLogger().level
    try:
        modules = {name: importlib.import_module(f"electrum.{name}") for name in _MODULES}
    except ImportError as error:
        message = f"Electrum in {folder} cannot be used: {error}; install the extra [daemon], or run `bitcart setup`"
        raise ConfigError(message) from error
    finally:
        logging.getLogger().setLevel(root_level)
    # It tells every request at a level that it switches on itself, and its transport every change of pace.
    for talkative in ("electrum", "NotificationSession"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    if modules["util"]._asyncio_event_loop is not None:  # noqa: SLF001 - the only trace of another daemon
        raise ConfigError("Electrum runs already in this process; start one process per coin and network")
    return _for_version(str(modules["version"].ELECTRUM_VERSION))(modules)


def _for_version(version: str) -> type[Library]:
    for begins, library in _BY_VERSION.items():
        if version.startswith(begins + "."):
            return library
    raise ConfigError(f"Electrum {version} is not supported; install {' or '.join(_BY_VERSION)}")


def _describe(command: Any) -> Command:
    optional = [f"{name}={default!r}" for name, default in zip(command.options, command.defaults, strict=True)]
    return Command(
        name=command.name,
        doc=command.description or "",
        parameters=(*command.params, *(text for text in optional if not text.startswith("wallet="))),
        takes_wallet="wallet" in command.options,
        needs_wallet=bool(command.requires_wallet),
    )
