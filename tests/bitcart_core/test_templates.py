"""Merchants' texts: what they may say, and thirty ways in which a hostile one gets nowhere."""

import os
import resource
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import pytest

from bitcart_core import rendering, templates
from bitcart_core.db import transaction
from bitcart_core.errors import DeliveryError
from bitcart_core.hookspecs import Template
from bitcart_core.models import Store
from bitcart_core.testing.plugins import supplying

VALUES = {
    "invoice": {"id": "i_1", "price": Decimal("10.50"), "tx_hashes": ["tx-1", "tx-2"], "metadata": {"table": "7"}},
    "event": {"created_at": datetime(2026, 1, 1, 12, tzinfo=UTC), "reason": ""},
    "store": {"name": "Green Bean"},
}

TEXTS = {
    "plain words": "plain words",
    "{{ store.name }}: {{ invoice.price }}": "Green Bean: 10.50",
    "{{ invoice['id'] }}": "i_1",
    "{{ invoice.metadata.table }}": "7",
    "{% if event.reason %}because{% else %}just so{% endif %}": "just so",
    "{{ 'a' if invoice.id == 'i_1' and not event.reason else 'b' }}": "a",
    "{{ nothing.of.that.name }}": "",
    "{% for tx in invoice.tx_hashes %}{{ loop.index }}. {{ tx }}\n{% endfor %}": "1. tx-1\n2. tx-2\n",
    "{{ store.name|upper }}": "GREEN BEAN",
    "{{ event.created_at.strftime('%d.%m.%Y') }}": "01.01.2026",
    "{{ invoice.price * 2 }}": "21.00",
    "{{ '%.1f'|format(invoice.price) }}": "10.5",
    "{% set total = invoice.price + 1 %}{{ total }}": "11.50",
    "{{ invoice.tx_hashes|join(', ') }}": "tx-1, tx-2",
    "{# a remark #}a line\n  {% if true %}\nb line\n  {% endif %}\n": "a line\nb line\n",
}


@pytest.mark.parametrize(("source", "text"), TEXTS.items(), ids=[source[:40] for source in TEXTS])
def test_a_text_says_what_its_values_are(source, text):
    assert templates.render(source, VALUES) == text


class Word(StrEnum):
    PAID = "paid"


def test_a_value_of_ours_is_its_text_for_a_process_that_has_none_of_our_modules():
    assert (
        templates.render("{% for word in words %}{{ word }}{% endfor %}", {"words": (Word.PAID, {1: Word.PAID})})
        == "paid{'1': 'paid'}"
    )


HOSTILE = {
    # reaching out
    "the class": "{{ ''.__class__ }}",
    "the subclasses": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "by subscript": "{{ ''['__class__']['__mro__'] }}",
    "by attr": "{{ ''|attr('__class__')|attr('__mro__') }}",
    "by attr in hex": r"{{ ''|attr('\x5f\x5fclass\x5f\x5f')|attr('mro')() }}",
    "by map": "{{ ['']|map(attribute='__class__')|first|attr('mro')() }}",
    "by format": "{{ '{0.__class__.__mro__}'.format('') }}",
    "by format_map": "{{ '{a.__class__.__mro__}'.format_map({'a': ''}) }}",
    "by a borrowed format": "{% set f = '{0.__class__}'.format %}{{ f('')|attr('x')() }}",
    "globals of a global": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "globals of lipsum": "{{ lipsum.__globals__['os'].environ }}",
    "globals of a namespace": "{{ namespace.__init__.__globals__ }}",
    "the template itself": "{{ self._TemplateReference__context.environment }}",
    "the frame of a generator": "{% macro m() %}{% endmacro %}{{ m.__call__.__func__.__globals__ }}",
    "a file": "{% include '/etc/passwd' %}",
    "another template": "{% extends 'notification' %}",
    "an import": "{% import 'os' as os %}{{ os.environ }}",
    "changing a value": "{{ invoice.update({'price': 0}) }}",
    "changing a list": "{{ invoice.tx_hashes.append('tx-3') }}",
    # growing
    "a multiplied text": "{{ 'a' * 10**9 }}",
    "a multiplied list": "{{ [0] * 10**9 }}",
    "a wide number": "{{ '%01000000000d' % 1 }}",
    "a wide number by filter": "{{ '%01000000000d'|format(1) }}",
    "a wide number by method": "{{ '{:01000000000d}'.format(1) }}",
    "a wide text": "{{ 'a'.ljust(10**9) }}",
    "a wide text by filter": "{{ 'a'|center(10**9) }}",
    "a deep indent": "{{ 'a\nb'|indent(10**9) }}",
    "doubling": "{% set n = namespace(a='aaaaaaaa') %}{% for i in range(60) %}{% set n.a = n.a ~ n.a %}{% endfor %}{{ n.a }}",
    "doubling a list": "{% set n = namespace(a=[1]) %}{% for i in range(60) %}{% set n.a = [n.a, n.a] %}{% endfor %}{{ n.a }}",
    "replacing": "{% set a = 'a' * 1 %}{{ 'aaaaaaaa'.replace('a', 'a'.zfill(10**8)).replace('0', '00000000') }}",
    "a long way by output": "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaa' }}{% endfor %}",
    "lorem ipsum": "{{ lipsum(n=99999) }}",
    # turning
    "a loop in a loop": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "a range beyond all": "{% for i in range(10**9) %}{% endfor %}",
    "a macro that calls itself": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "a macro that calls itself twice": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(99) }}",
    "a loop that recurses": "{% for i in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "a huge power": "{{ 9 ** (9 ** 9) }}",
    "a huge power in steps": "{% set n = namespace(a=9) %}{% for i in range(99) %}{% set n.a = n.a * n.a %}{% endfor %}{{ n.a > 1 }}",
    "a sort of many": "{% for i in range(99999) %}{{ range(99999)|sort|first }}{% endfor %}",
    # broken
    "an endless expression": "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "a long sum": "{{ 1" + "+1" * 20000 + " }}",
    "ten thousand blocks": "{% if 1 %}" * 5000 + "{% endif %}" * 5000,
    "half a block": "{% if %}",
    "half an expression": "{{ invoice.",
    "an unknown filter": "{{ 1|explode }}",
    "an unknown tag": "{% explode %}",
    "a division by nothing": "{{ 1 / 0 }}",
    "a call of a word": "{{ 'a'() }}",
    "more than a text may be": "a" * 70_000,
}  # fmt: skip


