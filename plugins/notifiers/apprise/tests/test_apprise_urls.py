"""Which URLs a merchant may save, and what is taken out of them."""

import importlib

import pytest
from bitcart_notifier_apprise.child import _plugin_classes
from bitcart_notifier_apprise.schemas import HOSTED, MODULES, SELF_HOSTED, allowed_schemas
from bitcart_notifier_apprise.urls import parse_service_url, secrets_of
from pydantic import ValidationError

from bitcart_core import InputError, Rejected

ALLOWED = allowed_schemas(())

LOCAL_OR_GENERIC = [
    "syslog://", "rsyslog://127.0.0.1", "dbus://", "qt://", "kde://", "glib://", "gio://", "gnome://", "macosx://",
    "windows://", "json://shop.example", "jsons://shop.example", "xml://shop.example", "xmls://shop.example",
    "form://shop.example", "forms://shop.example", "apprise://shop.example/token", "apprises://shop.example/token",
    "mailto://u:p@gmail.com", "mailtos://u:p@gmail.com", "irc://irc.example/room", "mqtt://broker.example/topic",
    "amqp://broker.example/queue", "xmpp://u:p@x.example", "growl://x.example", "kodi://x.example", "blink1://",
    "fcm://project@apikey/device?keyfile=/etc/passwd", "vapid://me@x.example/you@x.example", "aprs://u:p@call",
    "nostr://key", "smpp://u:p@x.example/from/to", "file:///etc/passwd", "http://shop.example",
    "https://hooks.slack.com/services/T/B/C", "ftp://x.example", "javascript:alert(1)",
]  # fmt: skip


@pytest.mark.parametrize("url", LOCAL_OR_GENERIC)
def test_services_of_this_machine_and_generic_ones_are_not_available(url, build):
    with pytest.raises(ValidationError):
        build(extra_schemas=()).target_model.model_validate({"url": url})
    with pytest.raises(InputError):
        parse_service_url(url, allowed=ALLOWED)


@pytest.mark.parametrize(
    "url", ["", "slack", "://x", "slack://", "sl ack://x", "slack://x\r\ny", "slack://" + "x" * 5000]
)
def test_what_is_no_apprise_url_is_refused(url):
    with pytest.raises(InputError, match="this is no Apprise URL"):
        parse_service_url(url, allowed=ALLOWED)


@pytest.mark.parametrize(
    "url",
    [
        "tgram://123456789:abcdefg_hijklmnop/12315544/",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js?avatar=no",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "NTFYS://ntfy.sh/topic",
        "  gotifys://gotify.example/token  ",
    ],
)
def test_the_usual_services_are_available(url, build):
    target = build().target_model.model_validate({"url": url})
    assert target.url.get_secret_value() == url


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("?priority=high&tags=a,b", "?priority=high&tags=a,b"),
        ("?rto=60&cto=60&verify=no", ""),
        ("?RTO=60&priority=high", "?priority=high"),
        ("?%72to=60", ""),
        ("?r%74o=60&to=a%26b", "?to=a%26b"),
        ("?a=1;rto=60;b=2", "?a=1&b=2"),
        ("?rto", ""),
        ("? rto =60", ""),
        ("?+rto=60", ""),
        ("?attach=file:///etc/passwd&attach=http://127.0.0.1/", ""),
        ("?template=/etc/passwd&keyfile=/etc/shadow", ""),
        ("?+Authorization=x&-a=b&:c=d&%2BX=y&%3Ac=d&%2Da=b", ""),
        ("?&&;", ""),
        ("?a=b?rto=60", "?a=b?rto=60"),
    ],
)
def test_options_that_reach_beyond_a_message_are_taken_away(query, kept):
    assert parse_service_url(f"ntfys://ntfy.sh/topic{query}", allowed=ALLOWED).text == f"ntfys://ntfy.sh/topic{kept}"


def test_a_target_that_was_saved_when_more_was_allowed_is_given_up(receiver, build, send):
    target = build(receiver).target_model.model_validate({"url": f"json://{receiver.place}/"})
    with pytest.raises(Rejected, match="the service 'json' is not available here"):
        build(receiver, extra_schemas=()).send(target, None)
    assert receiver.requests == []


def test_a_url_is_never_shown(build):
    target = build().target_model.model_validate({"url": "ntfys://ntfy.sh/hush"})
    assert "hush" not in repr(target)
    assert "hush" not in repr(parse_service_url("ntfys://ntfy.sh/hush", allowed=ALLOWED))
    with pytest.raises(ValidationError) as caught:
        build(extra_schemas=()).target_model.model_validate({"url": "json://x.example/hush"})
    assert "hush" not in caught.value.errors()[0]["msg"]


def test_every_part_that_may_be_a_token_is_found():
    found = secrets_of("user:pass-word@host.example/tok%65n-1/ab?to=channel")
    assert found[0] == "host.example"
    assert {"pass-word", "tok%65n-1", "token-1", "channel"} <= set(found)
    assert "ab" not in found


@pytest.mark.parametrize("module", sorted({**HOSTED, **SELF_HOSTED}))
def test_apprise_knows_every_service_of_the_list(module):
    service = importlib.import_module(f"apprise.plugins.{module}")
    for schema in {**HOSTED, **SELF_HOSTED}[module]:
        assert MODULES[schema] == module
        assert len(list(_plugin_classes(service, schema))) == 1
