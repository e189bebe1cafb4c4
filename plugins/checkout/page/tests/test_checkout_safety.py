"""Strangers' words stay words, strangers' links stay harmless, and what cannot be shown is said without any detail."""

import re

import pytest
from bitcart_checkout_page import PageSettings
from starlette.responses import JSONResponse, PlainTextResponse

ID = "01KAR3S7T4W1Q7Y7M2S1V5K0QX"
ATTACK = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'"
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def test_hostile_words_are_shown_as_words(checkout, make_method, scene):
    checkout.play(scene, product_names={ATTACK: ATTACK}, product_quantities={ATTACK: 1}, tx_hashes=[ATTACK])
    for payment in checkout.invoice["payments"]:
        payment.update(name=ATTACK, hint=ATTACK, network=ATTACK, currency=ATTACK, contract=ATTACK)
    checkout.store["name"] = ATTACK

    page = checkout.open()

    assert page.status == 200
    assert "<script" not in page.html
    assert "<img" not in page.html
    assert "{{7*7}}" in page.text
    assert ATTACK in page.tab


def test_a_hostile_address_and_a_hostile_symbol_are_shown_as_words(checkout, make_method):
    payment = make_method(payment_address=ATTACK, payment_url=f"bitcoin:{ATTACK}", symbol=ATTACK, explorer_url=ATTACK)

    page = checkout.play("pending", payments=[payment]).open()

    assert page.status == 200
    assert "<script" not in page.html.replace(page.html.partition("<svg")[0], "")
    assert "Open in wallet" not in page.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt://shop.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/",
        "https://shop.example@evil.example/",
        "https://shop.example\\@evil.example/",
        " https://shop.example/",
        "https:///shop.example",
        "ftp://shop.example/",
        "shop.example",
        '"><script>alert(1)</script>',
    ],
)
def test_a_way_back_that_is_no_plain_web_address_is_not_offered(checkout, url):
    page = checkout.play("complete", redirect_url=url).open()

    assert page.actions == []
    assert "alert(1)" not in page.html


def test_a_way_back_cannot_leave_its_attribute(checkout):
    page = checkout.play("complete", redirect_url='https://shop.example/a"b?c="d#e"f').open()

    assert page.links["Back to Green Bean Cafe shop.example"] == "https://shop.example/a%22b?c=%22d#e%22f"


@pytest.mark.parametrize(
    "support", ["javascript:alert(1)", "a@b.example?bcc=all@evil.example", "help@localhost", 7, None]
)
def test_a_contact_that_is_neither_mail_nor_web_is_not_offered(checkout, support):
    checkout.play("cancelled", redirect_url="").store["metadata"] = {"support": support}

    page = checkout.open()

    assert page.actions == []
    assert "evil.example" not in page.html


def test_a_contact_may_be_a_page(checkout):
    checkout.play("cancelled").store["metadata"] = {"support": "https://shop.example/help"}

    assert checkout.open().links["Contact the store"] == "https://shop.example/help"


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "https://evil.example/", "bitcoin: x", "", "bc1qar0srrr7xfkvy5"]
)
def test_only_a_wallets_scheme_opens_a_wallet(checkout, make_method, uri):
    page = checkout.play("pending", payments=[make_method(payment_url=uri)]).open()

    assert page.status == 200
    assert "Open in wallet" not in page.text
    assert uri not in page.links.values() or uri == ""


def test_an_operator_may_name_other_wallet_schemes(checkout, make_method):
    checkout.settings = PageSettings(wallet_schemes=frozenset({"newcoin"}))

    page = checkout.play("pending", payments=[make_method(payment_url="newcoin:abc?amount=0.00068312")]).open()

    assert page.links["Open in wallet"] == "newcoin:abc?amount=0.00068312"


def test_nothing_of_buyer_or_owner_that_the_page_does_not_need_leaves_the_api(checkout, scene):
    checkout.play(scene)

    page = checkout.open()

    for secret in ("buyer@home.example", "Private Road", "secret-ipn", "user-1", "gift", "wallet_id", "w1"):
        assert secret not in page.html.partition("<svg")[0]
        assert secret not in page.text


@pytest.mark.parametrize("path", [f"/i/{ID}", "/i/unknown", "/i/", "/i/a/b/c", "/i/static/none.css"])
def test_every_answer_is_locked_down(checkout, path):
    answer = checkout.open(path)

    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in answer.headers


def test_no_page_needs_what_its_policy_forbids(checkout, scene):
    html = checkout.play(scene).open().html

    assert " style=" not in html
    assert "<style" not in html
    assert "<script" not in html
    assert not re.search(r"<[^>]*\son\w+=", html)


