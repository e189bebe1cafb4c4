"""The network and the daemon itself: how they do, and what may be set."""

import inspect
from collections.abc import Mapping
from decimal import Decimal

from bitcart_coin_electrum import spec
from bitcart_coin_electrum.methods.registry import Call, Method
from bitcart_core import CoinRefused

SETTINGS = frozenset(
    {
        *("auto_connect", "oneserver", "dynamic_fees", "mempool_fees", "fee_level", "depth_level", "fee_per_kb"),
        *("use_rbf", "use_change", "multiple_change", "confirmed_only", "coin_chooser_output_rounding"),
        *("lightning_to_self_delay", "use_gossip", "bolt11_fallback", "bip21_lightning"),
    }
)
"""Electrum 4.3.4 takes any name for a setting; these have an effect and none reaches outside the daemon."""


async def getinfo(call: Call) -> Mapping[str, object]:
    """Return how the daemon and its connection do."""
    electrum, wallets = call.electrum, list(call.wallets)
    return {
        "network": call.network,
        "path": str(electrum.data_dir),
        "server": electrum.server(),
        "blockchain_height": electrum.height(),
        "server_height": electrum.server_height(),
        "spv_nodes": electrum.server_count(),
        "connected": electrum.is_connected(),
        "auto_connect": electrum.is_auto_connecting(),
        "version": electrum.version,
        "fee_estimates": {str(blocks): fee for blocks, fee in electrum.fee_estimates().items()},
        "synchronized": electrum.is_synchronized() and all(wallet.electrum.is_synchronized() for wallet in wallets),
        "total_wallets": len([wallet for wallet in wallets if not wallet.is_dismissed]),
    }


async def recommended_fee(call: Call, target_blocks: int = 1) -> int | None:
    """Return the servers' estimate for so many blocks to wait, in satoshis per 1000 virtual bytes, or null."""
    return call.electrum.fee_for_target(int(target_blocks))


async def getaddressbalance(call: Call, address: str) -> Mapping[str, str]:
    """Return the balance of any address in whole coins, as the server tells it."""
    told = await call.electrum.run("getaddressbalance", None, [address], {})
    return {name: format(Decimal(amount), "f") for name, amount in told.items()}


async def normalizeaddress(call: Call, address: str) -> str:  # noqa: ARG001 - methods take their call
    """Return an address as it is; this coin writes each in one way only."""
    return address


async def getconfig(call: Call, key: str) -> object:
    """Return a setting of Electrum."""
    return call.electrum.get_setting(_setting(key))


async def setconfig(call: Call, key: str, value: object) -> None:
    """Change a setting of Electrum until the daemon stops. A text is read as JSON where it is JSON."""
    call.electrum.set_setting(_setting(key), value)


async def help_(call: Call, name: str | None = None) -> list[str] | str:
    """Return the names of all methods, or how one is used."""
    from bitcart_coin_electrum.methods.catalogue import METHODS  # noqa: PLC0415 - the list holds this method too

    if name is None:
        return sorted({*METHODS, *call.electrum.commands})
    if name in METHODS:
        return METHODS[name].usage
    if name in call.electrum.commands:
        command = call.electrum.commands[name]
        return f"{name}({', '.join(command.parameters)})\n\n{inspect.cleandoc(command.doc).strip()}"
    raise CoinRefused("Procedure not found", code=spec.PROCEDURE_NOT_FOUND)


METHODS = tuple(
    Method(answer)
    for answer in (getinfo, recommended_fee, getaddressbalance, normalizeaddress, getconfig, setconfig, help_)
)


def _setting(key: str) -> str:
    if key not in SETTINGS:
        raise CoinRefused(f"No ConfigVar with key={str(key)[:40]!r}", code=spec.NO_CONFIG_KEY)
    return key
