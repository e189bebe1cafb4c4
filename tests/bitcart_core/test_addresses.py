"""What strangers' URLs may reach: the vectors by which server-side request forgery is usually tried."""

import socket
import threading
from ipaddress import IPv4Network, IPv6Network

import pytest

from bitcart_core import AddressPolicy, DeliveryError, InputError, parse_host, parse_web_address

PUBLIC_ONLY = AddressPolicy()


def follow(url: str, policy: AddressPolicy = PUBLIC_ONLY) -> tuple[str, ...]:
    address = parse_web_address(url)
    return policy.find(address.host, address.port, timeout_seconds=5)


@pytest.fixture
def names(monkeypatch):
    """A name server of our own: what is put in here is answered, and every question is counted."""

    class Names(dict):
        asked = 0

    table = Names()

    def answer(host, port, **_):
        table.asked += 1
        if host not in table:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        families = [(socket.AF_INET6 if ":" in a else socket.AF_INET, a) for a in table[host]]
        return [(family, socket.SOCK_STREAM, 6, "", (a, port)) for family, a in families]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    return table


CLOSED_ADDRESSES = [
    # loopback, unspecified, this network
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "[::1]", "[::]",  # noqa: S104 - refused, not bound to
    # private and shared
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.254",
    # link-local: cloud metadata
    "169.254.169.254", "169.254.0.1", "[fe80::1]", "[febf::1]", "[fd00:ec2::254]",
    # unique local and the older site-local
    "[fc00::1]", "[fdff::1]", "[fec0::1]",
    # multicast, broadcast, reserved
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "[ff02::1]", "[ff05::2]",
    # an IPv4 address inside an IPv6 address: mapped, compatible, translated, NAT64, 6to4, Teredo
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]", "[64:ff9b::8.8.8.8]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001::1]",
    # documentation, benchmarks, discard, protocol assignments, 6to4 relays
    "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.0.1", "192.0.0.8", "192.88.99.1", "[2001:db8::1]",
    "[3fff::1]", "[100::1]", "[5f00::1]",
]  # fmt: skip


@pytest.mark.parametrize("host", CLOSED_ADDRESSES)
def test_an_address_that_is_not_on_the_public_internet_is_refused(host):
    with pytest.raises(InputError, match="not on the public Internet"):
        follow(f"http://{host}/hook")


ODD_SPELLINGS = [
    "http://2130706433/", "http://0x7f000001/", "http://0x7f.0.0.1/", "http://0177.0.0.1/", "http://127.1/",
    "http://127.0.1/", "http://017700000001/", "http://0x7f.1/", "http://127.0.0.1.1/", "http://127.0.0.01/",
    "http://1.2.3.4.5/", "http://256.1.1.1/", "http://0/", "http://0x/", "http://shop.example.0x7f/",
    "http://[::1/", "http://[127.0.0.1]/", "http://[v1.fe80::a]/", "http://[::1]x/", "http://[::1]:80:80/", "http://a:80:81/", "http://a]/", "http://a:+80/", "http://[1::2::3]/",
    "http://user@shop.example/", "http://user:word@127.0.0.1/", "http://shop.example@127.0.0.1/",
    "http://127.0.0.1\\@shop.example/", "http://shop.example\\.127.0.0.1/", "http://shop.example /",
    "http://shop.example\t/", "http://shop.example\r\nhost: x/", "http://127.0.0.1\x00.shop.example/",
    "http://shop%2eexample/", "http://%6c%6f%63alhost/", "http://sh*p.example/", "http://-shop.example/",
    "http:///hook", "http://", "http://.", "http://shop..example/", "http://" + "a" * 64 + ".example/",
    "http://fa\u00df.example/", "http://shop\u200d.example/", "http://shop.example:99999/",
    "http://shop.example:1a/", "http://shop.example/" + "x" * 2048, "//shop.example/", "shop.example", "",
    "ftp://shop.example/", "file:///etc/passwd", "gopher://shop.example/", "javascript:alert(1)",
    "unix:/run/x.sock", "http+unix://x/", "HTTPS+x://shop.example/",
]  # fmt: skip


