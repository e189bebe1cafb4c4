"""What a process must know before it can load anything: from the environment, with sensible defaults."""

import os
from pathlib import Path

import pytest

from bitcart_core import settings
from bitcart_core.settings import Settings


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"BITCART_HOST": "0.0.0.0", "BITCART_PORT": "80"}, "http://0.0.0.0:80"),  # noqa: S104 - written, not bound
        ({"BITCART_PUBLIC_URL": "https://pay.example/"}, "https://pay.example"),
    ],
)
def test_buyers_are_sent_to_the_public_address(monkeypatch, given, url):
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    assert Settings().url == url


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("BITCART_DATA", str(tmp_path))
    monkeypatch.setenv("BITCART_PLUGINS", str(tmp_path / "mine.toml"))
    monkeypatch.setenv("REDIS_URL", "redis://localhost")

    assert Settings().data_dir == tmp_path
    assert Settings().find_plugins_file() == tmp_path / "mine.toml"
    assert Settings().redis_url == "redis://localhost"


@pytest.mark.parametrize(
    ("user", "environment", "folder"),
    [
        (0, {}, "/var/lib/bitcart"),
        (1000, {"HOME": "/home/ann"}, "/home/ann/.local/share/bitcart"),
        (1000, {"HOME": "/home/ann", "XDG_DATA_HOME": "/data"}, "/data/bitcart"),
    ],
)
def test_data_is_kept_where_its_user_can_keep_it(monkeypatch, user, environment, folder):
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert settings.default_data_dir() == Path(folder)
