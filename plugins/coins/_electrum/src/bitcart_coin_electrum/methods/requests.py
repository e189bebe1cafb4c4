"""Payment requests: made, read, listed and hidden."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from bitcart_coin_electrum import spec, units
from bitcart_coin_electrum.addresses import free_address, is_live
from bitcart_coin_electrum.methods.registry import Call, Method, Needs
from bitcart_coin_electrum.standing import Standing, Status
from bitcart_coin_electrum.store import StoredRequest
from bitcart_core import InputError


async def add_request(  # noqa: PLR0917 - the contract's parameters, in its order
    call: Call,
    amount: object,
    memo: str = "",
    expiry: int | None = 3600,
    lightning: bool = False,  # noqa: FBT001, FBT002 - the contract's
    force: bool = False,  # noqa: FBT001, FBT002 - the contract's
) -> Mapping[str, object] | bool:
    """Make a payment request with an address of its own.

    `amount` is in whole coins, null for any. `expiry` is in seconds, 0 or null for never. The address is one that
    was never paid and that no request has, late ones included; with `force` one is made beyond the gap limit if
    none is left, without it the answer is then false.
    """
    if lightning:
        raise InputError("this daemon has no Lightning; leave 'lightning' out", field="lightning")
    profile = call.profile
    wanted = None if amount is None else units.to_units(amount, symbol=profile.symbol, decimals=profile.decimals)
    lifetime = _lifetime(expiry)
    now = int(time.time())
    found = free_address(call.wallet, partial(is_taken, call), now=now, may_derive=force)
    if found is None:
        return False
    address, index = found
    request = StoredRequest(
        id=call.requests.new_id(),
        wallet=call.wallet.name,
        address=address,
        address_index=index,
        units=wanted,
        memo=str(memo or ""),
        created_at=now,
        lifetime=lifetime,
    )
    call.requests.add(request)
    call.watcher.add(request)
    if request.memo:
        call.wallet.electrum.label(address, request.memo)
    return _as_told(call, request)


async def get_request(call: Call, request_id: str) -> Mapping[str, object]:
    """Return a payment request with everything that was paid to it. `request_id` is as `add_request` gave it."""
    request = call.requests.get(str(request_id))
    if request is None or request.wallet != call.wallet.name or call.requests.is_deleted(request.id):
        raise spec.request_not_found(request_id)
    return _as_told(call, request)


async def list_requests(
    call: Call,
    pending: bool = False,  # noqa: FBT001, FBT002 - the contract's
    expired: bool = False,  # noqa: FBT001, FBT002 - the contract's
    paid: bool = False,  # noqa: FBT001, FBT002 - the contract's
) -> list[Mapping[str, object]]:
    """Return the payment requests of the wallet, oldest first; with a flag, only those in that state."""
    wanted = {status for flag, status in _FLAGS.items() if {"pending": pending, "expired": expired, "paid": paid}[flag]}
    told = (_as_told(call, request) for request in call.requests.of_wallet(call.wallet.name))
    return [request for request in told if not wanted or request["status"] in wanted]


async def delete_request(call: Call, request_id: str) -> None:
    """Hide a payment request. Its address stays taken and watched, since a buyer may still look at it."""
    call.requests.delete(call.wallet.name, str(request_id))


async def clear_requests(call: Call) -> bool:
    """Hide all payment requests of the wallet, as `delete_request` does."""
    call.requests.delete(call.wallet.name)
    return True


async def modifypaymenturl(call: Call, url: str, amount: object, divisibility: int | None = None) -> str:
    """Return a payment URL with another amount, in whole coins; 0 leaves it as it is."""
    decimals = call.profile.decimals if divisibility is None else int(divisibility)
    wanted = units.to_units(amount, symbol=call.profile.symbol, decimals=decimals)
    if not wanted:
        return url
    parts = urlsplit(url)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "amount"]
    query.insert(0, ("amount", units.plain(wanted, decimals)))
    return urlunsplit(parts._replace(query=urlencode(query, quote_via=quote)))


_FLAGS: Mapping[str, Status] = {"pending": Status.UNPAID, "expired": Status.EXPIRED, "paid": Status.PAID}

METHODS = (
    Method(add_request, Needs.SYNCHRONIZED),
    Method(get_request, Needs.SYNCHRONIZED, aliases=("getrequest",)),
    Method(list_requests, Needs.SYNCHRONIZED),
    Method(delete_request, Needs.WALLET, aliases=("rmrequest",)),
    Method(clear_requests, Needs.WALLET),
    Method(modifypaymenturl),
)


def is_taken(call: Call, address: str) -> bool:
    """Return whether money for another request may still come to an address."""
    latest = call.requests.latest_at(address)
    return latest is not None and (call.watcher.is_watching(latest) or is_live(latest, now=int(time.time())))


def _lifetime(expiry: object) -> int:
    try:
        seconds = int(str(expiry or 0))
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise InputError(f"expiry {str(expiry)[:20]!r} is not a number of seconds; send 0 for never", field="expiry")
    return seconds


def _as_told(call: Call, request: StoredRequest) -> dict[str, Any]:
    """Return a request in the contract's shape (section 4.1)."""
    standing: Standing = call.watcher.standing(request)
    decimals = call.profile.decimals
    told = {
        "is_lightning": False,
        call.profile.amount_field: "unknown" if request.units is None else units.plain(request.units, decimals),
        "message": request.memo,
        "timestamp": request.created_at,
        "expiry": request.lifetime,
        "status": int(standing.status),
        "status_str": standing.text,
        "amount_sat": request.units,
        "request_id": request.id,
        "address": request.address,
        "URI": _uri(call, request),
        "tx_hashes": list(standing.txids),
        "sent_amount": units.padded(standing.units, decimals),
    }
    return told if standing.confirmations is None else {**told, "confirmations": standing.confirmations}


def _uri(call: Call, request: StoredRequest) -> str | None:
    """Return the BIP 21 URI, or None where the contract has none: neither an amount nor a message."""
    query: list[tuple[str, str]] = []
    if request.units is not None:
        query.append(("amount", units.plain(request.units, call.profile.decimals)))
    if request.memo:
        query.append(("message", request.memo))
    if not query:
        return None
    if request.lifetime:
        query += [("time", str(request.created_at)), ("exp", str(request.lifetime))]
    return f"{call.profile.uri_scheme}:{request.address}?{urlencode(query, quote_via=quote)}"
