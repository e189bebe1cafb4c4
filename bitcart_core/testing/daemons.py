"""A coin's daemon for tests: deterministic, on a scripted chain, driven through the method `script` of its own RPC.

The real daemon host serves it like any other coin; `daemon_process` starts that host for a test.
"""

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

from bitcart_core.coins import WalletKey
from bitcart_core.daemons import DaemonJournal, DaemonSettings, WatchedRequest
from bitcart_core.errors import CoinRefused
from bitcart_core.events import BlockEvent, PaymentEvent
from bitcart_core.money import parse_amount
from bitcart_core.testing.chains import ScriptedChain, ScriptedTransaction

CHAIN_FILE = "chain.json"
KEY_PREFIX = "xpub"
"""What a key of this coin begins with; anything else is refused as the contract has it."""

_SPEC: Mapping[str, Any] = {
    "version": "1.0.0",
    "electrum_map": {
        "Procedure not found": -32601,
        "wallet not loaded": -32000,
        "No such blockchain transaction": -32002,
        "Request not found": -32003,
        "seed or key not recognized": -32005,
    },
    "exceptions": {
        "-32600": {"exc_name": "UnauthorizedError", "docstring": "Unauthorized"},
        "-32601": {"exc_name": "ProcedureNotFoundError", "docstring": "Procedure not found"},
        "-32000": {"exc_name": "WalletNotLoadedError", "docstring": "Wallet not loaded"},
        "-32002": {"exc_name": "TxNotFoundError", "docstring": "No such mempool or blockchain transaction"},
        "-32003": {"exc_name": "RequestNotFoundError", "docstring": "Payment request not found"},
        "-32005": {"exc_name": "LoadingWalletError", "docstring": "Error loading wallet: seed or key not recognized"},
    },
    "capabilities": {"lightning": False},
}
_UNPAID, _EXPIRED, _PAID, _UNCONFIRMED = 0, 1, 3, 7
_STATUS_TEXT = {_UNPAID: "Unpaid", _EXPIRED: "Expired", _PAID: "Paid", _UNCONFIRMED: "Unconfirmed"}


