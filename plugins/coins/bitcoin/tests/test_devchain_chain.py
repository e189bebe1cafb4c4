"""The Bitcoin development chain: a real node and a real Electrum server, asked as their users ask them."""

import hashlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import pytest
from bitcart_coin_bitcoin.devchain import BCOIN, BitcoinDevchainFactory
from bitcart_coin_bitcoin.devchain.chain import BitcoinDevchain
from bitcart_coin_bitcoin.devchain.rpc import NodeRpc

from bitcart_core import ChainTools, CoinRefused, CoinUnreachable, ConfigError, InputError, RunningChain

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
WAIT_SECONDS = 20


@dataclass
class Chain:
    running: RunningChain
    tools: ChainTools
    rpc: NodeRpc

    def waiting(self) -> list[str]:
        return list(self.rpc.call("getrawmempool"))

    def electrum(self) -> "ElectrumClient":
        return ElectrumClient(self.running.server)

    def script_hash(self, address: str) -> str:
        script = bytes.fromhex(self.rpc.call("validateaddress", address)["scriptPubKey"])
        return hashlib.sha256(script).digest()[::-1].hex()

    def own_coins(self) -> set[tuple[str, int]]:
        return {(coin["txid"], coin["vout"]) for coin in self.rpc.call("listunspent", 0)}

    def transaction(self, txid: str) -> dict[str, Any]:
        return dict(self.rpc.call("getrawtransaction", txid, 1))

    def output(self, txid: str, address: str) -> int:
        outputs = self.transaction(txid)["vout"]
        return next(int(o["n"]) for o in outputs if address in o["scriptPubKey"]["addresses"])

    def paid(self, txid: str, address: str) -> Decimal:
        outputs = self.transaction(txid)["vout"]
        return sum((o["value"] for o in outputs if address in o["scriptPubKey"]["addresses"]), Decimal(0))


class ElectrumClient:
    """Speaks the Electrum protocol, line by line."""

    def __init__(self, server: str) -> None:
        host, port, _ = server.split(":")
        self._socket = socket.create_connection((host, int(port)), WAIT_SECONDS)
        self._lines = self._socket.makefile("rw")
        self.notices: list[dict[str, Any]] = []
        self.ask("server.version", "test", "1.4")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()

    def ask(self, method: str, *params: object) -> Any:
        self._lines.write(json.dumps({"id": 1, "method": method, "params": params}) + "\n")
        self._lines.flush()
        while "id" not in (message := self._read()):
            self.notices.append(message)
        return message.get("result", message.get("error"))

    def await_height(self, height: int) -> None:
        while self._next_notice("blockchain.headers.subscribe")["height"] < height:
            pass

    def await_change(self, script_hash: str) -> None:
        while self._next_notice("blockchain.scripthash.subscribe") != script_hash:
            pass

    def _next_notice(self, method: str) -> Any:
        while (notice := self.notices.pop(0) if self.notices else self._read())["method"] != method:
            pass
        return notice["params"][0]

    def _read(self) -> dict[str, Any]:
        return dict(json.loads(self._lines.readline()))


@pytest.fixture(scope="module")
def data_dir(request: pytest.FixtureRequest) -> Path:
    """Where bcoin is installed, once for all runs from this checkout."""
    folder = request.config.rootpath / ".bitcart" / "tests"
    BCOIN.install(folder, lambda _: None)
    return folder


