"""Signatures, judged by the reference library and the vectors of the Standard Webhooks specification."""

import base64
import time

import pytest
import time_machine
from bitcart_hook_webhook.signing import sign
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook as Reference
from standardwebhooks.webhooks import WebhookVerificationError

from bitcart_core import DeliveryError

NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()


def test_the_vector_of_the_specification():
    signature = sign(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(body=st.text(st.characters(exclude_categories=["Cs"])), key=st.binary(min_size=24, max_size=64))
def test_every_body_and_every_key_is_verified_by_the_reference_library(body, key):
    secret, now = "whsec_" + base64.b64encode(key).decode(), int(time.time())
    headers = {
        "webhook-id": "01EVENT",
        "webhook-timestamp": str(now),
        "webhook-signature": sign("01EVENT", now, body.encode(), secrets=[secret]),
    }
    Reference(secret).verify(body, headers, json_parse=False)


def received(request):
    return request.body, dict(request.headers.items())


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_while_a_secret_is_changed_receivers_with_either_verify(secret, receiver, shop):
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}, secrets=(NEW, OLD)))
    body, headers = received(receiver.requests[0])
    assert Reference(secret).verify(body, headers)["type"] == "invoice.completed"
    assert len(headers["webhook-signature"].split(" ")) == 2


def test_the_ipn_is_signed_as_well(receiver, shop):
    shop.deliver(shop.build(receiver), shop.event(notification_url=receiver.url), shop.store(secrets=(NEW,)))
    body, headers = received(receiver.requests[0])
    assert Reference(NEW).verify(body, headers) == {"id": "01INVOICE", "status": "complete"}


def test_a_changed_body_or_another_secret_does_not_verify(receiver, shop):
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}, secrets=(NEW,)))
    body, headers = received(receiver.requests[0])
    for secret, text in ((NEW, body.replace(b"complete", b"Complete")), (OLD, body)):
        with pytest.raises(WebhookVerificationError):
            Reference(secret).verify(text, headers)


def test_over_retries_the_id_and_the_body_stay_and_the_time_is_of_the_attempt(receiver, shop):
    plugin, there = shop.build(receiver), shop.store({"url": receiver.url}, secrets=(NEW,))
    with time_machine.travel("2026-11-23T12:00:00+00:00", tick=True):
        shop.deliver(plugin, shop.event(), there)
    with time_machine.travel("2026-11-24T12:00:00+00:00", tick=True):
        shop.deliver(plugin, shop.event(), there)
        body, headers = received(receiver.requests[1])
        Reference(NEW).verify(body, headers)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "01EVENT"
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"]) == 24 * 60 * 60


def test_without_a_secret_nothing_is_sent(receiver, shop):
    with pytest.raises(DeliveryError, match="nothing is sent unsigned"):
        shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}, secrets=()))
    with pytest.raises(DeliveryError, match="nothing is sent unsigned"):
        shop.deliver(shop.build(receiver), shop.event(notification_url=receiver.url), shop.store(secrets=()))
    assert receiver.connections == 0


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        base64.b64encode(b"k" * 32).decode(),
        "whsec_not base64 at all, really not",
        "whsek_" + base64.b64encode(b"k" * 32).decode(),
    ],
)
def test_a_broken_secret_is_never_signed_with(secret):
    with pytest.raises(DeliveryError, match="signing secret of the store is broken"):
        sign("id", 1, b"{}", secrets=[NEW, secret])
