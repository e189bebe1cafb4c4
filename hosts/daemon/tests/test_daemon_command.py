"""What people type, as a process of its own: `bitcart daemon`, `bitcart rpc`, `bitcart events`."""

import json
import os
import socket
import subprocess
import sys
from decimal import Decimal

import pytest
from bitcart_host_daemon.asking import read_arguments

from bitcart_core.testing.daemon_process import SCRIPTED, ScriptedDaemonProcess

KEY = "xpub-one"


def bitcart(*arguments, **environment):
    command = [sys.executable, "-m", "bitcart_host_cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )


def test_an_unknown_coin_is_told_which_ones_there_are():
    answer = bitcart("daemon", "dogecoin")
    assert answer.returncode == 2
    assert answer.stderr.startswith("bitcart: no coin 'dogecoin' has a daemon here; installed: ")
    assert "bitcoin" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_such_module:Daemon", "cannot load the daemon of no_such_module:Daemon: No module named"),
        ("bitcart_core.testing.daemons:Nothing", "has no attribute 'Nothing'"),
        ("json:loads", "names no `code` and `default_port`"),
    ],
)
def test_a_coin_that_cannot_be_loaded_is_one_sentence(name, sentence, tmp_path):
    answer = bitcart("daemon", name, "--data", tmp_path / "data")
    assert (answer.returncode, len(answer.stderr.splitlines())) == (2, 1)
    assert sentence in answer.stderr


def test_a_port_in_use_is_one_sentence_with_the_remedy(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = bitcart("daemon", SCRIPTED, "--port", port, "--data", tmp_path / "data")
    assert answer.returncode == 2
    assert answer.stderr == (
        f"bitcart: cannot listen on 127.0.0.1:{port}: Address already in use; stop what uses it, "
        "or name another port with --port\n"
    )


def test_an_address_that_is_not_ours_is_one_sentence(tmp_path):
    answer = bitcart("daemon", SCRIPTED, "--port", 0, "--host", "192.0.2.1", "--data", tmp_path / "data")
    assert (answer.returncode, len(answer.stderr.splitlines())) == (2, 1)
    assert "cannot listen on 192.0.2.1:0" in answer.stderr


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path):
    (tmp_path / "data").write_text("")
    answer = bitcart("daemon", SCRIPTED, "--port", 0, "--data", tmp_path / "data")
    assert (answer.returncode, len(answer.stderr.splitlines())) == (2, 1)
    assert f"cannot make the data folder {tmp_path / 'data'}: File exists; choose another with --data" in answer.stderr


def test_a_variable_that_is_no_number_is_named(tmp_path):
    answer = bitcart("daemon", SCRIPTED, "--data", tmp_path / "data", BTC_PORT="tcp://10.0.0.1:80")
    assert answer.returncode == 2
    assert answer.stderr == "bitcart: BTC_PORT is 'tcp://10.0.0.1:80'; give a whole number from 0 to 65535\n"


def test_credentials_are_the_installations_own_and_stay_the_same(tmp_path):
    shown = [bitcart("daemon", SCRIPTED, "--data", tmp_path / name, "--show-credentials").stdout for name in "aab"]
    assert shown[0] == shown[1] != shown[2]
    login, password = (line.split()[1] for line in shown[0].splitlines())
    assert login == "bitcart"
    assert len(password) >= 43
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "a" / "credentials.json").stat().st_mode & 0o777 == 0o600


def test_the_environment_sets_what_options_do_not(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "BTC_PORT": str(port),
        "BTC_LOGIN": "electrum",
        "BTC_PASSWORD": "elec:trum:ü",
        "BTC_NETWORK": "regtest",
    }
    daemon = ScriptedDaemonProcess(tmp_path / "data", options=(), environment=environment).start()
    try:
        address = daemon.address
        assert address == {"url": f"http://127.0.0.1:{port}", "login": "electrum", "password": "elec:trum:ü"}
        assert (daemon.folder / "daemon.json").stat().st_mode & 0o777 == 0o600
        assert daemon.call("getinfo")["connected"] is True
        assert "btc on regtest listens at" in daemon.log_path.read_text()
        assert "elec:trum" not in daemon.log_path.read_text()
    finally:
        daemon.stop()


def test_people_can_call_methods_and_read_the_journal(process):
    data = ("--data", process.folder)
    request = json.loads(bitcart("rpc", "btc", "add_request", "0.5", "memo=a cup", "--xpub", KEY, *data).stdout)
    process.pay(request["address"], Decimal("0.5"))
    process.mine(1)
    answer = bitcart("rpc", "btc", "get_request", request["request_id"], *data, BITCART_XPUB=KEY)
    assert json.loads(answer.stdout)["status_str"] == "Paid"
    entries = [json.loads(line) for line in bitcart("events", "btc", "--since", 1, *data).stdout.splitlines()]
    assert [(entry["seq"], entry["updates"][0]["event"]) for entry in entries] == [(2, "new_payment"), (3, "new_block")]
    assert bitcart("events", "btc", "--since", 3, *data).stdout == ""


def test_what_the_daemon_refuses_and_what_lies_beyond_the_journal_is_one_sentence(process):
    data = ("--data", process.folder)
    refused = bitcart("rpc", "btc", "no_such_method", *data)
    assert (refused.returncode, refused.stderr) == (1, "bitcart: Procedure not found (-32601)\n")
    beyond = bitcart("events", "btc", "--since", 5, *data)
    assert (beyond.returncode, beyond.stderr) == (2, "bitcart: the journal ends at entry 0; --since 5 lies beyond it\n")


def test_asking_where_no_daemon_runs_says_how_to_start_one(tmp_path):
    answer = bitcart("rpc", "bitcoin", "help", "--data", tmp_path)
    assert answer.returncode == 2
    assert answer.stderr.startswith("bitcart: no daemon of bitcoin on mainnet runs in")
    assert "start it with `bitcart daemon bitcoin`" in answer.stderr


def test_arguments_are_json_where_they_are_json_and_text_elsewhere():
    assert read_arguments(["5", "text", "[1,2]", "memo=a=b", 'x={"y": null}', "bitcoin:a?amount=1", "1e5x"]) == (
        [5, "text", [1, 2], "bitcoin:a?amount=1", "1e5x"],
        {"memo": "a=b", "x": {"y": None}},
    )
    assert read_arguments(["0.10"]) == ([Decimal("0.10")], {})
