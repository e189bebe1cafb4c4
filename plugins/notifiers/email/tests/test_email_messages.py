"""Who is written to, and what they read."""

import pytest
from bitcart_notifier_email import EmailPluginSettings, SmtpSettings
from pydantic import ValidationError

from bitcart_core import DeliveryError, Rejected

FALLBACK = SmtpSettings(address="noreply@pay.example", host="mail.pay.example")


def read(message):
    return message.get_content().replace("\r\n", "\n")


def test_buyer_and_merchant_hear_that_an_invoice_is_complete(mail_shop, post):
    plugin = mail_shop.build(post.port)
    outcomes = mail_shop.deliver(plugin, mail_shop.event(), mail_shop.store(post.port))
    receipt, report = post.handler.messages
    assert post.handler.recipients == ["buyer@home.example", "merchant@shop.example"]
    assert receipt["Subject"] == "Your payment to Böck & Co"
    assert report["Subject"] == "Böck & Co: 5.00 EUR received"
    assert [outcome.summary for outcome in outcomes] == [
        "localhost took the message to the buyer",
        "localhost took the message to the merchant",
    ]


def test_a_receipt_reads_well(mail_shop, post):
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(), mail_shop.store(post.port, merchant_email=""))
    (receipt,) = post.handler.messages
    assert receipt["From"] == "Böck & Co <sales@shop.example>"
    assert receipt["To"] == "buyer@home.example"
    assert receipt["Auto-Submitted"] == "auto-generated"
    assert receipt["Date"] == "Mon, 23 Nov 2026 12:00:00 +0000"
    assert receipt.get_content_type() == "text/plain"
    assert read(receipt).splitlines() == [
        "Thank you! Böck & Co has received your payment of 5.00 EUR.",
        "",
        "Invoice: 01INVOICE",
        "Order:   A-7",
        "Paid:    0.001 BTC",
        "Payment: " + "ab" * 32,
    ]


@pytest.mark.parametrize(
    ("kind", "subject", "sentence"),
    [
        ("invoice_completed", "Böck & Co: 5.00 EUR received", "deliver the goods"),
        ("invoice_expired", "Böck & Co: invoice 01INVOICE expired with money on it", "accept or refund it"),
        ("invoice_stepped_down", "Böck & Co: look at invoice 01INVOICE before you deliver", "a block was orphaned"),
        ("payment_received", "Böck & Co: late payment for invoice 01INVOICE", "after the time was over"),
    ],
)
def test_a_merchant_reads_what_happened_and_what_to_do(kind, subject, sentence, mail_shop, post):
    event = mail_shop.event(kind, is_late=True, buyer_email="", exception_status="paid_late", order_id="")
    mail_shop.deliver(mail_shop.build(post.port), event, mail_shop.store(post.port))
    (report,) = post.handler.messages
    assert report["Subject"] == subject
    assert sentence in read(report)
    assert read(report).splitlines()[-4:] == [
        "Invoice: 01INVOICE",
        "Price:   5.00 EUR",
        "Status:  complete (paid_late)",
        f"Payment: 0.001 BTC, 1 confirmations, {'ab' * 32}, late",
    ]


def test_a_late_payment_and_money_on_an_expired_invoice_concern_the_merchant(mail_shop):
    event = mail_shop.event
    assert mail_shop.targets(event("payment_received", is_late=True)) == ["merchant"]
    assert mail_shop.targets(event("payment_received")) == []
    assert mail_shop.targets(event("invoice_expired")) == ["merchant"]
    assert mail_shop.targets(event("invoice_expired", sent_amount=0, payments=())) == []
    assert mail_shop.targets(event("invoice_stepped_down")) == ["merchant"]


@pytest.mark.parametrize("kind", ["invoice_created", "invoice_paid", "invoice_confirmed", "invoice_refunded"])
def test_nobody_is_bothered_with_anything_else(kind, mail_shop):
    assert mail_shop.targets(mail_shop.event(kind)) == []


def test_without_an_address_there_is_nobody_to_write_to(mail_shop):
    assert mail_shop.targets(mail_shop.event(buyer_email=""), mail_shop.store(merchant_email="")) == []


def test_a_merchant_may_turn_either_mail_off(mail_shop):
    store = mail_shop.store(settings={"is_receipt_sent": False})
    assert mail_shop.targets(mail_shop.event(), store) == ["merchant"]
    store = mail_shop.store(settings={"is_merchant_told": False})
    assert mail_shop.targets(mail_shop.event(), store) == ["buyer"]
    with pytest.raises(DeliveryError, match="e-mail settings of store 01STORE are broken"):
        mail_shop.targets(mail_shop.event(), mail_shop.store(settings={"is_merchant_told": "perhaps"}))


def test_without_a_mail_server_nothing_is_sent_unless_the_operator_has_one(mail_shop):
    store = mail_shop.store(host="")
    assert mail_shop.targets(mail_shop.event(), store) == []
    assert mail_shop.targets(mail_shop.event(), store, smtp=FALLBACK) == ["buyer", "merchant"]


def test_a_mail_server_that_was_removed_meanwhile_is_given_up(mail_shop, post):
    plugin = mail_shop.build(post.port)
    (target, _) = plugin.delivery_targets(mail_shop.event(), mail_shop.store(post.port))
    with pytest.raises(Rejected, match="has no mail server any more"):
        plugin.invoice_completed(mail_shop.event(), mail_shop.store(host=""), target)