@pytest.mark.timeout(30)
@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_ends_in_a_delivery_error_and_our_memory_stays_as_it_was(source):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DeliveryError) as refused:
        templates.render(source, VALUES, name="receipt")

    assert str(refused.value).startswith("template receipt")
    assert len(str(refused.value)) < 700
    assert "\\n" not in str(refused.value)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30 * 1024  # KiB


def test_no_text_changes_the_values_it_is_given():
    values = {"tags": ["a"], "invoice": {"price": 1}}
    for source in ("{{ tags.append('b') }}", "{{ tags.clear() }}", "{% set invoice = {} %}", "{{ invoice.clear() }}"):
        try:
            templates.render(source, values)
        except DeliveryError:
            continue

    assert values == {"tags": ["a"], "invoice": {"price": 1}}


def test_a_text_that_only_names_values_needs_no_process(monkeypatch):
    monkeypatch.setattr(templates.subprocess, "run", None)

    assert templates.render("{% if store %}{{ store.name }}{% endif %}", VALUES) == "Green Bean"


def test_the_process_of_a_text_knows_none_of_our_secrets(monkeypatch, tmp_path):
    monkeypatch.setenv("DATABASE_URL", "postgresql://:hunter2@/")
    spy = tmp_path / "spy.py"
    spy.write_text("import json, os, sys; sys.stdin.read; print(json.dumps({'text': json.dumps(dict(os.environ))}))")
    monkeypatch.setattr(templates, "_PROGRAM", str(spy))

    assert "hunter2" in os.environ["DATABASE_URL"]
    assert "hunter2" not in templates.render("{% for a in [] %}{% endfor %}", {})


def test_a_hostile_text_whose_process_is_killed_is_told_so(monkeypatch):
    monkeypatch.setattr(templates, "_SECONDS", 0.01)

    with pytest.raises(DeliveryError, match="template receipt takes too much time or memory; shorten it"):
        templates.render(HOSTILE["a loop in a loop"], {}, name="receipt")


def test_a_value_that_is_larger_than_any_text_may_be_is_cut_off_with_an_error():
    with pytest.raises(DeliveryError, match="writes more than 256 KiB; shorten it"):
        templates.render("{{ note }}", {"note": "a" * (rendering.MAX_OUTPUT + 1)})


@pytest.fixture
def shop(shop_with):
    receipt = Template(
        name="receipt", text="Thanks, {{ buyer }}{% for a in [1] %}!{% endfor %}", purpose="", variables={}
    )
    return shop_with(mailing=supplying(templates=[receipt]))


def test_a_store_has_its_own_text_or_else_the_built_in_one(shop):
    render = shop.kernel.registry.plugins["mailing"].plugin.context.render
    assert render("receipt", {"buyer": "Ann"}, store_id=shop.store.id) == "Thanks, Ann!"
    assert render("receipt", {"buyer": "Ann"}) == "Thanks, Ann!"
    assert render("receipt", {"buyer": "Ann"}, store_id="nobody's") == "Thanks, Ann!"

    with transaction(shop.kernel.engine) as session:
        session.get_one(Store, shop.store.id).templates = {"receipt": "Merci, {{ buyer }}"}
    assert render("receipt", {"buyer": "Ann"}, store_id=shop.store.id) == "Merci, Ann"
    assert render("receipt", {"buyer": "Ann"}) == "Thanks, Ann!"


def test_a_text_whose_plugin_is_not_loaded_is_named(shop):
    with pytest.raises(DeliveryError, match="there is no template 'farewell'; the plugin that brings it is not loaded"):
        templates.render_named(shop.kernel, "farewell", {})
