"""Where a daemon's settings come from, and which daemons a deployment needs."""

from pathlib import Path

import pytest
from bitcart_host_daemon import processes
from bitcart_host_daemon.credentials import load_credentials, publish_address, withdraw_address
from bitcart_host_daemon.environment import Options, make_launch
from bitcart_host_daemon.keys import MOST_KEYS, WalletKeys, wallet_text
from bitcart_host_daemon.rpc import read_key

from bitcart_core.coins import Coin
from bitcart_core.errors import ConfigError
from bitcart_core.hosts import Deployment
from bitcart_core.settings import Settings
from bitcart_core.testing.daemons import ScriptedDaemon


def launch(options=None, **environment):
    return make_launch("bitcoin", ScriptedDaemon, options or Options(), environment)


def test_without_settings_a_daemon_listens_on_loopback_in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.setenv("BITCART_DATA", str(tmp_path))
    made = launch()
    assert (made.host, made.port, made.login, made.password) == ("127.0.0.1", 5000, None, None)
    assert made.settings.network == "mainnet"
    assert made.settings.data_dir == tmp_path / "plugins" / "bitcoin" / "mainnet"
    assert made.settings.bitcart_data == tmp_path


def test_options_win_over_variables_and_variables_over_defaults():
    environment = {"BTC_NETWORK": "testnet", "BTC_PORT": "6000", "BTC_SERVER": "a:1:t", "BTC_DATA_PATH": "/data"}
    made = launch(Options(network="regtest", server="b:2:s"), **environment)
    assert (made.settings.network, made.port, made.settings.server) == ("regtest", 6000, "b:2:s")
    assert made.settings.data_dir == Path("/data")
    assert launch(Options(port=0), **environment).port == 0


def test_what_the_host_does_not_know_goes_to_the_coin_but_no_credentials_do():
    environment = {
        "BTC_LIGHTNING": "true",
        "BTC_PASSWORD": "secret",
        "BTC_LOGIN": "me",
        "LTC_PORT": "1",
        "PATH": "/bin",
    }
    made = launch(Options(extra={"oneserver": "true", "lightning": "false"}), **environment)
    assert made.settings.options == {"lightning": "false", "oneserver": "true"}
    assert (made.login, made.password) == ("me", "secret")
    assert "secret" not in repr(made)


def test_in_a_container_it_listens_everywhere_unless_told_otherwise():
    assert launch(IN_DOCKER="1").host == "0.0.0.0"  # noqa: S104
    assert launch(IN_DOCKER="1", BTC_HOST="10.0.0.1").host == "10.0.0.1"


@pytest.mark.parametrize("variable", ["BTC_PORT", "BTC_POLLING_CAP", "BTC_REPLAY_DAYS", "BTC_LATE_DAYS"])
@pytest.mark.parametrize("value", ["-1", "1.5", "many", "٣", "99999999999"])
def test_a_number_that_is_none_is_named_with_its_variable(variable, value):
    with pytest.raises(ConfigError, match=f"{variable} is '{value}'; give a whole number from 0 to"):
        launch(**{variable: value})


def test_how_long_things_are_kept_can_be_set():
    made = launch(BTC_REPLAY_DAYS="3", BTC_LATE_DAYS="90", BTC_POLLING_CAP="0")
    assert (made.replay_days, made.late_days, made.polling_cap) == (3, 90, 0)


def test_credentials_can_be_set_in_part_and_a_damaged_file_is_made_anew(tmp_path):
    generated = load_credentials(tmp_path, login=None, password=None)
    mixed = load_credentials(tmp_path, login="electrum", password=None)
    assert (mixed.login, mixed.password) == ("electrum", generated.password)
    (tmp_path / "credentials.json").write_text("{")
    assert load_credentials(tmp_path, login=None, password=None).password != generated.password
    assert load_credentials(tmp_path / "nowhere", login="a", password="b").password == "b"


def test_an_address_is_withdrawn_even_if_it_is_gone(tmp_path):
    publish_address(tmp_path, "http://127.0.0.1:1", load_credentials(tmp_path, login=None, password=None))
    for _ in range(2):
        withdraw_address(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["credentials.json"]


class Client:
    def __init__(self, *, is_remote):
        self.is_remote = is_remote


def coin(network, *, is_remote=False):
    return Coin(
        code="btc", name="Bitcoin", symbol="BTC", decimals=8, network=network, client=Client(is_remote=is_remote)
    )


def needed(monkeypatch, coins, **environment):
    monkeypatch.setattr(processes, "installed", lambda: ["bitcoin"])
    monkeypatch.delenv("BTC_PORT", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return processes.processes_of(Deployment(settings=Settings(), coins=coins))


def test_a_deployment_runs_a_daemon_for_each_network_on_a_free_port(monkeypatch):
    found = needed(monkeypatch, {"bitcoin": [coin("mainnet"), coin("regtest")], "coffee": [coin("mainnet")]})
    assert [process.name for process in found] == ["daemon-bitcoin-mainnet", "daemon-bitcoin-regtest"]
    assert found[1].arguments == ("daemon", "bitcoin", "--network", "regtest", "--port", "0")


def test_a_port_that_the_operator_set_is_kept(monkeypatch):
    (process,) = needed(monkeypatch, {"bitcoin": [coin("mainnet")]}, BTC_PORT="5000")
    assert process.arguments == ("daemon", "bitcoin", "--network", "mainnet")


def test_a_daemon_that_runs_elsewhere_is_not_started_here(monkeypatch):
    assert needed(monkeypatch, {"bitcoin": [coin("mainnet", is_remote=True)]}) == []


def test_keys_are_remembered_in_memory_only_up_to_a_bound():
    keys = WalletKeys(lambda key: f"digest of {key.key}")
    first = read_key({"xpub": "first", "contract": "token"})
    assert wallet_text(first) == "first_token"
    assert keys.find("digest of first") == "digest of first"
    keys.remember(first)
    assert keys.find("digest of first") == "first_token"
    assert keys.find(None) is None
    for number in range(MOST_KEYS):
        keys.remember(read_key(str(number)))
    assert keys.find("digest of first") == "digest of first"
    assert keys.find(f"digest of {MOST_KEYS - 1}") == str(MOST_KEYS - 1)
