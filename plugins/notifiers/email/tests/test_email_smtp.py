"""Real mail servers: encryption, login, refusals, and servers that mean no good."""

import itertools
import socket

import pytest
from bitcart_notifier_email import SmtpSettings

from bitcart_core import DeliveryError, Rejected


def send_to(mail_shop, port, *, ca_file=None, **server):
    """Send one receipt through a store's mail server."""
    settings = {key: server.pop(key) for key in ("deadline_seconds", "allowed_networks") if key in server}
    plugin = mail_shop.build(port, ca_file=ca_file, **settings)
    return mail_shop.deliver(plugin, mail_shop.event(), mail_shop.store(port, merchant_email="", **server))


def test_starttls_encrypts_with_a_verified_certificate(mail_shop, start, server_context, certificate):
    post = start(tls_context=server_context, require_starttls=True)
    send_to(mail_shop, post.port, auth_mode="starttls", ca_file=certificate / "cert.pem")
    assert post.handler.was_encrypted == [True]


def test_tls_from_the_first_byte_works_too(mail_shop, start, server_context, certificate):
    post = start(ssl_context=server_context)
    send_to(mail_shop, post.port, auth_mode="ssl/tls", ca_file=certificate / "cert.pem")
    assert len(post.handler.messages) == 1


@pytest.mark.parametrize("auth_mode", ["starttls", "ssl/tls"])
def test_a_certificate_that_no_authority_signed_is_refused(auth_mode, mail_shop, start, server_context):
    option = "tls_context" if auth_mode == "starttls" else "ssl_context"
    post = start(**{option: server_context})
    with pytest.raises(DeliveryError, match="certificate verify failed"):
        send_to(mail_shop, post.port, auth_mode=auth_mode)
    assert post.handler.received == []


def test_a_certificate_of_another_name_is_refused(mail_shop, start, server_context, certificate):
    post = start(tls_context=server_context)
    with pytest.raises(DeliveryError, match="certificate verify failed"):
        send_to(mail_shop, post.port, auth_mode="starttls", ca_file=certificate / "cert.pem", host="127.0.0.1")


def test_a_server_without_starttls_gets_nothing_when_encryption_was_asked_for(mail_shop, post):
    with pytest.raises(DeliveryError, match="STARTTLS extension not supported"):
        send_to(mail_shop, post.port, auth_mode="starttls", user="shop", password="word")
    assert post.handler.received == []


def test_a_login_is_made_after_encryption(mail_shop, start, server_context, certificate):
    post = start(tls_context=server_context, auth_required=True)
    trusted = {"auth_mode": "starttls", "ca_file": certificate / "cert.pem"}
    send_to(mail_shop, post.port, user="shop", password="word", **trusted)
    assert post.handler.logins == [(b"shop", b"word")]
    assert len(post.handler.messages) == 1


def test_a_wrong_password_is_given_up_and_not_shown(mail_shop, start, server_context, certificate):
    post = start(tls_context=server_context, auth_required=True)
    with pytest.raises(Rejected, match=f"mail server localhost:{post.port}: 535") as caught:
        send_to(
            mail_shop, post.port, user="shop", password="hush", auth_mode="starttls", ca_file=certificate / "cert.pem"
        )
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "is_final"),
    [
        ("451 4.7.1 Greylisted, try again in 5 minutes", False),
        ("421 4.3.2 closing", False),
        ("452 4.2.2 full", False),
        ("550 5.1.1 no such user", True),
        ("554 5.7.1 spam", True),
    ],
)
def test_4xx_is_tried_again_and_5xx_is_given_up(answer, is_final, command, mail_shop, post):
    post.handler.answers[command] = answer
    with pytest.raises(DeliveryError) as caught:
        send_to(mail_shop, post.port)
    assert isinstance(caught.value, Rejected) is is_final
    assert str(caught.value) == f"mail server localhost:{post.port}: {answer}"


def test_after_greylisting_the_same_message_is_taken(mail_shop, post):
    post.handler.answers["RCPT"] = "451 4.7.1 Greylisted"
    with pytest.raises(DeliveryError):
        send_to(mail_shop, post.port)
    post.handler.answers.clear()
    send_to(mail_shop, post.port)
    assert len(post.handler.messages) == 1


def talk(connection: socket.socket, *replies: bytes) -> None:
    """Answer each line with the next reply."""
    with connection.makefile("rb") as lines:
        for reply in replies:
            connection.sendall(reply)
            lines.readline()