class ScriptedDaemon:
    """The heavy half of a make-believe coin; implements `bitcart_core.Daemon`.

    The chain is kept in the data folder beside the journal, as a real network outlives a daemon. A test may change
    it there while the daemon is down: `ScriptedChain.load(folder / CHAIN_FILE)`, then `save`.

    Args:
        settings: Only `data_dir` matters.
        journal: Told what the chain does to watched requests.
    """

    code: ClassVar[str] = "btc"
    default_port: ClassVar[int] = 5000
    version: ClassVar[str] = "scripted"
    decimals: ClassVar[int] = 8

    def __init__(self, settings: DaemonSettings, journal: DaemonJournal) -> None:
        self.chain = ScriptedChain()
        self._chain_file = settings.data_dir / CHAIN_FILE
        self._journal = journal
        self._requests: dict[str, WatchedRequest] = {}
        self._by_address: dict[str, str] = {}
        self._wallets: set[str] = set()
        self._is_synchronized = True
        self._lag_seconds = 0.0
        self._failing: dict[str, str] = {}
        self._methods: dict[str, Callable[..., Any]] = {
            name.removeprefix("rpc_"): getattr(self, name) for name in dir(self) if name.startswith("rpc_")
        }

    # What the host calls

    async def start(self) -> None:
        """Read the chain and compare it with the journal."""
        self.chain = ScriptedChain.load(self._chain_file)
        for request in self._journal.watched():
            self._keep(request)
        self._compare()

    async def stop(self) -> None:
        """Nothing is left open."""

    async def call(
        self, method: str, params: Mapping[str, Any], positional: Sequence[Any], key: WalletKey | None
    ) -> Any:
        """Answer a call; those to `script` are obeyed at once, all others wait for the scripted lag."""
        if method == "script":
            return self._script(*positional, **params)
        await asyncio.sleep(self._lag_seconds)
        if method in self._failing:
            raise RuntimeError(self._failing[method])
        answer = self._methods.get(method)
        if answer is None:
            raise CoinRefused("Procedure not found", code=-32601)
        if method in _NEED_WALLET:
            return answer(await self._load(key), *positional, **params)
        return answer(*positional, **params)

    async def load(self, key: WalletKey) -> None:
        """Load a wallet, so that polling clients may begin with that."""
        await self._load(key)

    def wallet_name(self, key: WalletKey) -> str:
        """Return the digest of a key."""
        return hashlib.sha256(f"{key.key} {key.contract}".encode()).hexdigest()[:32]

    def spec(self) -> Mapping[str, Any]:
        """Return a small version of the contract's."""
        return _SPEC

    def state(self) -> Mapping[str, Any]:
        """Return what the script says."""
        return {"height": self.chain.height(), "is_synchronized": self._is_synchronized, "server": "scripted"}

    # The methods of the contract that tests and clients need

    def rpc_help(self, command: str | None = None) -> Any:
        """Return the names of all methods, or a line about one."""
        return sorted(self._methods) if command is None else f"{command}: see the daemon contract"

    def rpc_getinfo(self) -> dict[str, Any]:
        """Return what the contract lists first."""
        height = self.chain.height()
        return {
            "blockchain_height": height,
            "server_height": height,
            "synchronized": self._is_synchronized,
            "connected": True,
            "version": self.version,
            "total_wallets": len(self._wallets),
        }

    def rpc_validatekey(self, key: str, **_: Any) -> bool:
        """Say whether this is a key."""
        return key.startswith(KEY_PREFIX)

    def rpc_getbalance(self, wallet: str) -> dict[str, str]:
        """Return what the requests of a wallet received."""
        received = [
            output
            for request in self._requests.values()
            if request.wallet == wallet
            for output in self._outputs(request)
        ]
        confirmed = sum((o.amount for o in received if o.height is not None), Decimal(0))
        unconfirmed = sum((o.amount for o in received if o.height is None), Decimal(0))
        return {"confirmed": str(confirmed)} | ({"unconfirmed": str(unconfirmed)} if unconfirmed else {})

    def rpc_add_request(
        self, wallet: str, amount: Any = None, memo: str = "", expiry: Any = 3600, **_: Any
    ) -> dict[str, Any]:
        """Make a payment request (contract, section 4.1)."""
        value = None
        if amount is not None:
            value = parse_amount(amount, currency=self.code.upper(), decimals=self.decimals)
        number = sum(request.wallet == wallet for request in self._requests.values())
        address = f"scripted1{hashlib.sha256(f'{wallet} {number}'.encode()).hexdigest()[:30]}"
        seconds = int(expiry or 0)
        request = WatchedRequest(
            lookup_key=hashlib.sha256(address.encode()).hexdigest()[:10],
            wallet=wallet,
            address=address,
            amount=value,
            expires_at=datetime.now(UTC) + timedelta(seconds=seconds) if seconds else None,
        )
        self._journal.watch(request)
        self._keep(request)
        return self._describe(request) | {"message": memo, "expiry": seconds}

    def rpc_get_request(self, wallet: str, request_id: str) -> dict[str, Any]:
        """Return a request and what it received."""
        request = self._requests.get(request_id)
        if request is None or request.wallet != wallet:
            raise CoinRefused("Request not found", code=-32003)
        return self._describe(request) | {"sent_amount": str(self._received(request))}

    def rpc_list_requests(self, wallet: str) -> list[dict[str, Any]]:
        """Return the requests of a wallet."""
        return [self._describe(request) for request in self._requests.values() if request.wallet == wallet]

    def rpc_get_tx_status(self, wallet: str, txid: str) -> dict[str, int]:
        """Return the confirmations of a transaction."""
        del wallet
        return {"confirmations": self.chain.confirmations(txid)}

    # What a script may ask for

    def _script(self, action: str, **arguments: Any) -> Any:
        die = arguments.pop("then_die", False)
        silent = arguments.pop("silent", False)
        result = _ACTIONS[action](self, **arguments)
        self.chain.save(self._chain_file)
        if not silent:
            self._tell()
        if die:
            # Everything is in the journal and nothing has been sent: the loop has not run since.
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def _pay_many(self, payments: Sequence[Sequence[str]]) -> list[str]:
        return [self.chain.pay(address, Decimal(amount)) for address, amount in payments]

    def _set_lag(self, seconds: Any) -> None:
        self._lag_seconds = float(seconds)

    def _set_synchronized(self, *, value: bool) -> None:
        self._is_synchronized = value

    def _set_failing(self, method: str, text: str | None = None) -> None:
        self._failing.pop(method, None)
        if text is not None:
            self._failing[method] = text

    def _compare(self) -> None:
        """Tell everything, as a real coin does at start and after every reconnect."""
        self.chain.touched.update(self._by_address)
        self._tell()

    def _note(self, event: Mapping[str, Any], wallet: str | None = None) -> None:
        self._journal.note(wallet, event)

    # Within

    def _tell(self) -> None:
        touched = sorted(self.chain.touched & self._by_address.keys())
        self.chain.touched.clear()
        for address in touched:
            request = self._requests[self._by_address[address]]
            summary = {name: self._describe(request)[name] for name in ("status", "status_str", "tx_hashes")}
            summary |= {"address": request.lookup_key, "sent_amount": f"{self._received(request):.8f}"}
            self._journal.payments(request, self._outputs(request), summary=summary)
        if self.chain.blocks:
            tip = self.chain.blocks[-1]
            self._journal.block(BlockEvent(height=self.chain.height(), block_hash=tip.hash, block_time=tip.time))

    def _keep(self, request: WatchedRequest) -> None:
        self._requests[request.lookup_key] = request
        self._by_address[request.address] = request.lookup_key
        self._wallets.add(request.wallet)

    async def _load(self, key: WalletKey | None) -> str:
        if key is None:
            raise CoinRefused("Wallet not loaded", code=-32000)
        if not key.key.startswith(KEY_PREFIX):
            raise CoinRefused("Error loading wallet: Seed or key not recognized", code=-32005)
        self._wallets.add(self.wallet_name(key))
        return self.wallet_name(key)

    def _outputs(self, request: WatchedRequest) -> list[PaymentEvent]:
        paid = self.chain.paid_to(request.address)
        return [self._event(request, place, transaction) for place, transaction in paid.items()]

    def _event(self, request: WatchedRequest, place: tuple[str, int], transaction: ScriptedTransaction) -> PaymentEvent:
        txid, number = place
        block = self.chain.blocks[transaction.height - 1] if transaction.height else None
        return PaymentEvent(
            lookup_key=request.lookup_key,
            address=request.address,
            txid=txid,
            output=str(number),
            amount=transaction.outputs[number][1],
            first_seen_at=transaction.seen_at,
            height=transaction.height,
            block_hash=block.hash if block else None,
            block_time=block.time if block else None,
        )

    def _received(self, request: WatchedRequest) -> Decimal:
        return sum((output.amount for output in self._outputs(request)), Decimal(0))

    def _status(self, request: WatchedRequest) -> int:
        outputs = self._outputs(request)
        received = sum((output.amount for output in outputs), Decimal(0))
        if outputs and received >= (request.amount or 0):
            return _PAID if all(output.height for output in outputs) else _UNCONFIRMED
        is_over = request.expires_at is not None and request.expires_at < datetime.now(UTC)
        return _EXPIRED if is_over else _UNPAID

    def _describe(self, request: WatchedRequest) -> dict[str, Any]:
        status = self._status(request)
        amount = request.amount
        return {
            "is_lightning": False,
            f"amount_{self.code.upper()}": "unknown" if amount is None else str(amount),
            "amount_sat": None if amount is None else int(amount.scaleb(self.decimals)),
            "status": status,
            "status_str": _STATUS_TEXT[status],
            "request_id": request.lookup_key,
            "address": request.address,
            "URI": None if amount is None else f"scripted:{request.address}?amount={amount}",
            "tx_hashes": [output.txid for output in self._outputs(request)],
        }


