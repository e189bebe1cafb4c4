"""The light half of Bitcoin: what every host sees of it, and what it must not bring along."""

import logging
import subprocess
import sys

import pytest
from bitcart_coin_bitcoin import Bitcoin
from bitcart_coin_bitcoin.daemon import create
from pydantic import ValidationError

from bitcart_core import CoinClient, CoinUnreachable, HasBalance, InputError, Plugin, WalletKey


class Context:
    log = logging.getLogger("bitcoin")
    public_url = "http://127.0.0.1"

    def __init__(self, data_dir):
        self.data_dir = data_dir


def plugin(folder, **settings):
    return Bitcoin(Bitcoin.Settings(**settings), Context(folder))


def test_the_coin_describes_itself(tmp_path):
    (coin,) = plugin(tmp_path).register_coins()
    assert (coin.code, coin.name, coin.symbol, coin.decimals, coin.network) == ("btc", "Bitcoin", "BTC", 8, "mainnet")
    assert coin.explorer_url.format(txid="ab") == "https://mempool.space/tx/ab"
    assert isinstance(coin.client, HasBalance)
    assert all(hasattr(coin.client, name) for name in vars(CoinClient) if not name.startswith("_"))


@pytest.mark.parametrize(("network", "explorer"), [("testnet", "testnet"), ("signet", "signet"), ("regtest", "")])
def test_each_network_has_its_own_explorer_or_none(tmp_path, network, explorer):
    (coin,) = plugin(tmp_path, network=network).register_coins()
    assert coin.network == network
    assert explorer in coin.explorer_url
    assert bool(coin.explorer_url) == bool(explorer)


def test_nothing_is_asked_before_it_is_needed_and_a_missing_daemon_is_named(tmp_path):
    (coin,) = plugin(tmp_path, network="regtest").register_coins()
    with pytest.raises(CoinUnreachable, match="bitcoin on regtest"):
        coin.client.state()
    with pytest.raises((CoinUnreachable, InputError), match="bitcoin on regtest"):
        coin.client.check_key(WalletKey(key="vpub"))


def test_a_network_that_there_is_not_stops_the_boot():
    with pytest.raises(ValidationError, match="network"):
        Bitcoin.Settings(network="moon")


def test_what_must_be_fetched_is_registered_with_its_chain(tmp_path):
    bitcoin = plugin(tmp_path)
    assert issubclass(Bitcoin, Plugin)
    assert {requisite.name for requisite in bitcoin.register_requisites()} == {"electrum", "bcoin"}
    (devchain,) = bitcoin.register_devchains()
    assert devchain.coin == "btc"


def test_the_daemon_tells_its_name_and_port_before_it_is_built():
    assert (create.code, create.default_port) == ("btc", 5000)


def test_the_light_half_brings_no_electrum_and_no_server():
    heavy = ("electrum", "electrumx", "aiohttp", "aiorpcx", "plyvel", "bitcart_coin_electrum.daemon")
    code = f"import bitcart_coin_bitcoin, sys; print([name for name in {heavy!r} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"
