"""A make-believe chain for tests: the same calls give the same hashes, on any machine. Knows no wallet, no daemon."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from pydantic import TypeAdapter

from bitcart_core.errors import CoinRefused


@dataclass(kw_only=True)
class ScriptedBlock:
    """A block: its hash and the time it claims."""

    hash: str
    time: datetime


@dataclass(kw_only=True)
class ScriptedTransaction:
    """A transaction that pays addresses.

    Attributes:
        outputs: Address and amount of each output, in order.
        seen_at: When it appeared.
        height: The block it stands in, or None while it waits.
        is_gone: Replaced or dropped.
    """

    outputs: list[tuple[str, Decimal]]
    seen_at: datetime
    height: int | None = None
    is_gone: bool = False


@dataclass(kw_only=True)
class _Saved:
    blocks: list[ScriptedBlock]
    transactions: dict[str, ScriptedTransaction]
    counter: int


_SAVED = TypeAdapter(_Saved)


class ScriptedChain:
    """A chain that does what a test says; offers what `bitcart_core.ChainTools` does.

    Attributes:
        blocks: From height 1; there is no genesis block to speak of.
        transactions: By txid, in the order of their appearance.
        touched: Addresses whose payments changed since someone last cleared this.
    """

    def __init__(self) -> None:
        self.blocks: list[ScriptedBlock] = []
        self.transactions: dict[str, ScriptedTransaction] = {}
        self.touched: set[str] = set()
        self._by_address: dict[str, list[tuple[str, int]]] = {}
        self._counter = 0

    @classmethod
    def load(cls, path: Path) -> "ScriptedChain":
        """Read a chain that `save` wrote; a new one if there is none."""
        chain = cls()
        if path.exists():
            saved = _SAVED.validate_json(path.read_bytes())
            chain.blocks, chain._counter = saved.blocks, saved.counter
            for txid, transaction in saved.transactions.items():
                chain._add(txid, transaction)
        return chain

    def save(self, path: Path) -> None:
        """Write the chain, so that it outlives the process; a reader sees all of it or none."""
        draft = path.with_suffix(".draft")
        saved = _Saved(blocks=self.blocks, transactions=self.transactions, counter=self._counter)
        draft.write_bytes(_SAVED.dump_json(saved))
        draft.replace(path)

    def height(self) -> int:
        """Return the height of the best block."""
        return len(self.blocks)

    def mine(self, blocks: int = 1, *, at: datetime | None = None) -> list[str]:
        """Mine blocks; the first takes in everything that waits. Return their hashes."""
        return [self._mine_one(at or datetime.now(UTC)) for _ in range(blocks)]

    def pay(self, address: str, amount: Decimal, *, at: datetime | None = None) -> str:
        """Send coins out of nowhere to an address; return the txid."""
        return self.send([(address, amount)], at=at)

    def send(self, outputs: list[tuple[str, Decimal]], *, at: datetime | None = None) -> str:
        """Send one transaction with several outputs; return its txid."""
        txid = self._hash("transaction")
        self._add(txid, ScriptedTransaction(outputs=outputs, seen_at=at or datetime.now(UTC)))
        self._touch(self.transactions[txid])
        return txid

    def replace(self, txid: str, address: str | None = None) -> str:
        """Replace a waiting transaction by one that pays `address`, or nobody we know; return the new txid."""
        old = self._find(txid)
        if old.height is not None:
            raise CoinRefused(f"transaction {txid} stands in block {old.height} and cannot be replaced")
        self.drop(txid)
        return self.send([(address or "elsewhere", sum((amount for _, amount in old.outputs), Decimal(0)))])

    def drop(self, txid: str) -> None:
        """Make a transaction vanish, as if every node had forgotten it."""
        transaction = self._find(txid)
        transaction.is_gone, transaction.height = True, None
        self._touch(transaction)

    def reorg(self, depth: int, *, keep_transactions: bool = True) -> int:
        """Throw away the last blocks and mine one more than were lost; return the new height.

        Args:
            depth: How many blocks are lost.
            keep_transactions: Mine what stood in them again; else it vanishes with them.
        """
        first_lost = self.height() - depth + 1
        del self.blocks[first_lost - 1 :]
        for txid, transaction in self.transactions.items():
            if transaction.height is not None and transaction.height >= first_lost:
                transaction.height = None
                self._touch(transaction)
                if not keep_transactions:
                    self.drop(txid)
        self.mine(depth + 1)
        return self.height()

    def confirmations(self, txid: str) -> int:
        """Return how many blocks stand on a transaction, 0 while it waits.

        Raises:
            CoinRefused: There is no such transaction, or it is gone.
        """
        transaction = self._find(txid)
        if transaction.is_gone:
            raise CoinRefused(f"transaction {txid} is gone")
        return 0 if transaction.height is None else self.height() - transaction.height + 1

    def paid_to(self, address: str) -> Mapping[tuple[str, int], ScriptedTransaction]:
        """Return the transactions that pay an address and are not gone, by txid and output number."""
        found = {place: self.transactions[place[0]] for place in self._by_address.get(address, ())}
        return {place: transaction for place, transaction in found.items() if not transaction.is_gone}

    def _mine_one(self, at: datetime) -> str:
        self.blocks.append(ScriptedBlock(hash=self._hash("block"), time=at))
        for transaction in self.transactions.values():
            if transaction.height is None and not transaction.is_gone:
                transaction.height = self.height()
                self._touch(transaction)
        return self.blocks[-1].hash

    def _add(self, txid: str, transaction: ScriptedTransaction) -> None:
        self.transactions[txid] = transaction
        for number, (address, _) in enumerate(transaction.outputs):
            self._by_address.setdefault(address, []).append((txid, number))

    def _touch(self, transaction: ScriptedTransaction) -> None:
        self.touched.update(address for address, _ in transaction.outputs)

    def _find(self, txid: str) -> ScriptedTransaction:
        if txid not in self.transactions:
            raise CoinRefused(f"there is no transaction {txid}")
        return self.transactions[txid]

    def _hash(self, what: str) -> str:
        self._counter += 1
        return hashlib.sha256(f"{what} {self._counter}".encode()).hexdigest()
