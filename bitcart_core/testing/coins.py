"""A coin without a chain: deterministic, in memory, as obedient or as broken as a test wants it."""

import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from bitcart_core.coins import Coin, DaemonState, PaymentRequest, PaymentsSnapshot, StreamItem, WalletKey
from bitcart_core.errors import CoinUnreachable, InputError
from bitcart_core.events import BlockEvent, PaymentEvent, Position


class FakeCoinClient:
    """A `CoinClient` whose chain is a dict. What happens on it is returned as stream items, for the test to store.

    Attributes:
        is_down: Every call raises `CoinUnreachable`.
        clock: The daemon's clock, or None for the real one.
    """

    def __init__(self, *, epoch: int = 1) -> None:
        self.is_down = False
        self.clock: datetime | None = None
        self.height = 100
        self.epoch = epoch
        self.seq = 0
        self.requests: dict[str, PaymentRequest] = {}
        self.outputs: dict[tuple[str, str], PaymentEvent] = {}
        self._request_ids = itertools.count(1)
        self._txids = itertools.count(1)

    def check_key(self, key: WalletKey) -> None:
        """Accept keys that begin with `xpub`."""
        self._answer()
        if not key.key.startswith("xpub"):
            raise InputError("Wallet key invalid; send one that begins with xpub", field="xpub")

    def create_request(
        self,
        key: WalletKey,
        *,
        amount: Decimal | None,
        memo: str,
        expires_in_seconds: int | None,
        timeout_seconds: float,
    ) -> PaymentRequest:
        """Hand out `request-1`, `request-2` and so on."""
        del memo, expires_in_seconds, timeout_seconds
        self._answer()
        number = next(self._request_ids)
        address = f"address-{key.key}-{number}"
        request = PaymentRequest(
            lookup_key=f"request-{key.key}-{number}", address=address, uri=f"fake:{address}?amount={amount}"
        )
        self.requests[request.lookup_key] = request
        return request

    def balance(self, key: WalletKey) -> Mapping[str, Decimal]:
        """Return the sum of all money that stands."""
        del key
        self._answer()
        standing = sum((event.amount for event in self.outputs.values() if not event.is_replaced), Decimal(0))
        return {"confirmed": standing, "unconfirmed": Decimal(0), "unmatured": Decimal(0), "lightning": Decimal(0)}

    def payments_of(self, lookup_keys: Sequence[str], *, after: Position | None = None) -> PaymentsSnapshot:
        """Tell all that was paid to these requests."""
        del after
        self._answer()
        events = tuple(event for event in self.outputs.values() if event.lookup_key in lookup_keys)
        return PaymentsSnapshot(position=self.position, height=self.height, payments=events)

    def state(self) -> DaemonState:
        """Tell how the fake is doing."""
        self._answer()
        return DaemonState(
            height=self.height, is_synchronized=True, position=self.position, version="fake", at=self.now()
        )

    async def stream(self, after: Position | None) -> AsyncIterator[StreamItem]:
        """Tell where the head is, once."""
        del after
        self._answer()
        yield self.heartbeat()

    @property
    def position(self) -> Position:
        """The head of the journal."""
        return Position(epoch=self.epoch, seq=self.seq)

    def now(self) -> datetime:
        """Return the daemon's time."""
        return self.clock or datetime.now(UTC)

    def pay(
        self, lookup_key: str, amount: str, *, txid: str | None = None, output: str = "0", at: datetime | None = None
    ) -> StreamItem:
        """Let money arrive in the mempool."""
        address = self.requests[lookup_key].address if lookup_key in self.requests else lookup_key
        event = PaymentEvent(
            lookup_key=lookup_key, address=address, txid=txid or f"tx-{next(self._txids)}", output=output,
            amount=Decimal(amount), first_seen_at=at or self.now(),
        )  # fmt: skip
        self.outputs[event.txid, event.output] = event
        return self._item(event)

    def mine(self, blocks: int = 1) -> StreamItem:
        """Mine blocks; everything in the mempool goes into the first of them."""
        first, self.height = self.height + 1, self.height + blocks
        changed = []
        for key, event in self.outputs.items():
            if event.height is None and not event.is_replaced:
                mined = replace(event, height=first, block_hash=f"block-{first}", block_time=self.now())
                self.outputs[key] = mined
                changed.append(mined)
        tip = BlockEvent(height=self.height, block_hash=f"block-{self.height}", block_time=self.now())
        return self._item(*changed, tip)

    def change(self, event: PaymentEvent, **changes: object) -> StreamItem:
        """Let an output become something else: replaced, orphaned, settled."""
        changed = replace(event, **changes)  # type: ignore[arg-type]  # the test names the fields
        self.outputs[changed.txid, changed.output] = changed
        return self._item(changed)

    def heartbeat(self) -> StreamItem:
        """Say that nothing older is still to come."""
        return StreamItem(position=self.position, at=self.now(), events=(), height=self.height, is_caught_up=True)

    def _item(self, *events: PaymentEvent | BlockEvent) -> StreamItem:
        self.seq += 1
        return StreamItem(position=self.position, at=self.now(), events=events, height=self.height, is_caught_up=True)

    def _answer(self) -> None:
        if self.is_down:
            raise CoinUnreachable("the fake daemon is down; it is a test")


def fake_coin(code: str = "btc", *, client: FakeCoinClient | None = None, decimals: int = 8) -> Coin:
    """Return a coin with a fake client."""
    return Coin(
        code=code, name=code.title(), symbol=code.upper(), decimals=decimals, network="regtest",
        client=client or FakeCoinClient(),
    )  # fmt: skip


def items(*stream: StreamItem | Iterable[StreamItem]) -> list[StreamItem]:
    """Flatten stream items, for readable tests."""
    return [item for part in stream for item in ([part] if isinstance(part, StreamItem) else part)]
