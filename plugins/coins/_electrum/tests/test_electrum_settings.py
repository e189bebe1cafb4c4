"""Keys, options, amounts, error codes and the list of methods: all that needs no Electrum."""

import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from bitcart_coin_electrum import keys, options, spec, units
from bitcart_coin_electrum.adapter import library
from bitcart_coin_electrum.methods.catalogue import METHODS
from bitcart_coin_electrum.profile import NetworkProfile
from bitcart_coin_electrum.watchlist import WatchList

from bitcart_core import ConfigError, DaemonSettings, InputError, WalletKey, WatchedRequest

NETWORKS = {
    "mainnet": NetworkProfile(electrum_class="M", electrum_option="", key_prefixes=("xpub", "zpub", "Zpub", "xprv")),
    "regtest": NetworkProfile(
        electrum_class="R", electrum_option="r", key_prefixes=("tpub", "vpub"), has_real_servers=False
    ),
}


def settings(server="", **chosen):
    return DaemonSettings(network="regtest", data_dir=Path("data"), bitcart_data=Path(), server=server, options=chosen)


# Keys


def test_a_digest_tells_keys_contracts_and_networks_apart():
    key = WalletKey(key="vpub123")
    digests = {
        keys.digest_of(key, "regtest"),
        keys.digest_of(key, "testnet"),
        keys.digest_of(WalletKey(key="vpub123", contract="usdt"), "regtest"),
        keys.digest_of(WalletKey(key="vpub124"), "regtest"),
    }
    assert len(digests) == 4
    assert all(len(digest) == 32 and int(digest, 16) >= 0 for digest in digests)


def test_white_space_makes_no_other_wallet():
    assert keys.digest_of(WalletKey(key="one  two\n three "), "m") == keys.digest_of(
        WalletKey(key="one two three"), "m"
    )


def test_a_key_of_another_network_is_called_that():
    said = keys.why_refused("zpub123456789", "regtest", NETWORKS)
    assert "zpub key of mainnet, and this daemon runs regtest" in said
    assert "begins with tpub or vpub" in said
    assert "123456789" not in said


def test_rubbish_is_told_what_would_do():
    said = keys.why_refused("rubbish", "mainnet", NETWORKS)
    assert "xpub or zpub, an Electrum seed, or addresses of mainnet" in said
    assert "Zpub" not in said


# Options


def test_options_have_sober_defaults():
    assert options.sync_seconds(settings()) == 20
    assert options.for_electrum(settings(), NETWORKS["mainnet"]) == {"oneserver": False, "use_gossip": False}


def test_a_named_server_is_not_left_for_another():
    chosen = options.for_electrum(settings("127.0.0.1:51001:t"), NETWORKS["regtest"])
    assert chosen == {"server": "127.0.0.1:51001:t", "oneserver": True, "use_gossip": False}
    assert options.changeable(settings("127.0.0.1:51001:t")) == {"auto_connect": False}
    assert options.changeable(settings()) == {"auto_connect": True}


@pytest.mark.parametrize("server", ["localhost", "localhost:51001", "localhost:51001:x", "local host:1:t", ":1:t"])
def test_a_server_that_is_none_is_refused(server):
    with pytest.raises(ConfigError, match="HOST:PORT:t"):
        options.for_electrum(settings(server), NETWORKS["mainnet"])


def test_a_server_may_have_a_numeric_address():
    for server in ("[::1]:51001:t", "10.0.0.1:50002:s"):
        assert options.for_electrum(settings(server), NETWORKS["mainnet"])["server"] == server


@pytest.mark.parametrize(
    ("url", "notation"),
    [("socks5://127.0.0.1:9050", "socks5:127.0.0.1:9050"), ("socks4://a:b@tor:9050", "socks4:tor:9050:a:b")],
)
def test_a_proxy_is_put_in_electrum_s_words(url, notation):
    assert options.for_electrum(settings(proxy_url=url), NETWORKS["mainnet"])["proxy"] == notation


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"proxy_url": "http://proxy"}, "PROXY_URL"),
        ({"oneserver": "maybe"}, "ONESERVER is 'maybe'"),
    ],
)
def test_a_wrong_option_names_itself(chosen, message):
    with pytest.raises(ConfigError, match=message):
        options.for_electrum(settings(**chosen), NETWORKS["mainnet"])


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "99999"])
def test_a_wrong_deadline_names_itself(seconds):
    with pytest.raises(ConfigError, match="SYNC_TIMEOUT_SECONDS"):
        options.sync_seconds(settings(sync_timeout_seconds=seconds))


def test_lightning_is_not_promised():
    options.refuse_lightning(settings(lightning="false"))
    with pytest.raises(ConfigError, match="LIGHTNING"):
        options.refuse_lightning(settings(lightning="true"))


def test_not_waiting_can_be_asked_for():
    assert options.sync_seconds(settings(experimental_nosync="true")) == 0


