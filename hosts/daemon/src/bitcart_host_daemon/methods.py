"""The methods the host adds to a coin's own: the journal's, and the polling that the contract asks of every daemon."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from bitcart_core.coins import WalletKey
from bitcart_core.daemons import Daemon, LoadsWallets
from bitcart_core.errors import CoinRefused
from bitcart_core.events import Position
from bitcart_host_daemon.frames import update_frame
from bitcart_host_daemon.journal import Journal
from bitcart_host_daemon.keys import WalletKeys
from bitcart_host_daemon.reading import JournalReader
from bitcart_host_daemon.rpc import INVALID_PARAMS, WALLET_NOT_LOADED, Call, RawJson

MOST_ENTRIES = 1000
MOST_REQUESTS = 20_000


class Methods:
    """Answers a call: from the journal, or by handing it to the coin.

    Args:
        daemon: The coin.
        journal: What it saw.
        reader: Reads the journal from a thread.
        keys: Remembers the keys that are used.
        polling_cap: The most events one poll returns; 0 turns polling off (contract: `POLLING_CAP`).
    """

    def __init__(
        self, daemon: Daemon, journal: Journal, reader: JournalReader, keys: WalletKeys, *, polling_cap: int
    ) -> None:
        self.currency = daemon.code.upper()
        self._daemon = daemon
        self._journal = journal
        self._reader = reader
        self._keys = keys
        self._polling_cap = polling_cap
        self._own: Mapping[str, Callable[..., Awaitable[Any]]] = {
            "events_since": self.events_since,
            "payments_of": self.payments_of,
            "state": self.state,
        }

    async def answer(self, call: Call) -> Any:
        """Answer one call.

        Raises:
            Exception: As the coin raised it; TypeError for arguments that do not fit.
        """
        if call.key is not None:
            self._keys.remember(call.key)
        if call.method == "get_updates":
            return await self._get_updates(call.key)
        if call.method == "help":
            return await self._help(call)
        if own := self._own.get(call.method):
            return await own(*call.positional, **call.keywords)
        return await self._daemon.call(call.method, call.keywords, call.positional, call.key)

    async def state(self) -> dict[str, Any]:
        """Tell how the daemon is doing: the head of its journal, its best block, whether it follows the network."""
        return self.state_now()

    def state_now(self) -> dict[str, Any]:
        """Return what `state` answers; `at` is a moment at which nothing older was still to be written."""
        state = self._daemon.state()
        head, at = self._journal.moment()
        return {
            "epoch": head.epoch,
            "seq": head.seq,
            "height": state.get("height"),
            "synchronized": bool(state.get("is_synchronized")),
            "server": state.get("server"),
            "version": self._daemon.version,
            "currency": self.currency,
            "at": at,
        }

    async def events_since(self, epoch: int, seq: int, limit: int = 100) -> RawJson:
        """Return journal entries after a place, as the frames of the websocket; `reset` if they are not all here."""
        after = read_position({"epoch": epoch, "seq": seq})
        count = max(1, min(_whole(limit, "limit"), MOST_ENTRIES))
        entries = await asyncio.to_thread(self._reader.entries, after, limit=count)
        head = self._journal.head
        frames = [
            update_frame(entry, epoch=after.epoch, wallet=self._keys.find(entry.wallet), currency=self.currency)
            for entry in entries or ()
        ]
        reset = "true" if entries is None else "false"
        return RawJson(f'{{"epoch":{head.epoch},"seq":{head.seq},"reset":{reset},"entries":[{",".join(frames)}]}}')

    async def payments_of(self, requests: Sequence[str], after: Mapping[str, Any] | None = None) -> RawJson:
        """Return all outputs of many requests, and the place in the journal that the answer is true for.

        With `after` (`{"epoch","seq"}`), requests that did not change since are left out.
        """
        if not isinstance(requests, list) or not all(isinstance(request, str) for request in requests):
            raise _bad("requests must be a list of texts")
        if len(requests) > MOST_REQUESTS:
            raise _bad(f"{len(requests)} requests are too many for one call; ask for {MOST_REQUESTS} at most")
        since = None if after is None else read_position(after)
        found = await asyncio.to_thread(self._reader.payments, requests, after=since)
        height = self._daemon.state().get("height")
        return RawJson(
            f'{{"epoch":{found.position.epoch},"seq":{found.position.seq},'
            f'"height":{"null" if height is None else int(height)},"payments":[{",".join(found.bodies)}]}}'
        )

    async def _get_updates(self, key: WalletKey | None) -> RawJson:
        if key is None:
            raise CoinRefused("Wallet not loaded", code=WALLET_NOT_LOADED)
        if isinstance(self._daemon, LoadsWallets):
            await self._daemon.load(key)
        if self._polling_cap == 0:
            return RawJson("[]")
        frames = self._journal.poll(self._daemon.wallet_name(key), limit=self._polling_cap)
        return RawJson(f"[{','.join(frames)}]")

    async def _help(self, call: Call) -> Any:
        topic = next(iter((*call.positional, *call.keywords.values())), None)
        if isinstance(topic, str) and (own := self._own.get(topic)):
            return f"{topic}{inspect.signature(own)}\n\n{inspect.getdoc(own)}"
        answer = await self._daemon.call(call.method, call.keywords, call.positional, call.key)
        return sorted({*answer, *self._own, "get_updates"}) if isinstance(answer, list) else answer


def read_position(data: Any) -> Position:
    """Read `{"epoch": E, "seq": N}` as a client sends it.

    Raises:
        CoinRefused: Something is missing or not a whole number.
    """
    if not isinstance(data, Mapping):
        raise _bad('a place in the journal is an object: {"epoch": 1790000000000, "seq": 0}')
    return Position(epoch=_whole(data.get("epoch"), "epoch"), seq=_whole(data.get("seq"), "seq"))


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise _bad(f"{name} must be a whole number, 0 or more")
    return value


def _bad(reason: str) -> CoinRefused:
    return CoinRefused(reason, code=INVALID_PARAMS)