_NEED_WALLET = frozenset({"getbalance", "add_request", "get_request", "list_requests", "get_tx_status"})

_ACTIONS: Mapping[str, Callable[..., Any]] = {
    "pay": lambda daemon, address, amount: daemon.chain.pay(address, Decimal(amount)),
    "pay_many": ScriptedDaemon._pay_many,  # noqa: SLF001
    "mine": lambda daemon, blocks=1: daemon.chain.mine(blocks),
    "replace": lambda daemon, txid, address=None: daemon.chain.replace(txid, address),
    "drop": lambda daemon, txid: daemon.chain.drop(txid),
    "reorg": lambda daemon, depth, keep_transactions=True: daemon.chain.reorg(
        depth, keep_transactions=keep_transactions
    ),
    "confirmations": lambda daemon, txid: daemon.chain.confirmations(txid),
    "height": lambda daemon: daemon.chain.height(),
    "lag": ScriptedDaemon._set_lag,  # noqa: SLF001
    "synchronized": ScriptedDaemon._set_synchronized,  # noqa: SLF001
    "fail": ScriptedDaemon._set_failing,  # noqa: SLF001
    "note": ScriptedDaemon._note,  # noqa: SLF001
    "compare": ScriptedDaemon._compare,  # noqa: SLF001
}
