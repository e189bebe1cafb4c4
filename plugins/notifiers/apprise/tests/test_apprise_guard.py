"""The guard on the sending process: what it refuses, and that it agrees with the kernel's own policy."""

import json
import os
import subprocess
import sys
from ipaddress import ip_network

import pytest
from bitcart_notifier_apprise import child
from bitcart_notifier_apprise.child import Guard
from hypothesis import given
from hypothesis import strategies as st

from bitcart_core import AddressPolicy

POLICY = AddressPolicy(allowed_networks=(ip_network("10.1.0.0/16"), ip_network("fd00::/64")))
GUARD = Guard(POLICY.to_json())

EDGES = [
    "0.0.0.0",  # noqa: S104 - refused, not bound to
    "9.255.255.255", "10.0.0.0", "10.1.0.0", "10.1.255.255", "10.2.0.0", "100.63.255.255", "100.64.0.0",
    "100.128.0.0", "127.0.0.1", "169.254.169.254", "172.15.255.255", "172.16.0.0", "172.32.0.0", "192.167.255.255",
    "192.168.0.0", "192.169.0.0", "198.17.255.255", "198.18.0.0", "198.20.0.0", "223.255.255.255", "224.0.0.0",
    "255.255.255.255", "8.8.8.8", "::", "::1", "::ffff:8.8.8.8", "64:ff9b::1", "1fff::1", "2000::1", "2001::1",
    "2001:200::1", "2001:db8::1", "2002::1", "2606:4700::1", "3fff::1", "4000::1", "fc00::1", "fd00::1", "fd00:0:0:1::1",
    "fe80::1", "ff02::1", "localhost", "",
]  # fmt: skip


@pytest.mark.parametrize("address", EDGES)
def test_the_guard_agrees_with_the_policy_at_the_edges(address):
    assert GUARD.permits(address, 443) is POLICY.permits(address)


@given(st.ip_addresses())
def test_the_guard_agrees_with_the_policy_everywhere(address):
    assert GUARD.permits(str(address), 443) is POLICY.permits(str(address))


@pytest.mark.parametrize(
    "address", [("8.8.8.8", 22), ("8.8.8.8", 0), "/run/docker.sock", b"\x00abstract", ("name", 80)]
)
def test_ports_sockets_and_names_are_refused(address):
    with pytest.raises(PermissionError, match="is closed"):
        Guard(POLICY.to_json()).watch("socket.connect", (None, address))


def test_an_ordinary_connection_is_let_through():
    GUARD.watch("socket.connect", (None, ("8.8.8.8", 443)))
    GUARD.watch("socket.connect", (None, ("2606:4700::1", 443, 0, 0)))


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", f"{sys.prefix}/../../../../../etc/passwd", "x"])
def test_files_are_not_read(path):
    with pytest.raises(PermissionError, match="is not for notifications"):
        GUARD.watch("open", (path, "r", os.O_RDONLY))


def test_nothing_is_written_not_even_where_reading_is_fine():
    own = f"{sys.prefix}/pyvenv.cfg"
    GUARD.watch("open", (own, "r", os.O_RDONLY))
    GUARD.watch("open", (os.fsencode(own), "r", os.O_RDONLY | os.O_CLOEXEC))
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_CREAT, os.O_APPEND | os.O_WRONLY):
        with pytest.raises(PermissionError):
            GUARD.watch("open", (own, "w", flags))


@pytest.mark.parametrize(
    "event", ["subprocess.Popen", "os.system", "os.exec", "os.fork", "os.remove", "socket.sendto", "socket.bind"]
)
def test_no_program_is_started_and_nothing_else_is_sent(event):
    with pytest.raises(PermissionError):
        GUARD.watch(event, ("x",))


def order(url: str, schema: str, module: str, **more):
    return {
        "url": url, "schema": schema, "module": module, "title": "t", "body": "b", "policy": POLICY.to_json(), **more
    }  # fmt: skip


def run(what):
    return subprocess.run(
        [sys.executable, "-I", "-B", child.__file__],
        input=json.dumps(what),
        capture_output=True,
        text=True,
        check=False,
    )


def test_in_force_it_keeps_apprise_from_a_local_file(tmp_path):
    """An option that is stripped from URLs is put in by hand here, to see what stands behind the stripping."""
    (tmp_path / "hush.json").write_text('{"text": "{{app_body}}"}')
    token = "a" * 32
    url = f"workflows://prod.example:80/{token}/{token}/?template={tmp_path}/hush.json"
    report = json.loads(run(order(url, "workflows", "workflows")).stdout)
    assert report["outcome"] == "invalid"
    assert report["said"][0] == f"Could not load URL: {tmp_path}/hush.json"


def test_in_force_it_keeps_apprise_from_a_name_that_points_inside(receiver):
    ran = run(order(f"json://localhost:{receiver.port}/", "json", "custom_json"))
    report = json.loads(ran.stdout)
    assert report["outcome"] == "failed"
    assert f"127.0.0.1 port {receiver.port}" in report["refused"]
    assert receiver.requests == []
