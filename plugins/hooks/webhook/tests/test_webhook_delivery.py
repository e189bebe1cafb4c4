"""What a merchant's receiver sees of an event, and what its answer does to the delivery."""

import json
import os
import socket
import ssl
import subprocess
import threading
from datetime import UTC, datetime

import pytest
from bitcart_hook_webhook import WebhookStoreSettings
from bitcart_hook_webhook.answers import retry_after
from pydantic import ValidationError

from bitcart_core import DeliveryError, Rejected


def respond(status: int, *headers: str, body: bytes = b"no") -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def test_an_endpoint_hears_of_the_event_with_the_whole_invoice(receiver, shop):
    (outcome,) = shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))

    (request,) = receiver.requests
    told = json.loads(request.body)
    assert (request.method, request.target) == ("POST", "/hook")
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("bitcart-webhook/")
    assert (told["type"], told["timestamp"]) == ("invoice.completed", "2026-11-23T12:00:00Z")
    assert told["data"]["seq"] == 3
    assert told["data"]["reason"] == "it is deep"
    assert told["data"]["id"] == "01INVOICE"
    assert told["data"]["price"] == "5.00"
    assert outcome.summary == f"200 from http://127.0.0.1:{receiver.port}/hook"
    assert outcome.detail["body"] == "taken"


def test_the_ipn_is_id_and_status_and_nothing_more(receiver, shop):
    shop.deliver(shop.build(receiver), shop.event(notification_url=receiver.url), shop.store())
    assert receiver.requests[0].body == b'{"id":"01INVOICE","status":"complete"}'


@pytest.mark.parametrize(
    ("kind", "status", "is_told"),
    [
        ("invoice_created", "pending", False),
        ("payment_received", "pending", True),
        ("payment_received", "paid", False),
        ("payment_received", "expired", False),
        ("payment_replaced", "pending", False),
        ("invoice_paid", "paid", True),
        ("invoice_confirmed", "confirmed", True),
        ("invoice_completed", "complete", True),
        ("invoice_expired", "expired", True),
        ("invoice_invalidated", "invalid", True),
        ("invoice_refunded", "refunded", True),
        ("invoice_stepped_down", "pending", True),
    ],
)
def test_the_ipn_is_sent_once_for_each_new_status(kind, status, is_told, shop):
    happened = shop.event(kind, status=status, notification_url="https://shop.example/ipn")
    targets = shop.build().delivery_targets(happened, shop.store())
    assert [target.key for target in targets] == (["ipn"] if is_told else [])


def test_an_endpoint_hears_only_of_the_events_it_asked_for(shop):
    there = shop.store(
        {"id": "all", "url": "https://a.example"},
        {"id": "done", "url": "https://b.example", "events": ["invoice.completed"]},
        {"id": "late", "url": "https://c.example", "events": ["invoice.expired", "invoice.stepped_down"]},
        {"id": "off", "url": "https://d.example", "is_enabled": False},
    )
    keys = [target.key for target in shop.build().delivery_targets(shop.event(), there)]
    assert keys == ["endpoint:all", "endpoint:done"]


def test_a_targets_name_tells_no_token(shop):
    (target,) = shop.build().delivery_targets(shop.event(), shop.store({"url": "https://shop.example/hook?token=hush"}))
    assert target.label == "https://shop.example/hook"
    assert "hush" not in repr(target)


def test_an_endpoint_without_an_id_keeps_its_deliveries_as_long_as_its_url(shop):
    def key(url):
        return shop.build().delivery_targets(shop.event(), shop.store({"url": url}))[0].key

    assert key("https://a.example/") == key("https://a.example/") != key("https://b.example/")


def test_a_retry_goes_to_where_the_endpoint_is_now(receivers, shop):
    old, new = receivers(), receivers()
    plugin = shop.build(old, new)
    (target,) = plugin.delivery_targets(shop.event(), shop.store({"id": "a", "url": old.url}))
    plugin.announced(shop.event(), shop.store({"id": "a", "url": new.url}), target)
    assert (len(old.requests), len(new.requests)) == (0, 1)


def test_an_endpoint_that_was_removed_or_disabled_is_not_called_any_more(receiver, shop):
    plugin = shop.build(receiver)
    (target,) = plugin.delivery_targets(shop.event(), shop.store({"id": "a", "url": receiver.url}))
    for there in (shop.store(), shop.store({"id": "a", "url": receiver.url, "is_enabled": False})):
        with pytest.raises(Rejected, match="removed or disabled"):
            plugin.announced(shop.event(), there, target)
    assert receiver.requests == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_taken(status, receiver, shop):
    receiver.answer = respond(status, body=b"")
    (outcome,) = shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert outcome.detail["status"] == status


