"""Receiving keys: checked by their coin's daemon before they are stored."""

from typing import TYPE_CHECKING

from bitcart_core.coins import Coin, WalletKey
from bitcart_core.errors import InputError
from bitcart_core.models import Wallet

if TYPE_CHECKING:
    from bitcart_core.registry import Registry


def coin_of(registry: "Registry", code: str) -> Coin:
    """Return a coin by its code.

    Raises:
        InputError: No plugin brings it; lists what there is.
    """
    coin = registry.coins.get(code.strip().lower())
    if coin is None:
        offered = ", ".join(sorted(registry.coins)) or "none; add a coin to plugins.toml"
        raise InputError(f"Unsupported currency {code[:20]!r}; supported: {offered}", field="currency")
    return coin


def key_of(wallet: Wallet) -> WalletKey:
    """Return the key of a wallet as its coin wants it."""
    return WalletKey(key=wallet.key, contract=wallet.contract or None, extra=wallet.extra)


def check(registry: "Registry", wallet: Wallet) -> None:
    """Make sure a wallet can receive, by asking its coin's daemon; sets the network. Call with no transaction open.

    Raises:
        InputError: The coin is unknown, or the key is wrong; says which form is expected.
        CoinError: The daemon could not tell.
    """
    coin = coin_of(registry, wallet.coin)
    wallet.coin, wallet.network = coin.code, coin.network
    coin.client.check_key(key_of(wallet))
