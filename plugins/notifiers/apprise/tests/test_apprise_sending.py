"""What a service gets, and what happens when it is slow, refuses, or leads elsewhere. Over real HTTP."""

import threading

import pytest
from bitcart_notifier_apprise import AppriseSettings
from pydantic import ValidationError

from bitcart_core import DeliveryError, Rejected


def test_a_message_reaches_the_service(receiver, build, send):
    send(build(receiver), f"json://{receiver.place}/path")
    ((method, path, _),) = receiver.requests
    assert (method, path) == ("POST", "/path")
    assert receiver.told[0]["title"] == "5.00 EUR received"
    assert receiver.told[0]["message"] == "Invoice <7> & more\nis complete"


def test_a_real_service_is_spoken_to_in_its_own_way(receiver, build, send):
    send(build(receiver), f"gotify://{receiver.place}/AbCdEf123456789")
    ((_, path, _),) = receiver.requests
    assert path == "/message"
    assert receiver.told[0]["title"] == "5.00 EUR received"
    assert receiver.told[0]["message"] == "Invoice <7> & more\nis complete"


def test_ntfy_is_spoken_to(receiver, build, send):
    send(build(receiver), f"ntfy://{receiver.place}/topic?priority=high&rto=60")
    assert receiver.told[0]["topic"] == "topic"
    assert receiver.headers_seen[0]["X-Priority"] == "high"
    assert "github" not in str(receiver.headers_seen[0])


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_service_that_refuses_is_tried_again(status, receiver, build, send):
    receiver.status = status
    with pytest.raises(DeliveryError, match="json did not take it: ") as caught:
        send(build(receiver), f"json://{receiver.place}/")
    assert not isinstance(caught.value, Rejected)
    assert f"error={status}" in str(caught.value)


def test_a_service_that_is_down_is_tried_again(receivers, build, send):
    receiver = receivers()
    with pytest.raises(DeliveryError, match="json did not take it: A Connection error occurred"):
        send(build(receiver, allowed_ports=frozenset({1})), "json://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("service", "status"),
    [
        *(("json://{}/", status) for status in (301, 302, 303, 307, 308)),
        ("gotify://{}/AbCdEf123456789", 307),
        ("ntfy://{}/topic", 307),
    ],
)
def test_a_redirect_is_not_followed(service, status, receivers, build, send):
    first, second = receivers(), receivers()
    first.status, first.headers["location"] = status, f"http://{second.place}/elsewhere"
    with pytest.raises(DeliveryError, match="did not take it"):
        send(build(first, second), service.format(first.place))
    assert second.requests == []


@pytest.mark.parametrize(
    "option", ["redirect=yes", "Redirect=yes", "%72edirect=yes", "a=b;redirect=yes", " redirect =1"]
)
def test_a_merchant_cannot_have_redirects_followed(option, receivers, build, send):
    first, second = receivers(), receivers()
    first.status, first.headers["location"] = 307, f"http://{second.place}/elsewhere"
    with pytest.raises(DeliveryError):
        send(build(first, second), f"json://{first.place}/?{option}")
    assert second.requests == []


def test_a_merchant_cannot_change_the_method_or_add_headers(receiver, build, send):
    send(build(receiver), f"json://{receiver.place}/?method=GET&+X-Evil=1&%2BX-Worse=1&:message=other&-q=1")
    ((method, path, _),) = receiver.requests
    assert (method, path) == ("POST", "/")
    assert receiver.told[0]["message"].startswith("Invoice")
    assert not {"X-Evil", "X-Worse"} & set(receiver.headers_seen[0])


def hang(handler, release):
    release.wait()


def drip(handler, release):
    handler.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
    while not release.wait(0.05):
        handler.wfile.write(b"x")


@pytest.mark.parametrize("behave", [hang, drip])
def test_a_service_cannot_hold_an_attempt_beyond_its_deadline(behave, receiver, build, send):
    receiver.behave = lambda handler: behave(handler, receiver.release)
    with pytest.raises(DeliveryError, match="json did not answer within 2 seconds"):
        send(build(receiver, deadline_seconds=2), f"json://{receiver.place}/?rto=60&cto=60")


def test_an_answer_without_end_fills_no_memory_of_ours(receiver, build, send):
    def flood(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65536)

    receiver.behave = flood
    with pytest.raises(DeliveryError):
        send(build(receiver, deadline_seconds=3), f"json://{receiver.place}/")


@pytest.mark.parametrize(
    "url",
    [
        "gotify://{place}/AbCdEf123456789",
        "ntfy://{place}/topic",
        "ntfy://localhost:{port}/topic",
        "mmost://{place}/token0123456789",
        "matrix://user:word@{place}/room",
        "json://[::1]:{port}/",
        "json://0x7f000001:{port}/",
        "json://2130706433:{port}/",
    ],
)
def test_a_service_inside_of_the_operators_network_is_refused(url, receiver, build, send):
    with pytest.raises(Rejected, match=r"leads to (127\.0\.0\.1|::1) port \d+, which is closed") as caught:
        send(build(receiver, allowed_networks=()), url.format(place=receiver.place, port=receiver.port))
    assert "see allowed_networks and allowed_ports" in str(caught.value)
    assert receiver.requests == []


def test_a_port_that_was_not_opened_is_refused(receiver, build, send):
    with pytest.raises(Rejected, match=f"leads to 127.0.0.1 port {receiver.port}, which is closed"):
        send(build(), f"json://{receiver.place}/")
    assert receiver.requests == []


def test_no_proxy_of_the_environment_is_asked(receivers, build, send, monkeypatch):
    receiver, proxy = receivers(), receivers()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{proxy.place}")
    send(build(receiver, proxy), f"json://{receiver.place}/")
    assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


def test_a_token_is_blotted_out_of_what_is_kept(receiver, build, send):
    with pytest.raises(DeliveryError, match="did not take it: A Connection error") as caught:
        send(build(allowed_ports=frozenset({1})), "json://user:hush-hush@secret-host.invalid:1/my-token?x=other-token")
    for secret in ("hush-hush", "secret-host", "my-token", "other-token"):
        assert secret not in str(caught.value)


def test_a_url_that_apprise_cannot_read_is_given_up(receiver, build, send):
    with pytest.raises(Rejected, match="tgram cannot make sense of this URL"):
        send(build(), "tgram://not-a-token/")


def test_messages_sent_at_once_do_not_mix(receiver, build, send):
    notifier = build(receiver)
    threads = [threading.Thread(target=send, args=(notifier, f"json://{receiver.place}/{n}")) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path for _, path, _ in receiver.requests) == ["/0", "/1", "/2"]


@pytest.mark.parametrize("schema", ["syslog", "dbus", "mailto", "fcm", "file", "nonsense"])
def test_an_operator_cannot_open_what_must_stay_closed(schema):
    with pytest.raises(
        ValidationError, match=f"{schema} cannot be allowed; extra_schemas may hold apprise, apprises, "
    ):
        AppriseSettings(extra_schemas=(schema,))
