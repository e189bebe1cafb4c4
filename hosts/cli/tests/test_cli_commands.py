"""The command line as people meet it: one sentence for a mistake, help that teaches."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def bitcart(*arguments: str, data: Path, plugins: str | None = "", **environment: str) -> subprocess.CompletedProcess:
    if plugins is not None:
        data.mkdir(exist_ok=True)
        (data / "plugins.toml").write_text(plugins)
    known = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, "-m", "bitcart_host_cli", *arguments],
        env={**known, "BITCART_DATA": str(data), "BITCART_PLUGINS": str(data / "plugins.toml"), **environment},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_help_shows_where_to_begin_and_every_command(tmp_path: Path):
    answer = bitcart("--help", data=tmp_path)

    assert answer.returncode == 0
    assert "bitcart demo" in answer.stdout
    for command in (
        "api",
        "daemon",
        "demo",
        "devchain",
        "doctor",
        "migrate",
        "pay",
        "plugins",
        "setup",
        "up",
        "worker",
    ):
        assert f"  {command} " in answer.stdout


@pytest.mark.parametrize(
    ("plugins", "sentence"),
    [
        (None, "does not exist"),
        ("[fixed", "is not valid TOML"),
        ("lane = 1", "outside any table"),
        ("[fixde]", "did you mean 'fixed'?"),
        ("[fixed]\nlane = 'fast'", 'write lane = "inline" or lane = "isolated"'),
        ("[fixed]\npricse = {}", "did you mean 'prices'?"),
        ("[fixed]\nprices = { env = 'NO_SUCH_SECRET' }", "NO_SUCH_SECRET, which is not set"),
    ],
)
def test_a_mistake_in_plugins_toml_is_one_sentence_and_exit_2(tmp_path: Path, plugins: str | None, sentence: str):
    answer = bitcart("plugins", data=tmp_path, plugins=plugins)

    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert answer.stderr.startswith("bitcart: ")
    assert answer.stderr.count("\n") == 1


def test_plugins_lists_what_is_loaded_in_order_and_what_could_be(tmp_path: Path):
    answer = bitcart("plugins", data=tmp_path, plugins="[fixed]\n[scripts]\n", COLUMNS="200")

    assert answer.returncode == 0
    assert answer.stdout.index("fixed") < answer.stdout.index("scripts")
    assert "installed and not loaded" in answer.stdout
    assert "bitcoin" in answer.stdout


def test_a_host_without_a_database_says_what_to_do(tmp_path: Path):
    answer = bitcart("worker", "--lane", "record", data=tmp_path)

    assert answer.returncode == 2
    assert "set REDIS_URL" in answer.stderr or "set DATABASE_URL" in answer.stderr


def test_a_port_in_use_is_one_sentence_with_the_remedy(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        answer = bitcart("api", data=tmp_path, BITCART_PORT=port)

    assert answer.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}" in answer.stderr
    assert "set BITCART_PORT" in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_without_any_redis_the_remedy_is_named(tmp_path: Path):
    program = "import bitcart_core.embedded.redis as r; r.find_spec = lambda _: None; r.find_server()"
    answer = subprocess.run(
        [sys.executable, "-c", program], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert "set REDIS_URL, install redis-server or valkey-server" in answer.stderr


def test_doctor_names_what_is_wrong_and_exits_1(tmp_path: Path):
    answer = bitcart("doctor", data=tmp_path, plugins="[bitcoin]\nnetwork = 'regtest'\n")

    assert answer.returncode == 1
    assert "wrong  requisites" in answer.stdout
    assert "good   database" in answer.stdout
    assert "bitcart setup" in answer.stdout


def test_migrate_can_be_repeated(tmp_path_factory: pytest.TempPathFactory, server_folder: Path):
    data = server_folder / "migrate"
    for _ in range(2):
        answer = bitcart("migrate", data=data)
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout == "the database is up to date\n"
