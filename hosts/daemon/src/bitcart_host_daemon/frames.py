"""The JSON texts that a websocket carries (daemon contract, section 3, and what we add to it)."""

import json
from collections.abc import Mapping
from typing import Any

from bitcart_core.events import Position
from bitcart_host_daemon.journal import Entry


def update_frame(entry: Entry, *, epoch: int, wallet: str | None, currency: str) -> str:
    """Return the frame of one journal entry; `epoch`, `seq` and `at` are our addition.

    The entry is stored as JSON text and goes out as it stands: two hundred sockets cost no encoding.

    Args:
        entry: The entry.
        epoch: Of its journal.
        wallet: What the receiver calls the wallet, or None for everyone's events.
        currency: `BTC`.
    """
    return (
        f'{{"updates":[{entry.frame}],"wallet":{json.dumps(wallet)},"currency":{json.dumps(currency)},'
        f'"epoch":{epoch},"seq":{entry.seq},"at":{json.dumps(entry.at)}}}'
    )


def place_frame(word: str, place: Position, state: Mapping[str, Any]) -> str:
    """Return `{"resumed": true, ...}` or `{"reset": true, ...}`: where what follows begins.

    Args:
        word: `resumed` where the client wanted, or `reset` to the head since its place is unknown here.
        place: The entry before the next one.
        state: As the method `state` returns it.
    """
    told = {"epoch": place.epoch, "seq": place.seq, "at": state["at"], "height": state["height"]}
    return json.dumps({word: True, **told})


def heartbeat_frame(state: Mapping[str, Any], *, every_seconds: float) -> str:
    """Return the frame that says: nothing older than `at` is still to come; the next word comes within `every_seconds`.

    Args:
        state: As the method `state` returns it.
        every_seconds: Between two heartbeats.
    """
    told = {name: state[name] for name in ("epoch", "seq", "height", "synchronized", "at")}
    return json.dumps({"heartbeat": True, **told, "every_seconds": every_seconds})
