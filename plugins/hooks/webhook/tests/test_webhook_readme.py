"""The Python receiver in the README is run against what the plugin really sends."""

import re
from pathlib import Path

import pytest
from bitcart_hook_webhook.settings import EVENT_TYPES

README = (Path(__file__).parents[1] / "README.md").read_text()
SECRET = "whsec_" + "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="


@pytest.fixture
def snippet():
    names = {}
    exec(re.search(r"```python\n(.*?)```", README, re.DOTALL)[1], names)  # noqa: S102 - our own README
    return names


@pytest.fixture
def request_received(receiver, shop):
    shop.deliver(shop.build(receiver), shop.event(), shop.store({"url": receiver.url}, secrets=(SECRET,)))
    return receiver.requests[0]


def test_the_receiver_takes_what_is_sent(snippet, request_received):
    message = snippet["verify"](SECRET, request_received.headers, request_received.body)
    assert message["data"]["id"] == "01INVOICE"


def test_the_receiver_refuses_an_empty_secret_an_old_message_and_a_changed_body(snippet, request_received):
    verify, headers, body = snippet["verify"], request_received.headers, request_received.body
    for secret in ("", "whsec_"):
        with pytest.raises(ValueError, match="let anybody in"):
            verify(secret, headers, body)
    with pytest.raises(ValueError, match="does not fit"):
        verify(SECRET, headers, body + b" ")
    with pytest.raises(ValueError, match="too old"):
        verify(SECRET, headers, body, tolerance_seconds=-1)


def test_the_receiver_asks_for_the_invoice_itself(snippet, receiver, request_received, monkeypatch):
    asked = []

    class Answer:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def read(self):
            return b'{"status": "complete"}'

    def answer(request, timeout):
        asked.append((request.full_url, request.get_header("Authorization")))
        return Answer()

    monkeypatch.setattr("urllib.request.urlopen", answer)
    assert snippet["fetch_invoice"]("https://api", "T", {"data": {"id": "01A"}}) == {"status": "complete"}
    assert snippet["fetch_invoice"]("https://api", "T", {"id": "01B"}) == {"status": "complete"}
    assert asked == [("https://api/invoices/01A", "Bearer T"), ("https://api/invoices/01B", "Bearer T")]


def test_every_event_type_is_named_in_the_readme():

    assert [name for name in EVENT_TYPES if f"`{name}`" not in README] == []