def test_over_retries_the_message_is_the_same_to_the_byte(mail_shop, post):
    plugin, store = mail_shop.build(post.port), mail_shop.store(post.port)
    for _ in range(2):
        mail_shop.deliver(plugin, mail_shop.event(), store)
    first, report, again, _ = post.handler.received
    assert first == again
    assert b"Message-ID: <01EVENT.buyer@shop.example>\r\n" in first[2]
    assert b"Message-ID: <01EVENT.merchant@shop.example>\r\n" in report[2]


def test_a_stores_own_text_is_used_and_its_first_line_is_the_subject(mail_shop, post):
    mail_shop.context.texts["receipt"] = "\n\nDanke, {{ invoice.order_id }}\n\nSchön, {{ store.name }}!\n"
    store = mail_shop.store(post.port, merchant_email="")
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(), store)
    (receipt,) = post.handler.messages
    assert receipt["Subject"] == "Danke, A-7"
    assert read(receipt) == "Schön, Böck & Co!\n"


NASTY = "x\r\nBcc: victim@x.example\r\n\r\nbody"


def test_nothing_that_was_typed_can_add_a_header_or_a_recipient(mail_shop, post):
    mail_shop.context.texts["receipt"] = "{{ invoice.order_id }} {{ store.name }}\n\ntext"
    store = mail_shop.store(post.port, name=f'Shop\r\nBcc: victim@x.example, "<a@b>" \x00{NASTY}', merchant_email="")
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(order_id=NASTY), store)
    ((_, recipients, _),) = post.handler.received
    (receipt,) = post.handler.messages
    assert recipients == ["buyer@home.example"]
    assert receipt["Bcc"] is None
    assert sorted(receipt.keys()) == sorted(
        ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Type", "MIME-Version"]
        + ["Content-Transfer-Encoding"]
    )
    assert [address.addr_spec for address in receipt["From"].addresses] == ["sales@shop.example"]
    assert read(receipt).endswith("text\n")


@pytest.mark.parametrize(
    "address",
    [
        "buyer@home.example\r\nBcc: victim@x.example",
        "buyer@home.example\nRCPT TO:<victim@x.example>",
        "buyer@home.example, victim@x.example",
        "buyer@home.example;victim@x.example",
        "buyer@home.example victim@x.example",
        "<buyer@home.example> <victim@x.example>",
        "group: a@x.example, b@x.example;",
        "buyer", "@home.example", "buyer@", "buyer@@home.example", "a@b@home.example", "buyer@home..example",
        "buyer@home.example\x00", "buyer@" + "a" * 64 + ".example", "buyer@[127.0.0.1", " ", "=?utf-8?q?a?=@x y",
    ],
)  # fmt: skip
def test_what_is_not_one_address_is_given_up_and_never_sent_to(address, mail_shop, post):
    plugin, store = mail_shop.build(post.port), mail_shop.store(post.port, merchant_email="")
    with pytest.raises(Rejected, match="is not an e-mail address"):
        mail_shop.deliver(plugin, mail_shop.event(buyer_email=address), store)
    assert post.handler.received == []


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ("buyer@bücher.example", "buyer@xn--bcher-kva.example"),
        ("jürgen@home.example", "jürgen@home.example"),
        ("Ann Buyer <ann@home.example>", "ann@home.example"),
        ("a.b+c_d'e@home.example", "a.b+c_d'e@home.example"),
        (" buyer@home.example ", "buyer@home.example"),
    ],
)
def test_unusual_addresses_are_reached(address, recipient, mail_shop, post):
    store = mail_shop.store(post.port, merchant_email="")
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(buyer_email=address), store)
    assert post.handler.recipients == [recipient]


def test_any_text_can_be_sent(mail_shop, post):
    mail_shop.context.texts["receipt"] = "Подписка \ud800 ☂\n\n{{ invoice.order_id }}\n.\n.hidden\n" + "long " * 500
    store = mail_shop.store(post.port, merchant_email="")
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(order_id="a\x00\x1bb\ud800"), store)
    (receipt,) = post.handler.messages
    assert receipt["Subject"] == "Подписка ? ☂"
    assert read(receipt).startswith("ab?\n.\n.hidden\nlong long")


def test_a_subject_without_end_is_cut(mail_shop, post):
    mail_shop.context.texts["receipt"] = "x" * 5000
    store = mail_shop.store(post.port, merchant_email="")
    mail_shop.deliver(mail_shop.build(post.port), mail_shop.event(), store)
    (receipt,) = post.handler.messages
    assert receipt["Subject"] == "x" * 200


def test_templates_say_what_they_are_for_and_what_they_may_use(mail_shop):
    templates = mail_shop.build().register_templates()
    assert [template.name for template in templates] == ["receipt", "merchant_invoice"]
    assert all({"event", "invoice", "store"} == set(template.variables) for template in templates)


@pytest.mark.parametrize(
    "settings",
    [
        {"smtp": {"host": "mail.example"}},
        {"smtp": {"address": "a@b.example", "host": "mail.example", "auth_mode": "tls"}},
        {"smtp": {"address": "a@b.example", "host": "mail.example", "port": 0}},
        {"smtp": {"address": "a@b.example", "host": "mail.example", "pass": "x"}},
        {"server": "mail.example"},
    ],
)
def test_an_operators_mistake_stops_the_boot(settings):
    with pytest.raises(ValidationError):
        EmailPluginSettings.model_validate(settings)