@pytest.mark.parametrize("url", ODD_SPELLINGS)
def test_a_url_that_two_programs_could_read_in_two_ways_is_refused(url):
    with pytest.raises(InputError):
        parse_web_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1./",
        "http://\uff11\uff12\uff17.0.0.1/",
        "http://127\u30020\u30020\u30021/",
        "http://\u2460\u2461\u2466.0.0.1/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    ],
)
def test_another_way_to_write_this_machine_is_refused_too(url):
    with pytest.raises(InputError, match="not on the public Internet"):
        follow(url)


@pytest.mark.parametrize(
    "url", ["http://1.1.1.1/", "https://8.8.8.8:443/x", "https://[2606:4700:4700::1111]/", "http://192.0.1.1/"]
)
def test_a_public_address_is_let_through(url):
    assert follow(url) == (parse_web_address(url).host,)


def test_a_name_that_points_inside_is_refused(names):
    names["inside.example"] = ["192.168.1.10"]
    with pytest.raises(InputError, match=r"inside\.example is at 192\.168\.1\.10"):
        follow("https://inside.example/")


def test_of_a_name_with_a_public_and_a_private_address_only_the_public_one_is_used(names):
    names["mixed.example"] = ["10.0.0.1", "1.1.1.1", "::1"]
    assert follow("https://mixed.example/") == ("1.1.1.1",)


def test_a_name_is_looked_up_once_so_that_it_cannot_change_its_mind(names):
    names["rebind.example"] = ["1.1.1.1"]
    assert follow("https://rebind.example/") == ("1.1.1.1",)
    assert names.asked == 1


def test_an_unknown_name_may_be_known_later(names):
    with pytest.raises(DeliveryError, match=r"nowhere\.example is not known"):
        follow("https://nowhere.example/")


def test_a_silent_name_server_costs_no_more_than_the_deadline(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [] if release.wait() else None)
    try:
        with pytest.raises(DeliveryError, match="did not answer for slow"):
            PUBLIC_ONLY.find("slow.example", 443, timeout_seconds=0.01)
    finally:
        release.set()


@pytest.mark.parametrize("port", [22, 25, 6379, 8080, 0])
def test_a_port_that_is_not_of_the_web_is_refused(port):
    with pytest.raises(InputError, match=f"port {port} of 1.1.1.1 is closed"):
        PUBLIC_ONLY.find("1.1.1.1", port, timeout_seconds=1)


def test_an_operator_may_open_a_network_and_a_port():
    policy = AddressPolicy(
        allowed_networks=(IPv4Network("192.168.7.0/24"), IPv6Network("::1/128")), allowed_ports=frozenset({8080})
    )
    assert follow("http://192.168.7.1:8080/", policy) == ("192.168.7.1",)
    assert follow("http://[::1]:8080/", policy) == ("::1",)
    with pytest.raises(InputError):
        follow("http://192.168.8.1:8080/", policy)
    with pytest.raises(InputError):
        follow("http://[::ffff:192.168.7.1]:8080/", policy)
    with pytest.raises(InputError):
        follow("http://192.168.7.1/", policy)


def test_what_is_no_address_is_never_permitted():
    assert not PUBLIC_ONLY.permits("shop.example")
    assert not PUBLIC_ONLY.permits("")


def test_a_url_is_asked_for_just_as_it_was_read():
    address = parse_web_address("HTTPS://B\u00fccher.Example.:8443/caf\u00e9/%2e?q=a b#part".replace(" ", "%20"))
    assert address.authority == "xn--bcher-kva.example:8443"
    assert address.target == "/caf%C3%A9/%2e?q=a%20b"
    assert address.label == "https://xn--bcher-kva.example:8443/caf%C3%A9/%2e"


def test_the_usual_port_is_not_named_again():
    assert parse_web_address("https://shop.example:443").authority == "shop.example"
    assert parse_web_address("http://[2606:4700::1]:80/").authority == "[2606:4700::1]"


def test_a_host_alone_is_read_by_the_same_rules():
    assert parse_host("Mail.Example.") == "mail.example"
    with pytest.raises(InputError):
        parse_host("0x7f000001")
