"""What a buyer is told in every state: title, sentence, buttons; and which of them may ask for money."""

from datetime import UTC, datetime, timedelta

import pytest

BACK = "Back to Green Bean Cafe"
CONTACT = "Contact the store"
WAIT = ["Check for payment", "Reload every 20 seconds"]
ID = "01KAR3S7T4W1Q7Y7M2S1V5K0QX"

COPY = {
    "pending": (
        "Waiting for payment",
        "Send exactly 0.00068312 BTC to this address. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "two_methods": (
        "Waiting for payment",
        "Send exactly 0.00068312 BTC to this address. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "choose": ("Choose how to pay", "€42.00 to Green Bean Cafe. The price is fixed until {time}.", []),
    "lightning": (
        "Waiting for payment",
        "Send exactly 0.00068312 BTC to this address. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "test_mode": (
        "Waiting for payment",
        "Send exactly 0.00068312 BTC to this address. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "any_amount": (
        "Send any amount",
        "Send as much BTC as you like to this address. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "last_minutes": (
        "Waiting for payment",
        "4:07 left at this price. If you already sent it, you need to do nothing. Pay before {time}.",
        ["Open in wallet", *WAIT],
    ),
    "checking": ("Checking for your payment", "One moment, we are asking the network.", WAIT),
    "partly_paid": (
        "Part of the payment arrived",
        (
            "We received 0.00030000 BTC. Please send the remaining 0.00038312 BTC before {time}."
            " The code below now asks for the rest only."
        ),
        ["Open in wallet", *WAIT],
    ),
    "seen": (
        "Payment found",
        "Your payment of 0.00068312 BTC is on its way. The network must confirm it first. You may close this page.",
        ["View transaction", BACK, *WAIT],
    ),
    "confirming": (
        "Confirming: 2 of 6",
        "Your payment is being confirmed. You may close this page.",
        ["View transaction", BACK, *WAIT],
    ),
    "complete": ("Payment complete", "Thank you. Green Bean Cafe received €42.00.", [BACK]),
    "overpaid": (
        "Payment complete",
        "You sent 0.00031688 BTC more than needed. The store can send the difference back.",
        ["Ask for a refund", BACK],
    ),
    "expired": (
        "This invoice has expired",
        (
            "No payment arrived before {time}. Please do not send money to the old address."
            " Already sent it? We still watch for it and will tell the store."
        ),
        [BACK, CONTACT],
    ),
    "expired_partly": (
        "Expired with part of the payment",
        (
            "We received 0.00030000 of 0.00068312 BTC. The store can accept the rest or refund you."
            f" Please mention invoice {ID}."
        ),
        [CONTACT],
    ),
    "paid_late": (
        "Payment arrived late",
        (
            "It came after the time limit. Green Bean Cafe has been told and will accept it or refund you."
            f" Please mention invoice {ID}."
        ),
        [CONTACT],
    ),
    "unconfirmed": (
        "Payment was not confirmed",
        (
            "The network dropped or replaced your transaction. It did not reach the store."
            " Please check your wallet before you pay again."
        ),
        [CONTACT],
    ),
    "cancelled": (
        "This invoice was cancelled",
        "Green Bean Cafe cancelled this invoice. Please do not pay it.",
        [CONTACT],
    ),
    "refunded": ("Payment refunded", "Green Bean Cafe sent your payment back.", [CONTACT]),
    "no_method": (
        "No payment method is available",
        "Your order is safe and nothing was charged. Please try again in a few minutes.",
        ["Try again", CONTACT],
    ),
}
PAYABLE = {"pending", "two_methods", "lightning", "test_mode", "any_amount", "last_minutes", "partly_paid"}
BAD = {"expired", "expired_partly", "paid_late", "unconfirmed", "cancelled", "no_method"}


def test_every_state_says_what_happened_what_it_means_and_what_to_do_now(checkout, scene):
    title, sentence, actions = COPY[scene]

    page = checkout.play(scene).open()

    assert page.status == 200
    assert page.title == title
    assert page.says == sentence.format(time=checkout.expires)
    assert page.actions == actions


def test_only_payable_states_show_a_code_an_address_or_a_way_into_a_wallet(checkout, scene):
    page = checkout.play(scene).open()

    shown = ['class="qr' in page.html, 'class="address"' in page.html, "Open in wallet" in page.text]
    assert shown == [scene in PAYABLE] * 3


@pytest.mark.parametrize("scene", sorted(BAD))
def test_every_bad_state_offers_a_way_to_the_store_and_names_the_invoice(checkout, scene):
    page = checkout.play(scene).open()

    assert page.links["Contact the store"] == f"mailto:help@greenbean.example?subject=Invoice%20{ID}"
    assert ID in page.text


@pytest.mark.parametrize("scene", sorted(BAD))
def test_a_store_that_gave_no_contact_leaves_no_dead_button(checkout, scene):
    checkout.play(scene, redirect_url="").store["metadata"] = {}

    page = checkout.open()

    assert page.actions in ([], ["Try again"])
    assert f"Ask Green Bean Cafe and mention invoice {ID}." in page.text


def test_a_late_buyer_is_led_back_to_the_shop_where_there_is_no_other_contact(checkout):
    checkout.play("paid_late").store["metadata"] = {}

    assert checkout.open().actions == [BACK]


def test_the_way_back_names_the_host_it_leads_to(checkout):
    page = checkout.play("complete").open()

    assert page.links["Back to Green Bean Cafe shop.example"] == "https://shop.example/thanks?order=7"


def test_the_tab_tells_the_status_and_the_store(checkout):
    assert checkout.play("complete").open().tab == "(Complete) Green Bean Cafe"
    assert checkout.play("confirming").open().tab == "(Confirming 2/6) Green Bean Cafe"
    assert checkout.play("expired_partly").open().tab == "(Expired, partly paid) Green Bean Cafe"


def test_a_few_methods_stand_beside_each_other_and_the_first_is_chosen(checkout):
    page = checkout.play("two_methods").open()

    assert page.links["BTC"] == "?method=method-1"
    assert page.links["LTC"] == "?method=method-2"
    assert "bitcoin:bc1q" in page.links["Open in wallet"]


def test_the_other_method_is_one_link_away(checkout):
    checkout.play("two_methods")

    page = checkout.open(f"/i/{ID}?method=method-2")

    assert page.says.startswith("Send exactly 0.41200000 LTC to this address.")
    assert page.links["Open in wallet"].startswith("litecoin:ltc1q")
    assert page.links["Check for payment"] == "?method=method-2"


def test_many_methods_are_a_list_of_name_network_and_amount(checkout):
    page = checkout.play("choose").open()

    assert page.links["BTC Main network 0.00068312 BTC"] == "?method=method-1"
    assert page.links["BTC Lightning Lightning network 0.00068312 BTC"] == "?method=method-3"
    assert page.links["XMR Main network 0.210000000000 XMR"] == "?method=method-4"


def test_a_buyer_of_many_methods_may_choose_again(checkout):
    checkout.play("choose")

    chosen = checkout.open(f"/i/{ID}?method=method-2")
    again = checkout.open(f"/i/{ID}{chosen.links['Choose another method']}")

    assert chosen.title == "Waiting for payment"
    assert again.title == "Choose how to pay"


def test_a_method_of_another_invoice_is_no_method(checkout):
    checkout.play("choose")

    assert checkout.open(f"/i/{ID}?method=method-9").title == "Choose how to pay"


def test_who_paid_a_part_goes_on_with_the_coin_they_began_with(checkout, make_method):
    begun = make_method(id="method-2", name="LTC", symbol="ltc", received="0.00010000", due="0.00058312")
    others = [make_method(id=f"method-{number}", due="0.00058312") for number in (1, 3, 4)]
    checkout.play("pending", exception_status="paid_partial", payments=[*others, begun], payment_id="method-2")

    page = checkout.open()

    assert page.title == "Part of the payment arrived"
    assert "We received 0.00010000 LTC. Please send the remaining 0.00058312 LTC" in page.says


def test_what_arrived_in_two_coins_is_named_in_both(checkout, make_method):
    payments = [
        make_method(received="0.00030000", due="0.00010000"),
        make_method(id="method-2", symbol="ltc", amount="0.41200000", received="0.10000000", due="0.06031151"),
    ]
    checkout.play("expired_partly", payments=payments)

    assert "We received 0.00030000 BTC and 0.10000000 LTC. The store can" in checkout.open().says


def test_the_rest_of_a_part_payment_is_the_same_on_screen_to_copy_and_in_the_link(checkout):
    page = checkout.play("partly_paid").open()

    assert "0.00 038 312" in page.html.replace("</span><span>", " ")
    assert 'value="0.00038312"' in page.html
    assert page.links["Open in wallet"].endswith("?amount=0.00038312")
    assert "0.00068312" not in page.html.replace(page.html.split("<svg")[0], "")


def test_a_short_limit_has_its_last_minutes_in_its_last_third(checkout):
    checkout.play("pending", expiration_seconds=300, time_left=101)
    before = checkout.open().says
    checkout.play("pending", expiration_seconds=300, time_left=100)

    assert "left at this price" not in before
    assert checkout.open().says.startswith("1:40 left at this price.")


def test_a_bill_that_is_paid_and_not_judged_yet_asks_for_nothing(checkout, make_method):
    checkout.play("pending", payments=[make_method(received="0.00068312", due="0.00000000")])

    assert checkout.open().title == "Checking for your payment"


def test_another_day_is_named(checkout):
    begun = datetime(2021, 3, 4, 10, 20, 59, tzinfo=UTC)
    checkout.play("expired", created=begun.isoformat(), expiration_seconds=0)

    assert "No payment arrived before 4 Mar 2021, 10:20 UTC." in checkout.open().says


def test_a_long_limit_names_its_day(checkout):
    begun = datetime.now(UTC)
    checkout.play("pending", created=begun.isoformat(), expiration_seconds=7 * 86400, time_left=7 * 86400)

    assert f"Pay before {begun + timedelta(days=7):%-d}" in checkout.open().says


def test_too_much_money_is_noted_while_it_is_not_confirmed(checkout, make_method):
    too_much = [make_method(received="0.00068313", due="0.00000000", confirmations=1)]
    checkout.play("confirming", exception_status="paid_over", payments=too_much)

    page = checkout.open()

    assert page.title == "Confirming: 1 of 6"
    assert "You sent 0.00000001 BTC more than needed." in page.says


def test_too_much_in_two_coins_is_said_in_the_one_that_filled_the_bill(checkout, make_method):
    payments = [
        make_method(received="0.00034156", due="0.00000000"),
        make_method(id="method-2", symbol="ltc", amount="0.40000000", received="0.30000000", due="0.00000000"),
    ]
    checkout.play("overpaid", payments=payments, payment_id="method-2")

    assert "You sent 0.10000000 LTC more than needed." in checkout.open().says


def test_an_invoice_completed_by_hand_claims_no_money_that_did_not_come(checkout, make_method):
    assert checkout.play("complete", payments=[make_method()]).open().says == (
        "Thank you. Green Bean Cafe accepted your payment."
    )


def test_a_gift_is_thanked_for_by_what_it_was(checkout, make_method):
    gift = make_method(amount="0.00000000", received="0.00012345", due="0.00000000")
    checkout.play("complete", any_amount=True, price="0.00", payments=[gift])

    assert checkout.open().says == "Thank you. Green Bean Cafe received 0.00012345 BTC."


def test_an_open_amount_is_asked_of_the_wallet_and_not_of_the_code(checkout):
    page = checkout.play("any_amount").open()

    assert page.links["Open in wallet"] == "bitcoin:bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
    assert "Any amount" in page.text


def test_play_money_is_called_play_money_and_real_money_is_not(checkout):
    test, real = checkout.play("test_mode").open(), checkout.play("pending").open()

    assert "Test mode: no real money Do not send real coins." in test.text
    assert "Test mode" not in real.text


def test_a_real_coin_beside_a_test_coin_is_never_called_play_money(checkout, make_method):
    mixed = [make_method(), make_method(id="method-2", name="LTC", symbol="ltc", network="testnet")]
    checkout.play("pending", payments=mixed)

    assert "Test mode" not in checkout.open().text
    assert "Test mode" in checkout.open(f"/i/{ID}?method=method-2").text


def test_a_token_warns_of_its_other_networks(checkout, make_method):
    token = make_method(name="USDT", symbol="usdt", currency="trx", contract="TR7N")
    checkout.play("pending", payments=[token])

    assert "Send only USDT on the TRX network. Other networks cannot be recovered." in checkout.open().text


def test_the_page_reloads_itself_only_if_the_buyer_asked_for_it(checkout):
    checkout.play("two_methods")

    quiet = checkout.open(f"/i/{ID}?method=method-2")
    asked = checkout.open(f"/i/{ID}{quiet.links['Reload every 20 seconds']}")

    assert "refresh" not in quiet.headers
    assert asked.headers["refresh"] == "20"
    assert asked.links["Stop reloading"] == "?method=method-2"
    assert asked.links["BTC"] == "?method=method-1&reload=on"


def test_a_page_that_will_not_change_stops_reloading(checkout):
    checkout.play("complete")

    assert "refresh" not in checkout.open(f"/i/{ID}?reload=on").headers


def test_several_transactions_are_listed_each_with_its_page(checkout):
    checkout.play("seen", tx_hashes=["aa" * 32, "bb" * 32])

    page = checkout.open()

    assert page.links["aa" * 32] == f"https://explorer.example/tx/{'aa' * 32}"
    assert page.links["bb" * 32] == f"https://explorer.example/tx/{'bb' * 32}"
    assert "View transaction" not in page.text


def test_a_network_without_an_explorer_shows_the_transaction_without_a_link(checkout, make_method):
    payments = [make_method(received="0.00068312", due="0.00000000", network="regtest", explorer_url="")]
    page = checkout.play("seen", payments=payments, tx_hashes=["cc" * 32]).open()

    assert "cc" * 32 in page.text
    assert page.actions == [BACK, *WAIT]


def test_what_was_bought_is_listed(checkout):
    bought = {"product_names": {"p1": "Espresso beans"}, "product_quantities": {"p1": 2}}

    assert "2 \u00d7 Espresso beans" in checkout.play("pending", **bought).open().text