def test_a_page_is_never_kept_and_its_styles_are_kept_for_good(checkout):
    page = checkout.open()
    (href,) = [part.split('"')[0] for part in page.html.split('rel="stylesheet" href="')[1:]]

    styles = checkout.open(f"/i/{href}")

    assert page.headers["cache-control"] == "no-store"
    assert styles.headers["content-type"] == "text/css; charset=utf-8"
    assert styles.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_styles_of_another_release_are_served_and_not_kept(checkout):
    styles = checkout.open("/i/static/checkout-0000000000000000.css")

    assert (styles.status, styles.headers["cache-control"]) == (200, "no-cache")


def test_the_styles_name_no_other_host(checkout):
    styles = checkout.open("/i/static/checkout-0000000000000000.css").html

    assert "//" not in styles
    assert "url(" not in styles
    assert "@import" not in styles


@pytest.mark.parametrize("path", ["/i/unknown", "/i/", "/i/a/b", "/i/%3Cscript%3E", "/i/" + "a" * 300])
def test_an_unknown_invoice_is_said_kindly_and_names_no_store(checkout, path):
    page = checkout.open(path)

    assert (page.status, page.title) == (404, "Invoice not found")
    assert (
        "The link may be incomplete or the invoice was removed. Please open the link again from the shop." in page.text
    )
    assert "Green Bean" not in page.html
    assert page.actions == []


@pytest.mark.parametrize("invoice_id", ["..", "..%2Fstores%2Fstore-1", "%2e%2e%2fusers", "a%3Fb", "a%20b", "é"])
def test_an_id_never_leads_to_another_part_of_the_api(checkout, invoice_id):
    page = checkout.open(f"/i/{invoice_id}")

    assert page.status == 404
    assert checkout.asked == []


def test_only_reading_is_possible(checkout):
    assert checkout.open(verb="POST").status == 405


@pytest.mark.parametrize("status", [500, 502, 503])
def test_an_api_that_fails_is_not_the_buyers_fault(checkout, status):
    checkout.api_answer = JSONResponse({"detail": "secret traceback"}, status_code=status)

    page = checkout.open(f"/i/{ID}?method=method-2")

    assert (page.status, page.title) == (503, "We cannot load this invoice right now")
    assert "Please try again in a minute. If you already paid, do not pay twice." in page.text
    assert page.actions == ["Try again"]
    assert page.links["Try again"] == ""
    assert page.headers["retry-after"] == "30"
    assert "traceback" not in page.html


def test_an_api_that_hangs_is_given_up(checkout):
    checkout.settings = PageSettings(timeout_seconds=0.05)
    checkout.is_hanging = True

    assert checkout.open().status == 503


def test_an_api_that_crashes_is_reported_as_down(checkout):
    checkout.invoice = {}  # the stub looks for its id and fails

    assert checkout.open().status == 503


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("<h1>It works!</h1>"),
        JSONResponse([]),
        JSONResponse({"id": ID}),
    ],
)
def test_an_api_that_speaks_nonsense_is_a_bad_gateway(checkout, answer):
    checkout.api_answer = answer

    page = checkout.open()

    assert (page.status, page.title) == (502, "We cannot load this invoice right now")


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "teleported"},
        {"price": "NaN"},
        {"price": "-1"},
        {"created": "2026-11-23T14:05:20"},
        {"store_id": "../users/me"},
    ],
)
def test_an_invoice_that_makes_no_sense_is_not_shown(checkout, broken):
    assert checkout.play("pending", **broken).open().status == 502


def test_too_many_tries_are_told_when_to_come_back(checkout):
    checkout.api_answer = JSONResponse({}, status_code=429, headers={"retry-after": "12"})

    page = checkout.open()

    assert (page.status, page.title) == (429, "Please wait a moment")
    assert "You can try again in 12 seconds." in page.text
    assert page.headers["retry-after"] == "12"


def test_a_fault_of_ours_gives_the_buyer_a_code_and_the_operator_the_error(checkout, make_method, caplog):
    endless = "bitcoin:" + "a" * 5000  # no QR code can hold it
    checkout.play("pending", payments=[make_method(payment_url=endless)])

    page = checkout.open()

    assert (page.status, page.title) == (500, "Something went wrong on our side")
    (code,) = [record.args[1] for record in caplog.records if record.name == "bitcart_checkout_page.app"]
    assert f"If you already paid, do not pay twice. Code {code}." in page.text
    assert page.headers["content-security-policy"] == CSP


def test_a_page_without_an_api_tells_the_operator_what_is_missing(checkout, caplog):
    checkout.is_mounted = False

    assert checkout.open().status == 503
    assert "is not mounted on a REST API and [page] has no api_url" in caplog.text
