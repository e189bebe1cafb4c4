"""Wallets: made, listed, closed, and what they hold."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bitcart_coin_electrum import units
from bitcart_coin_electrum.addresses import free_address
from bitcart_coin_electrum.methods.registry import Call, Method, Needs
from bitcart_coin_electrum.methods.requests import is_taken
from bitcart_core import InputError, WalletKey

RESTORED = "The wallet was restored; its history is read when it is used for the first time."
CREATED = "Keep the seed in a safe place; without it the money is lost."


async def getbalance(call: Call) -> Mapping[str, str]:
    """Return what the wallet holds, in whole coins; unconfirmed and unmatured only where there is some."""
    confirmed, unconfirmed, unmatured = call.wallet.electrum.balance()
    extra = {"unconfirmed": unconfirmed, "unmatured": unmatured}
    shown = {"confirmed": confirmed, **{name: amount for name, amount in extra.items() if amount}}
    return {name: units.plain(amount, call.profile.decimals) for name, amount in shown.items()}


async def getunusedaddress(call: Call) -> str | None:
    """Return an address that was never paid and that no request has, or null if none is left. It is not reserved."""
    found = free_address(call.wallet, partial(is_taken, call), now=int(time.time()), may_derive=False)
    if found is not None:
        call.wallet.looked_at = 0
    return found[0] if found else None


async def getmpk(call: Call) -> str | None:
    """Return the wallet's extended public key, or null for a list of addresses."""
    return call.wallet.electrum.public_key()


async def validatekey(call: Call, key: str) -> bool:
    """Return whether a text is an extended key of this network or an Electrum seed."""
    return call.electrum.is_key(str(key))


async def list_wallets(call: Call) -> list[Mapping[str, object]]:
    """Return the open wallets. Their names say nothing about their keys."""
    return [
        {
            "path": wallet.electrum.path() or wallet.name,
            "synchronized": wallet.electrum.is_synchronized(),
            "unlocked": True,
        }
        for wallet in call.wallets
        if not wallet.is_dismissed
    ]


async def close_wallet(call: Call, key: str | None = None) -> bool:
    """Close the wallet of the call, or that of another key; false if it was not open.

    A wallet with a file whose requests are still watched goes on watching.
    """
    named = WalletKey(key=key) if key else call.key
    if named is None:
        return False
    name = call.wallets.name_of(named)
    return await call.wallets.close(name, is_watched=call.watcher.is_watching_wallet(name))


async def make_seed(
    call: Call, nbits: int | None = None, language: str | None = None, seed_type: str | None = None
) -> str:
    """Return the words of a new Electrum seed. No wallet is made."""
    return await asyncio.to_thread(call.electrum.make_seed, seed_type, bits=nbits, language=language)


async def create(call: Call, seed_type: str | None = None, wallet_path: str | None = None) -> Mapping[str, str]:
    """Make a new wallet and return its seed. Send the seed as `xpub` to use it."""
    _refuse_path(wallet_path)
    seed = await asyncio.to_thread(call.electrum.make_seed, seed_type)
    file = await call.wallets.create(seed)
    return {"seed": seed, "path": str(file), "msg": CREATED}


async def restore(call: Call, text: str, wallet_path: str | None = None) -> Mapping[str, str]:
    """Make the file of a wallet from a key, a seed, or addresses. Refused if there is one."""
    _refuse_path(wallet_path)
    return {"path": str(await call.wallets.create(str(text))), "msg": RESTORED}


METHODS = (
    Method(getbalance, Needs.SYNCHRONIZED),
    Method(getunusedaddress, Needs.SYNCHRONIZED),
    Method(getmpk, Needs.WALLET),
    Method(validatekey),
    Method(list_wallets),
    Method(close_wallet),
    Method(make_seed),
    Method(create),
    Method(restore),
)


def _refuse_path(wallet_path: str | None) -> None:
    """Wallets are found by their digest, and no caller may choose where this machine writes."""
    if wallet_path and Path(wallet_path).name != wallet_path:
        raise InputError("wallet_path is not for callers to choose; leave it out", field="wallet_path")
