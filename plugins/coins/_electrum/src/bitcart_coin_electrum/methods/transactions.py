"""Transactions: looked up, measured, and what they cost."""

from collections.abc import Mapping
from typing import Any

from bitcart_coin_electrum import spec, units
from bitcart_coin_electrum.methods.registry import Call, Method, Needs
from bitcart_core import CoinRefused


async def get_transaction(call: Call, txid: str, use_spv: bool = False) -> Mapping[str, Any]:  # noqa: FBT001, FBT002 - the contract's
    """Return a transaction of anyone with its confirmations.

    The server is believed, unless `use_spv` asks for a proof of the block.
    """
    if use_spv:
        raw = str(await call.electrum.ask_server("blockchain.transaction.get", txid))
        return _told(call, raw, await _proven_confirmations(call, txid, raw))
    answer = await call.electrum.ask_server("blockchain.transaction.get", txid, True)  # noqa: FBT003 - the protocol's
    return _told(call, answer["hex"], int(answer.get("confirmations") or 0))


async def get_tx_size(call: Call, raw_tx: str) -> int:
    """Return the size of a transaction in virtual bytes, once it is signed."""
    return int(call.electrum.transaction(raw_tx).estimated_size())


async def get_tx_hash(call: Call, raw_tx: str) -> str:
    """Return the id of a transaction."""
    return str(call.electrum.transaction(raw_tx).txid())


async def get_default_fee(call: Call, tx: str | int) -> str:
    """Return what a transaction, or one of so many virtual bytes, would pay by default, in whole coins."""
    size = int(tx) if isinstance(tx, int) or (str(tx).isdecimal() and len(tx) < 8) else await get_tx_size(call, str(tx))
    return units.padded(call.electrum.fee_for_size(size), call.profile.decimals)


async def get_used_fee(call: Call, txid: str) -> str | None:
    """Return what a transaction of this wallet paid to miners in whole coins, or null where others paid it."""
    if not call.wallet.electrum.has_transaction(txid):
        raise CoinRefused("No such blockchain transaction in this wallet", code=spec.TX_NOT_FOUND)
    fee = call.wallet.electrum.fee_of(txid)
    return None if fee is None else units.padded(fee, call.profile.decimals)


async def onchain_history(call: Call, *positional: Any, **named: Any) -> list[dict[str, Any]]:
    """Return the transactions of the wallet, oldest first.

    Takes what Electrum's own command takes: `year`, `show_addresses`, `from_height`, `to_height`.
    """
    return await call.electrum.history(call.wallet.electrum, positional, named)


METHODS = (
    Method(get_transaction),
    Method(get_tx_size),
    Method(get_tx_hash),
    Method(get_default_fee),
    Method(get_used_fee, Needs.SYNCHRONIZED),
    Method(onchain_history, Needs.SYNCHRONIZED),
)


def _told(call: Call, raw: str, confirmations: int) -> dict[str, Any]:
    transaction = call.electrum.transaction(raw)
    told: dict[str, Any] = transaction.to_json()
    for shown, spent in zip(told["inputs"], transaction.inputs(), strict=True):
        shown["witness"] = [element.hex() for element in spent.witness_elements()]
    return {**told, "confirmations": confirmations}


async def _proven_confirmations(call: Call, txid: str, raw: str) -> int:
    """Find the block through the history of what the transaction pays to, and check the proof that it is in it."""
    script = call.electrum.transaction(raw).outputs()[0].scriptpubkey
    history = await call.electrum.ask_server("blockchain.scripthash.get_history", call.electrum.script_hash(script))
    height = next((int(item["height"]) for item in history if item["tx_hash"] == txid), 0)
    if height <= 0:
        return 0
    await call.electrum.prove(txid, height)
    return call.electrum.height() - height + 1