@pytest.mark.parametrize("status", [400, 401, 404, 409, 429, 500, 502, 503])
def test_any_other_answer_is_tried_again_and_kept(status, receiver, shop):
    receiver.answer = respond(status, body=b"because")
    with pytest.raises(DeliveryError, match=f"answered {status}") as caught:
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert not isinstance(caught.value, Rejected)
    assert caught.value.detail == {"status": status, "body": "because", "is_whole": True}


def test_410_means_never_again(receiver, shop):
    receiver.answer = respond(410)
    with pytest.raises(Rejected, match="wants no more webhooks"):
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(status, receivers, shop):
    first, second = receivers(), receivers()
    first.answer = respond(status, f"location: {second.url}")
    with pytest.raises(DeliveryError, match="redirects are not followed"):
        shop.deliver(shop.build(first, second), shop.event(), shop.store({"url": first.url}))
    assert second.requests == []


def test_a_receiver_may_ask_for_time(receiver, shop):
    receiver.answer = respond(503, "Retry-After: 120")
    with pytest.raises(DeliveryError) as caught:
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert caught.value.retry_after_seconds == 120


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 7 ", 7),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Mon, 23 Nov 2026 12:05:00", 300),
        ("99999999999999999999", 86400),
        ("Mon, 23 Nov 2099 12:00:00 GMT", 86400),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("\u0663", None),
    ],
)
def test_the_time_asked_for_is_read_as_seconds_or_as_a_date_and_bounded(header, seconds):
    assert retry_after(header, now=datetime(2026, 11, 23, 12, tzinfo=UTC)) == seconds


def hang(connection: socket.socket) -> None:
    connection.recv(1)


def drip_headers(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.02)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        connection.sendall(b"x")
        threading.Event().wait(0.02)


@pytest.mark.parametrize("answer", [hang, drip_headers])
def test_a_receiver_cannot_hold_an_attempt_beyond_its_deadline(answer, receiver, shop):
    receiver.answer = answer
    with pytest.raises(DeliveryError, match=r"did not answer within 0\.3 seconds"):
        shop.deliver(shop.build(receiver, deadline_seconds=0.3), shop.event(), shop.store({"url": receiver.url}))


def test_a_status_counts_even_if_the_body_drips_for_ever(receiver, shop):
    receiver.answer = drip_body
    (outcome,) = shop.deliver(
        shop.build(receiver, deadline_seconds=0.3), shop.event(), shop.store({"url": receiver.url})
    )
    assert outcome.detail["is_whole"] is False


def test_of_an_endless_body_64_kib_are_read(receiver, shop):
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"1000\r\n" + b"y" * 4096 + b"\r\n")

    receiver.answer = flood
    (outcome,) = shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert outcome.detail["is_whole"] is False
    assert outcome.detail["body"] == "y" * 2000


def test_headers_without_end_are_a_failure(receiver, shop):
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while True:
            connection.sendall(b"x: " + b"y" * 4096 + b"\r\n")

    receiver.answer = flood
    with pytest.raises(DeliveryError, match="could not be reached"):
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))


@pytest.mark.parametrize("answer", [b"", b"hello\r\n\r\n", b"HTTP/1.1 200"])
def test_what_is_not_http_is_a_failure(answer, receiver, shop):
    receiver.answer = lambda connection: connection.sendall(answer)
    with pytest.raises(DeliveryError, match="could not be reached: "):
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))


def test_an_answer_that_postgresql_could_not_hold_is_made_harmless(receiver, shop):
    receiver.answer = respond(200, body=b"a\x00b\xff")
    (outcome,) = shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert outcome.detail["body"] == "a\ufffdb\ufffd"


def test_a_receiver_that_is_down_is_tried_again(receivers, shop):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    plugin = shop.build(allowed_ports=frozenset({port}))
    with pytest.raises(DeliveryError, match="could not be reached") as caught:
        shop.deliver(plugin, shop.event(), shop.store({"url": f"http://127.0.0.1:{port}/"}))
    assert not isinstance(caught.value, Rejected)


def test_a_connection_is_used_again_for_the_next_message(receiver, shop):
    plugin = shop.build(receiver)
    for _ in range(5):
        shop.deliver(plugin, shop.event(), shop.store({"url": receiver.url}))
    assert (receiver.connections, len(receiver.requests)) == (1, 5)


def test_a_connection_that_the_receiver_closed_meanwhile_is_replaced(receiver, shop):
    plugin = shop.build(receiver)
    receiver.answer = lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
    for _ in range(3):
        shop.deliver(plugin, shop.event(), shop.store({"url": receiver.url}))
    assert len(receiver.requests) == 3