@pytest.fixture(scope="module")
def chain(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    factory = BitcoinDevchainFactory()
    devchain = factory.create(data_dir)
    try:
        running = devchain.start(tmp_path_factory.mktemp("devchain"))
        yield Chain(running, factory.tools(running), NodeRpc(running))
    finally:
        devchain.stop()


@pytest.fixture
def stranger() -> str:
    """An address of this network that nobody has a key for."""
    return base58(b"\x6f" + secrets.token_bytes(20))


def base58(payload: bytes) -> str:
    number, text = int.from_bytes(payload + checksum(payload), "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def unbase58(text: str) -> bytes:
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    raw = number.to_bytes(82, "big")
    assert raw[-4:] == checksum(raw[:-4])
    return raw[:-4]


def checksum(payload: bytes) -> bytes:
    return hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]


def test_a_payment_waits_until_a_block_confirms_it(chain: Chain, stranger: str):
    txid = chain.tools.pay(stranger, Decimal("1.23456789"))
    assert txid in chain.waiting()
    assert chain.tools.confirmations(txid) == 0
    before = chain.tools.height()
    hashes = chain.tools.mine(2)
    assert len(hashes) == 2
    assert chain.tools.height() == before + 2
    assert chain.tools.confirmations(txid) == 2
    assert chain.paid(txid, stranger) == Decimal("1.23456789")


def test_a_payment_says_that_it_may_be_replaced(chain: Chain, stranger: str):
    txid = chain.tools.pay(stranger, Decimal("0.1"))
    assert {vin["sequence"] for vin in chain.transaction(txid)["vin"]} == {0xFFFFFFFD}


def test_the_node_tells_which_payment_spends_a_coin(chain: Chain, stranger: str):
    txid = chain.tools.pay(stranger, Decimal("0.1"))
    coin = {name: chain.transaction(txid)["vin"][0][name] for name in ("txid", "vout")}
    assert chain.rpc.call("gettxspendingprevout", [coin]) == [coin | {"spendingtxid": txid}]
    chain.tools.mine(1)
    assert chain.rpc.call("gettxspendingprevout", [coin]) == [coin]


def test_the_wallet_pays_more_often_than_it_has_coins(chain: Chain, stranger: str):
    txids = [chain.tools.pay(stranger, Decimal("0.01")) for _ in range(60)]
    assert set(txids) <= set(chain.waiting())
    chain.tools.mine(1)
    assert {chain.tools.confirmations(txid) for txid in txids} == {1}


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reorganisation_keeps_transactions_as_high_as_they_were(chain: Chain, stranger: str, depth: int):
    txid = chain.tools.pay(stranger, Decimal("0.5"))
    lost = chain.tools.mine(depth)
    assert chain.tools.reorg(depth) == chain.tools.height()
    assert chain.tools.confirmations(txid) == depth + 1
    new_home = chain.transaction(txid)["blockhash"]
    assert new_home not in lost
    assert chain.rpc.call("getblockhash", chain.tools.height() - depth) == new_home


@pytest.mark.parametrize("depth", [1, 3])
def test_a_reorganisation_can_lose_transactions_for_good(chain: Chain, stranger: str, depth: int):
    txid = chain.tools.pay(stranger, Decimal("0.5"))
    chain.tools.mine(depth)
    before = chain.tools.height()
    assert chain.tools.reorg(depth, keep_transactions=False) == before + 1
    with pytest.raises(CoinRefused):
        chain.tools.confirmations(txid)
    chain.tools.mine(1)
    with pytest.raises(CoinRefused):
        chain.tools.confirmations(txid)


def test_a_payment_that_waits_outlives_a_reorganisation(chain: Chain, stranger: str):
    chain.tools.mine(1)
    txid = chain.tools.pay(stranger, Decimal("0.5"))
    chain.tools.reorg(1, keep_transactions=False)
    assert chain.tools.confirmations(txid) == 0
    chain.tools.mine(1)
    assert chain.tools.confirmations(txid) == 1


def test_what_a_reorganisation_lost_can_be_spent_again(chain: Chain, stranger: str):
    txid = chain.tools.pay(stranger, Decimal("0.5"))
    spent = {(vin["txid"], vin["vout"]) for vin in chain.transaction(txid)["vin"]}
    chain.tools.mine(1)
    assert not spent & chain.own_coins()
    chain.tools.reorg(1, keep_transactions=False)
    assert spent <= chain.own_coins()


@pytest.mark.parametrize("keep", [True, False])
def test_the_wallet_does_not_count_on_what_lost_blocks_gave_it(chain: Chain, *, keep: bool):
    lost = [chain.rpc.call("getblock", block)["tx"][0] for block in chain.tools.mine(2)]
    chain.tools.reorg(2, keep_transactions=keep)
    assert not set(lost) & {txid for txid, _ in chain.own_coins()}


def test_a_payment_can_be_taken_back(chain: Chain, stranger: str):
    old = chain.tools.pay(stranger, Decimal(3))
    new = chain.tools.replace(old, None)
    assert new in chain.waiting()
    assert old not in chain.waiting()
    assert chain.paid(new, stranger) == 0
    chain.tools.mine(1)
    assert chain.tools.confirmations(new) == 1
    with pytest.raises(CoinRefused):
        chain.tools.confirmations(old)


def test_a_payment_can_be_turned_to_a_stranger(chain: Chain, stranger: str):
    other = base58(b"\x6f" + secrets.token_bytes(20))
    old = chain.tools.pay(stranger, Decimal(3))
    new = chain.tools.replace(old, other)
    assert chain.paid(new, stranger) == 0
    assert chain.paid(new, other) == 3
    chain.tools.mine(1)
    assert chain.tools.confirmations(new) == 1


@pytest.mark.parametrize("amount", [3, 30])
def test_a_payment_to_the_same_address_keeps_its_amount_and_pays_a_higher_fee(chain: Chain, stranger: str, amount: int):
    old = chain.tools.pay(stranger, Decimal(amount))
    old_fee = chain.rpc.call("getmempoolentry", old)["fee"]
    new = chain.tools.replace(old, stranger)
    assert chain.paid(new, stranger) == amount
    assert chain.rpc.call("getmempoolentry", new)["fee"] > old_fee


def test_a_replacement_takes_what_spends_from_it_along(chain: Chain, stranger: str):
    own = chain.rpc.call("getnewaddress")
    parent = chain.tools.pay(own, Decimal("1.001"))
    raw = chain.rpc.call("createrawtransaction", [{"txid": parent, "vout": chain.output(parent, own)}], {stranger: 1})
    signed = chain.rpc.call("signrawtransaction", raw, None, [chain.rpc.call("dumpprivkey", own)])
    child = chain.rpc.call("sendrawtransaction", signed["hex"])
    assert {parent, child} <= set(chain.waiting())
    new = chain.tools.replace(parent, None)
    assert new in chain.waiting()
    assert not {parent, child} & set(chain.waiting())


def test_a_replacement_that_pays_no_more_is_refused(chain: Chain, stranger: str):
    old = chain.tools.pay(stranger, Decimal(3))
    raw = chain.rpc.call("getrawtransaction", old)
    new = chain.tools.replace(old, None)
    with pytest.raises(CoinRefused, match="insufficient fee") as refusal:
        chain.rpc.call("sendrawtransaction", raw)
    assert refusal.value.code == -26
    assert new in chain.waiting()


def test_a_payment_too_small_for_a_dearer_one_stays(chain: Chain):
    wallet = chain.rpc.call("getnewaddress")
    txid = chain.tools.pay(wallet, Decimal("0.00001"))
    raw = chain.rpc.call("createrawtransaction", [{"txid": txid, "vout": chain.output(txid, wallet)}], {wallet: 6e-6})
    signed = chain.rpc.call("signrawtransaction", raw, None, [chain.rpc.call("dumpprivkey", wallet)])
    small = chain.rpc.call("sendrawtransaction", signed["hex"])
    with pytest.raises(CoinRefused, match="too small for the fee"):
        chain.tools.replace(small, None)
    assert small in chain.waiting()


def test_only_what_waits_can_be_replaced(chain: Chain, stranger: str):
    txid = chain.tools.pay(stranger, Decimal(1))
    chain.tools.mine(1)
    with pytest.raises(CoinRefused, match="does not wait in the mempool"):
        chain.tools.replace(txid, None)


def test_refusals_say_what_to_do(chain: Chain, stranger: str):
    with pytest.raises(CoinRefused, match="no address of this chain"):
        chain.tools.pay("1BoatSLRHtKNngkdXEeobR76b53LETtpyT", Decimal(1))
    with pytest.raises(CoinRefused, match="mine more blocks"):
        chain.tools.pay(stranger, Decimal(10_000_000))
    with pytest.raises(InputError, match="more decimals than BTC"):
        chain.tools.pay(stranger, Decimal("0.123456789"))
    with pytest.raises(CoinRefused, match="depth 0 is out of range"):
        chain.tools.reorg(0)
    with pytest.raises(CoinRefused, match="from 1 to 99"):
        chain.tools.reorg(100)
    with pytest.raises(CoinRefused):
        chain.tools.confirmations("00" * 32)


def test_a_fresh_key_is_an_account_of_native_segwit_on_a_test_network(chain: Chain):
    factory = BitcoinDevchainFactory()
    first, second = factory.fresh_key(chain.running), factory.fresh_key(chain.running)
    assert first != second
    assert first.startswith("vpub")
    raw = unbase58(first)
    assert raw[:4].hex() == "045f1cf6"
    assert raw[4] == 3, "m/84'/1'/0'"
    assert raw[9:13].hex() == "80000000"
    assert raw[45] in (2, 3)


def test_the_electrum_server_tells_of_payments_and_blocks(chain: Chain, stranger: str):
    with chain.electrum() as client:
        client.ask("blockchain.headers.subscribe")
        assert client.ask("blockchain.scripthash.subscribe", chain.script_hash(stranger)) is None
        txid = chain.tools.pay(stranger, Decimal(1))
        client.await_change(chain.script_hash(stranger))
        (entry,) = client.ask("blockchain.scripthash.get_history", chain.script_hash(stranger))
        assert (entry["tx_hash"], entry["height"]) == (txid, 0)
        chain.tools.mine(1)
        client.await_height(chain.tools.height())
        (entry,) = client.ask("blockchain.scripthash.get_history", chain.script_hash(stranger))
        assert (entry["tx_hash"], entry["height"]) == (txid, chain.tools.height())


def test_the_electrum_server_follows_a_reorganisation(chain: Chain, stranger: str):
    with chain.electrum() as client:
        client.ask("blockchain.headers.subscribe")
        chain.tools.pay(stranger, Decimal(1))
        chain.tools.mine(3)
        client.await_height(chain.tools.height())
        assert len(client.ask("blockchain.scripthash.get_history", chain.script_hash(stranger))) == 1
        height = chain.tools.reorg(3, keep_transactions=False)
        client.await_height(height)
        header = client.ask("blockchain.block.header", height)
        assert header == chain.rpc.call("getblockheader", chain.rpc.call("getbestblockhash"), 0)
        assert client.ask("blockchain.scripthash.get_history", chain.script_hash(stranger)) == []


def test_the_electrum_server_forgets_what_was_replaced(chain: Chain, stranger: str):
    with chain.electrum() as client:
        script_hash = chain.script_hash(stranger)
        client.ask("blockchain.scripthash.subscribe", script_hash)
        txid = chain.tools.pay(stranger, Decimal(1))
        client.await_change(script_hash)
        chain.tools.replace(txid, None)
        client.await_change(script_hash)
        assert client.ask("blockchain.scripthash.get_mempool", script_hash) == []


def test_a_wallet_hears_why_its_transaction_is_refused(chain: Chain):
    with chain.electrum() as client:
        assert "TX decode failed" in str(client.ask("blockchain.transaction.broadcast", "00"))


def test_the_node_answers_only_who_knows_the_password(chain: Chain):
    changed = RunningChain.from_json(chain.running.to_json() | {"rpc_password": "guess"})
    with pytest.raises(CoinUnreachable):
        NodeRpc(changed).call("getblockcount")


def test_two_chains_do_not_collide_and_leave_nothing_behind(data_dir: Path, tmp_path: Path):
    factory = BitcoinDevchainFactory()
    chains = [factory.create(data_dir), factory.create(data_dir)]
    folders = [tmp_path / "first", tmp_path / "second"]
    try:
        running = []
        for devchain, folder in zip(chains, folders, strict=True):
            folder.mkdir()
            running.append(devchain.start(folder))
        assert len({chain.server for chain in running} | {chain.rpc_url for chain in running}) == 4
        factory.tools(running[0]).mine(5)
        assert [factory.tools(chain).height() for chain in running] == [155, 150]
        assert [devchain.failed() for devchain in chains] == [None, None]
        processes = [pid for folder in folders for pid in processes_of(folder)]
        assert len(processes) == 4
        assert listening_addresses(processes) == {"0100007F"}
    finally:
        for devchain in chains:
            devchain.stop()
    assert not [pid for pid in processes if Path(f"/proc/{pid}").exists()]
    with pytest.raises(CoinUnreachable, match="bitcart devchain"):
        factory.tools(running[0]).height()


def test_a_chain_can_be_started_again_in_the_same_folder(data_dir: Path, tmp_path: Path):
    devchain = BitcoinDevchainFactory().create(data_dir)
    for _ in range(2):
        try:
            running = devchain.start(tmp_path)
            assert BitcoinDevchainFactory().tools(running).height() == 150
        finally:
            devchain.stop()


def test_a_process_that_ends_by_itself_is_named(data_dir: Path, tmp_path: Path):
    devchain = BitcoinDevchain(data_dir)
    try:
        devchain.start(tmp_path)
        (node,) = [pid for pid in processes_of(tmp_path) if "main.js" in command_of(pid)]
        os.kill(node, signal.SIGKILL)
        while (problem := devchain.failed()) is None:
            pass
        assert "bcoin" in problem
        assert str(tmp_path / "node.log") in problem
    finally:
        devchain.stop()


def test_the_processes_end_with_the_one_that_started_them_however_it_ends(data_dir: Path, tmp_path: Path):
    program = (
        "import sys, time; from pathlib import Path; from bitcart_coin_bitcoin.devchain import BitcoinDevchainFactory\n"
        "chain = BitcoinDevchainFactory().create(Path(sys.argv[1])); chain.start(Path(sys.argv[2]))\n"
        "print('up', flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", program, str(data_dir), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        processes = processes_of(tmp_path)
        assert len(processes) == 2
        starter.kill()
    while any(Path(f"/proc/{pid}").exists() and not is_zombie(pid) for pid in processes):
        pass


def test_without_the_node_a_chain_says_how_to_get_it(tmp_path: Path):
    with pytest.raises(ConfigError, match="run `bitcart setup`"):
        BitcoinDevchainFactory().create(tmp_path).start(tmp_path)


def test_without_the_electrum_server_a_chain_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "plyvel", None)
    with pytest.raises(ConfigError, match=r"install bitcart-coin-bitcoin\[devchain\]"):
        BitcoinDevchainFactory().create(tmp_path).start(tmp_path)


def processes_of(folder: Path) -> list[int]:
    """Return the processes that write their log into a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "fd" / "1").resolve().parent == folder:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def command_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text()


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def listening_addresses(pids: list[int]) -> set[str]:
    """Return the addresses, as the kernel writes them, on which processes accept connections."""
    links = [str(link.readlink()) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    return {row[1].split(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}
