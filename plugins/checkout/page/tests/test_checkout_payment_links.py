"""What a wallet is given asks for exactly what the page shows, and keeps whatever else the coin wrote."""

import pytest
from bitcart_checkout_page.invoice import Method
from bitcart_checkout_page.links import payment_uri
from bitcart_checkout_page.qr import qr_text


@pytest.fixture
def uri_of(make_method):
    def uri_of(uri: str, due: str = "0.00038312", amount: str = "0.00068312") -> str:
        return payment_uri(Method.model_validate(make_method(payment_url=uri, amount=amount, due=due)), due)

    return uri_of


def test_the_amount_is_replaced_and_everything_else_stays_as_it_was(uri_of):
    uri = "bitcoin:bc1qx?label=Caf%C3%A9+%26+co&amount=0.00068312&message=a%3Db&x-odd==&y"

    assert uri_of(uri) == "bitcoin:bc1qx?label=Caf%C3%A9+%26+co&amount=0.00038312&message=a%3Db&x-odd==&y"


def test_the_digits_are_those_of_the_page_to_the_last_zero(uri_of):
    assert uri_of("bitcoin:bc1qx?amount=0.0001", due="0.00010000", amount="0.00010000").endswith("amount=0.00010000")


def test_amounts_of_any_length_keep_their_digits(uri_of):
    due = "12345678901234567890.123456789012345678"

    assert uri_of("newcoin:x?amount=1", due=due, amount=due) == f"newcoin:x?amount={due}"


def test_moneros_form_of_the_amount_is_replaced_too(uri_of):
    assert uri_of("monero:4A?tx_amount=0.00068312") == "monero:4A?tx_amount=0.00038312"


def test_a_lightning_invoice_for_the_whole_is_not_offered_for_the_rest(uri_of):
    unified = "bitcoin:bc1qx?amount=0.00068312&lightning=lnbc1abc"

    assert uri_of(unified) == "bitcoin:bc1qx?amount=0.00038312"
    assert uri_of(unified, due="0.00068312") == unified


def test_a_sum_that_cannot_be_written_anew_is_taken_out_rather_than_wrong(uri_of):
    assert uri_of("ethereum:0xabc?value=6.8312e14") == "ethereum:0xabc"
    assert uri_of("ethereum:0xabc?value=6.8312e14", due="0.00068312") == "ethereum:0xabc?value=6.8312e14"


def test_an_address_without_a_query_stays_an_address(uri_of):
    assert uri_of("bitcoin:bc1qx") == "bitcoin:bc1qx"
    assert uri_of("lightning:lnbc1abc") == "lightning:lnbc1abc"


def test_a_lightning_invoice_is_coded_in_capitals_and_an_address_as_it_is():
    assert qr_text("lightning:lnbc1abc") == "LIGHTNING:LNBC1ABC"
    assert qr_text("bitcoin:mxVFsFW5N4mu1HPkxPttorvocvzeZ7KZyk") == "bitcoin:mxVFsFW5N4mu1HPkxPttorvocvzeZ7KZyk"