def test_a_forked_process_opens_connections_of_its_own(receiver, shop):
    plugin = shop.build(receiver)
    shop.deliver(plugin, shop.event(), shop.store({"url": receiver.url}))
    child = os.fork()
    if child == 0:
        code = 1
        try:
            shop.deliver(plugin, shop.event(), shop.store({"url": receiver.url}))
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert receiver.connections == 2


def test_a_refused_address_is_given_up_and_never_connected_to(receiver, shop):
    plugin = shop.build(receiver, allowed_networks=())
    with pytest.raises(Rejected, match="not on the public Internet"):
        shop.deliver(plugin, shop.event(), shop.store({"url": receiver.url}))
    with pytest.raises(Rejected, match=r"port \d+ of localhost is closed"):
        shop.deliver(shop.build(), shop.event(), shop.store({"url": f"http://localhost:{receiver.port}/"}))
    assert receiver.connections == 0


def test_an_ipn_address_that_is_no_web_address_is_given_up(shop):
    with pytest.raises(Rejected, match="is not a web address"):
        shop.deliver(shop.build(), shop.event(notification_url="ftp://shop.example/"), shop.store())


def test_a_name_is_looked_up_once_and_the_checked_address_is_connected_to(receiver, shop, monkeypatch):
    answers = ["127.0.0.1", "127.0.0.2"]
    real = socket.getaddrinfo

    def rebind(host, port, *args, **kwargs):
        if host != "rebind.example":
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": f"http://rebind.example:{receiver.port}/"}))
    assert answers == ["127.0.0.2"]
    assert receiver.requests[0].headers["host"] == f"rebind.example:{receiver.port}"


def test_the_next_address_of_a_name_is_tried_when_the_first_is_down(receiver, shop, monkeypatch):
    real = socket.getaddrinfo

    def two(host, port, *args, **kwargs):
        if host != "two.example":
            return real(host, port, *args, **kwargs)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in ("127.0.0.9", "127.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": f"http://two.example:{receiver.port}/"}))
    assert len(receiver.requests) == 1


def test_no_proxy_of_the_environment_is_asked(receivers, shop, monkeypatch):
    receiver, proxy = receivers(), receivers()
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("all_proxy", proxy.url)
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}))
    assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


@pytest.fixture
def certificate(tmp_path):
    """A certificate for `shop.example` that no authority knows."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-subj",
            "/CN=shop.example",
            "-addext",
            "subjectAltName=DNS:shop.example",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    return tmp_path


@pytest.fixture
def secure_receiver(receivers, certificate, monkeypatch):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    real = socket.getaddrinfo

    def local(host, port, *args, **kwargs):
        return real("127.0.0.1" if host.endswith(".example") else host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", local)
    return receivers(context)


def test_a_certificate_that_no_authority_signed_is_refused(secure_receiver, shop):
    with pytest.raises(DeliveryError, match="certificate verify failed"):
        shop.deliver(
            shop.build(secure_receiver),
            shop.event(),
            shop.store({"url": f"https://shop.example:{secure_receiver.port}/"}),
        )
    assert secure_receiver.requests == []


def test_an_operators_own_authority_may_be_trusted(secure_receiver, certificate, shop):
    plugin = shop.build(secure_receiver, ca_file=certificate / "cert.pem")
    shop.deliver(plugin, shop.event(), shop.store({"url": f"https://shop.example:{secure_receiver.port}/"}))
    assert len(secure_receiver.requests) == 1
    with pytest.raises(DeliveryError, match="certificate verify failed"):
        shop.deliver(plugin, shop.event(), shop.store({"url": f"https://other.example:{secure_receiver.port}/"}))


@pytest.mark.parametrize(
    "endpoint",
    [
        {"url": "file:///etc/passwd"},
        {"url": "https://u:p@shop.example"},
        {"url": "https://shop.example", "events": ["invoice.eaten"]},
        {"url": "https://shop.example", "id": "a b"},
        {"id": "a"},
    ],
)
def test_a_merchant_cannot_save_an_endpoint_that_could_never_work(endpoint, shop):
    with pytest.raises(ValidationError):
        WebhookStoreSettings.model_validate({"endpoints": [endpoint]})
    with pytest.raises(DeliveryError, match="webhook settings of store 01STORE are broken"):
        shop.build().delivery_targets(shop.event(), shop.store(endpoint))


def test_two_endpoints_cannot_share_one_name():
    with pytest.raises(ValidationError, match="one id or one URL"):
        WebhookStoreSettings.model_validate({"endpoints": [{"url": "https://a.example"}] * 2})
