"""Choose the address of a new payment request. Never one that a buyer of another request may still pay to."""

from collections.abc import Callable

from bitcart_coin_electrum.store import StoredRequest
from bitcart_coin_electrum.wallets import OpenWallet
from bitcart_core import InputError

LATE_SECONDS = 30 * 86_400
"""How long after its expiry a request is still looked for money; its address serves no other until then."""

LOOK_AGAIN_SECONDS = 600
"""Taken addresses may be free again later; no need to go through all of them for every request."""


def free_address(
    wallet: OpenWallet, is_taken: Callable[[str], bool], *, now: int, may_derive: bool
) -> tuple[str, int | None] | None:
    """Return an address that was never paid and that no live request has, with its place in the wallet.

    Args:
        wallet: Synchronized, so that it knows which addresses were paid.
        is_taken: Tells whether a live request has an address.
        now: Unix time in seconds.
        may_derive: Make one beyond the gap limit if none is left.

    Returns:
        None if none is left. The place is None in a wallet made of a list of addresses.

    Raises:
        InputError: None is left, and this wallet cannot make one.
    """
    electrum = wallet.electrum
    if now - wallet.looked_at > LOOK_AGAIN_SECONDS:
        wallet.next_free, wallet.looked_at = 0, now
    for index in range(wallet.next_free, electrum.receiving_count()):
        address = electrum.receiving_address(index)
        if not electrum.is_used(address) and not is_taken(address):
            wallet.next_free = index + 1
            return address, index if electrum.can_derive() else None
    wallet.next_free = electrum.receiving_count()
    if not may_derive:
        return None
    if not electrum.can_derive():
        raise InputError("every address of this wallet is taken; add addresses to it, or use an extended public key")
    wallet.next_free += 1
    return electrum.derive(), wallet.next_free - 1


def is_live(request: StoredRequest | None, *, now: int) -> bool:
    """Return whether money for a request may still come: it is open, or it expired a short while ago."""
    return request is not None and (request.expires_at is None or request.expires_at + LATE_SECONDS > now)