def test_how_a_server_says_goodbye_changes_nothing(mail_shop, scripted):
    def serve(connection):
        with connection.makefile("rb") as lines:
            for reply in (b"220 hi", b"250 x", b"250 x", b"250 x", b"354 go"):
                connection.sendall(reply + b"\r\n")
                lines.readline()
            while lines.readline() != b".\r\n":
                pass
            connection.sendall(b"250 taken\r\n")
            lines.readline()
            connection.sendall(b"500 how dare you\r\n")

    (outcome,) = send_to(mail_shop, scripted(serve))
    assert outcome.summary.endswith("took the message to the buyer")


def wait_for_ever(connection):
    connection.recv(1)


def drip(connection):
    for byte in itertools.chain(b"220-", itertools.repeat(120)):
        connection.sendall(bytes([byte]))
        connection.settimeout(0.02)
        try:
            connection.recv(1)
        except TimeoutError:
            continue


def hang_after_hello(connection):
    talk(connection, b"220 hi\r\n", b"250 x\r\n")
    connection.recv(1)


@pytest.mark.parametrize("auth_mode", ["none", "starttls", "ssl/tls"])
@pytest.mark.parametrize("behave", [wait_for_ever, drip, hang_after_hello])
def test_a_server_cannot_hold_an_attempt_beyond_its_deadline(behave, auth_mode, mail_shop, scripted):
    with pytest.raises(DeliveryError) as caught:
        send_to(mail_shop, scripted(behave), deadline_seconds=0.3, auth_mode=auth_mode)
    assert not isinstance(caught.value, Rejected)


def test_a_slow_server_is_named_with_the_deadline(mail_shop, scripted):
    port = scripted(wait_for_ever)
    with pytest.raises(DeliveryError, match=rf"localhost:{port} did not finish within 0\.3 seconds"):
        send_to(mail_shop, port, deadline_seconds=0.3)


def test_a_reply_without_end_is_hung_up_on(mail_shop, scripted):
    def flood(connection):
        while True:
            connection.sendall(b"220-" + b"x" * 500 + b"\r\n")

    with pytest.raises(DeliveryError, match="replies have no end"):
        send_to(mail_shop, scripted(flood))


@pytest.mark.parametrize("greeting", [b"", b"554 go away\r\n", b"421 busy\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
def test_a_server_that_greets_in_another_way_is_an_error(greeting, mail_shop, scripted):
    with pytest.raises(DeliveryError) as caught:
        send_to(mail_shop, scripted(lambda connection: connection.sendall(greeting)))
    assert isinstance(caught.value, Rejected) is greeting.startswith(b"554")


def test_a_server_that_is_down_is_tried_again(mail_shop):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(DeliveryError, match="Connection refused") as caught:
        send_to(mail_shop, port)
    assert not isinstance(caught.value, Rejected)


def test_a_merchants_mail_server_may_not_be_inside_the_operators_network(mail_shop, post):
    for host in ("localhost", "127.0.0.1", "::1", "169.254.169.254"):
        with pytest.raises(Rejected, match="not on the public Internet"):
            send_to(mail_shop, post.port, host=host, allowed_networks=())
    with pytest.raises(Rejected, match="port 6379 of localhost is closed"):
        mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(), mail_shop.store(6379))
    with pytest.raises(Rejected, match="is not a host name"):
        send_to(mail_shop, post.port, host="local host\r\nEHLO x")
    assert post.handler.received == []


def operators_plugin(mail_shop, port, **changes):
    server = SmtpSettings(**{"address": "noreply@pay.example", "host": "127.0.0.1", "port": port, **changes})
    return mail_shop.build(smtp=server, allowed_networks=(), allowed_ports=frozenset())


def test_the_operators_own_mail_server_may_be_anywhere(mail_shop, post):
    plugin = operators_plugin(mail_shop, post.port, auth_mode="none")
    mail_shop.deliver(plugin, mail_shop.event(), mail_shop.store(host=""))
    receipt, report = post.handler.messages
    assert receipt["From"] == "Böck & Co <noreply@pay.example>"
    assert report["Message-ID"] == "<01EVENT.merchant@pay.example>"
    assert plugin.check_health() == []


def test_the_doctor_names_what_is_wrong_with_the_operators_mail_server(mail_shop, post):
    (problem,) = operators_plugin(mail_shop, post.port).check_health()
    assert problem.subject == "mail server 127.0.0.1"
    assert "STARTTLS extension not supported" in problem.message
    assert mail_shop.build().check_health() == []


def test_we_introduce_ourselves_by_the_name_buyers_know(mail_shop, scripted):
    heard = []

    def serve(connection):
        with connection.makefile("rb") as lines:
            connection.sendall(b"220 hi\r\n")
            heard.append(lines.readline())

    with pytest.raises(DeliveryError):
        send_to(mail_shop, scripted(serve))
    assert heard == [b"ehlo pay.example\r\n"]


def test_no_secret_is_shown():
    shown = repr(SmtpSettings(address="a@b.example", host="x", password="hush"))
    assert "hush" not in shown
