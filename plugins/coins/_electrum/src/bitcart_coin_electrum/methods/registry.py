"""What a method is: a function with a name, a text for `help`, and what it needs of a wallet."""

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from bitcart_coin_electrum import spec
from bitcart_coin_electrum.adapter import Electrum
from bitcart_coin_electrum.profile import CoinProfile
from bitcart_coin_electrum.store import RequestStore
from bitcart_coin_electrum.wallets import OpenWallet, Wallets
from bitcart_coin_electrum.watch import Watcher
from bitcart_core import WalletKey


class Needs(StrEnum):
    """How much of a wallet a method needs.

    A method that needs none ignores a key, be it good or bad; the others open the wallet of the key.
    """

    NOTHING = "nothing"
    WALLET = "wallet"
    SYNCHRONIZED = "synchronized"


@dataclass(frozen=True)
class Call:
    """One call, and what it may work with.

    Attributes:
        key: As the caller sent it, if it did.
        opened: The wallet of the key, for methods that need one.
    """

    electrum: Electrum
    wallets: Wallets
    requests: RequestStore
    watcher: Watcher
    profile: CoinProfile
    network: str
    key: WalletKey | None
    opened: OpenWallet | None = None

    @property
    def wallet(self) -> OpenWallet:
        """The wallet that the call is about.

        Raises:
            CoinRefused: The caller sent no key.
        """
        if self.opened is None:
            raise spec.wallet_needed()
        return self.opened


@dataclass(frozen=True)
class Method:
    """A method as it can be called, listed and explained.

    Attributes:
        answer: Takes the call, then what the caller sent; its docstring is the text for `help`.
        needs: Of a wallet.
        aliases: Other names it goes by.
    """

    answer: Callable[..., Awaitable[Any]]
    needs: Needs = Needs.NOTHING
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name in the protocol: that of the function, without the `_` that avoids a builtin's name."""
        return self.answer.__name__.rstrip("_")

    @property
    def usage(self) -> str:
        """Its name, its parameters with their defaults, and what it does."""
        parameters = list(inspect.signature(self.answer).parameters.values())[1:]
        signature = inspect.Signature([p.replace(annotation=inspect.Parameter.empty) for p in parameters])
        return f"{self.name}{signature}\n\n{inspect.getdoc(self.answer)}"


def by_name(methods: Iterable[Method]) -> dict[str, Method]:
    """Return methods by all their names."""
    return {name: method for method in methods for name in (method.name, *method.aliases)}