# Amounts


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.1", 10**7), (0.1, 10**7), (0.1 + 0.2, 3 * 10**7), (Decimal("0.123456789"), 12_345_678), (1e-8, 1), ("0", 0)],
)
def test_amounts_become_smallest_units_and_nothing_is_rounded_up(amount, expected):
    assert units.to_units(amount, symbol="BTC", decimals=8) == expected


@pytest.mark.parametrize("amount", ["", "x", True, None, [], "1e50", float("nan"), float("inf"), -0.1])
def test_what_is_no_amount_is_refused(amount):
    with pytest.raises(InputError):
        units.to_units(amount, symbol="BTC", decimals=8)


def test_amounts_are_written_without_exponents():
    assert [units.plain(value, 8) for value in (0, 1, 10**8, 15 * 10**7, -5)] == [
        "0",
        "0.00000001",
        "1",
        "1.5",
        "-0.00000005",
    ]
    assert units.padded(1, 8) == "0.00000001"


# The error map


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("electrum.util.NotEnoughFunds: Insufficient funds", -32006),
        ("invalid bitcoin address: nonsense", -32004),
        ("aiorpcx.RPCError: zz should be a transaction hash", -32001),
        ("No such mempool or blockchain transaction. Use gettransaction for wallet transactions.", -32002),
        ("Exception: wallet not loaded", -32000),
        ("Error loading wallet: Seed or key not recognized", -32005),
        ("Error loading wallet: This version of Electrum is too old to open this wallet", -32013),
        ("Lightning not enabled in this wallet", -32011),
    ],
)
def test_error_texts_find_their_codes(text, code):
    found = spec.spec(version="4.3.4", has_lightning=False)["electrum_map"]
    assert next(value for key, value in found.items() if key.lower() in text.lower()) == code


def test_the_spec_has_what_clients_check():
    body = spec.spec(version="4.3.4", has_lightning=False)
    assert set(body) == {"version", "electrum_map", "exceptions", "capabilities"}
    assert body["capabilities"] == {"lightning": False}
    assert {str(code) for code in body["electrum_map"].values()} <= set(body["exceptions"])
    assert all(set(said) == {"exc_name", "docstring"} for said in body["exceptions"].values())


def test_errors_of_our_own_have_codes_and_hold_no_key():
    assert spec.wallet_needed().code == -32000
    assert spec.not_loaded("why").code == -32005
    long = "vpub" + "1" * 107
    assert long not in str(spec.request_not_found(long))
    assert spec.request_not_found("0123456789").code == -32003


# The methods


def test_every_method_explains_itself():
    for name, method in METHODS.items():
        assert name in (method.name, *method.aliases)
        assert method.usage.startswith(f"{method.name}(")
        assert len(method.usage.splitlines()[2]) > 20, name


def test_the_methods_that_clients_count_on_are_there():
    assert METHODS["getrequest"] is METHODS["get_request"]
    assert METHODS["help"].usage.startswith("help(name=None)")
    assert {"add_request", "list_requests", "getbalance", "validatekey", "close_wallet", "get_default_fee"} <= set(
        METHODS
    )


def test_nothing_of_electrum_is_imported_before_it_is_needed():
    code = (
        "import bitcart_coin_electrum.daemon, sys; "
        "sys.exit(any(name.split('.')[0] in ('electrum', 'aiorpcx', 'aiohttp') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# The watch list


def watched(key, wallet="w", address="a", expires_at=None):
    return WatchedRequest(lookup_key=key, wallet=wallet, address=address, amount=None, expires_at=expires_at)


def test_watched_requests_are_found_by_wallet_and_by_address():
    watch = WatchList()
    for request in (watched("1"), watched("2", address="b"), watched("3", wallet="v"), watched("4")):
        watch.add(request)
    assert [request.lookup_key for request in watch.of("w")] == ["1", "2", "4"]
    assert [request.lookup_key for request in watch.at("w", "a")] == ["1", "4"]
    assert watch.holds("v", "3")
    assert not watch.holds("w", "3")
    watch.replace([watched("2", address="b")])
    assert (watch.keys(), watch.at("w", "a"), watch.wallets()) == ({"2"}, [], ["w"])


def test_wallets_with_open_requests_are_opened_first():
    watch = WatchList()
    times = {"old": datetime(2020, 1, 1, tzinfo=UTC), "new": datetime(2030, 1, 1, tzinfo=UTC), "ever": None}
    for name, expires_at in times.items():
        watch.add(watched(name, wallet=name, expires_at=expires_at))
    assert watch.wallets() == ["ever", "new", "old"]


# Versions


def test_a_version_that_nobody_wrote_for_is_refused():
    assert library._for_version("4.3.4") is library.Library
    with pytest.raises(ConfigError, match=r"Electrum 4\.30\.1 is not supported; install 4\.3"):
        library._for_version("4.30.1")


def test_a_folder_without_electrum_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(ConfigError, match="bitcart setup"):
        library.load(tmp_path)
