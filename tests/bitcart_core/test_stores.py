"""Stores: settings with their defaults and limits, secrets, and how plugins see them."""

import base64
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlmodel import Session

from bitcart_core import stores
from bitcart_core.db import transaction
from bitcart_core.models import Store
from bitcart_core.stores import CheckoutSettings
from bitcart_core.testing.shop import Shop


def test_a_new_store_asks_as_the_contract_says():
    settings = CheckoutSettings()

    assert (settings.expiration, settings.transaction_speed, settings.underpaid_percentage) == (15, 0, 0)
    assert settings.allow_anonymous_invoice_creation
    assert not settings.accept_late_payments
    assert (settings.expiry_grace_seconds, settings.late_watch_days) == (3600, 30)


@pytest.mark.parametrize(
    ("percentage", "tolerance"), [("0", "0"), ("1", "0.01"), ("0.5", "0.005"), ("99.99", "0.9999")]
)
def test_a_percentage_becomes_the_part_that_may_be_missing(percentage, tolerance):
    assert CheckoutSettings(underpaid_percentage=percentage).tolerance == Decimal(tolerance)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("expiration", 0), ("expiration", -1), ("expiration", 525_601), ("transaction_speed", -1), ("transaction_speed", 11),
        ("underpaid_percentage", "-0.01"), ("underpaid_percentage", "100"), ("underpaid_percentage", "NaN"),
        ("expiry_grace_seconds", -1), ("late_watch_days", 366), ("late_watch_days", -1),
    ],
)  # fmt: skip
def test_a_setting_outside_its_limits_is_refused_by_name(name, value):
    with pytest.raises(ValidationError, match=name):
        CheckoutSettings(**{name: value})


def test_a_setting_of_a_later_version_is_no_hindrance(shop: Shop):
    shop.configure(expiration=30, of_a_later_version=True)
    with Session(shop.kernel.engine) as session:
        assert stores.checkout_settings(session.get_one(Store, shop.store.id)).expiration == 30


def test_a_store_tolerates_as_much_as_it_says(shop: Shop):
    shop.configure(underpaid_percentage=1)
    enough, too_little = shop.sell("50"), shop.sell("50")
    shop.pay(enough, "0.00099")
    shop.pay(too_little, "0.00098999")

    assert shop.standing(enough) == ("complete", "none")
    assert shop.standing(too_little) == ("pending", "paid_partial")


def test_an_invoice_keeps_the_settings_it_was_made_under(shop: Shop):
    case = shop.sell("50")
    shop.configure(underpaid_percentage=50, transaction_speed=6)
    shop.pay(case, "0.0006")
    assert shop.standing(case) == ("pending", "paid_partial")

    shop.pay(case, "0.0004")
    assert shop.standing(case) == ("complete", "none")


def test_a_signing_secret_is_thirty_two_random_bytes():
    secrets = {stores.new_signing_secret() for _ in range(50)}

    assert len(secrets) == 50
    assert all(secret.startswith("whsec_") and len(base64.b64decode(secret[6:])) == 32 for secret in secrets)


def test_plugins_see_a_store_without_its_secrets_in_the_log(shop: Shop):
    with transaction(shop.kernel.engine) as session:
        store = session.get_one(Store, shop.store.id)
        store.email_settings = {"host": "mail.example", "address": "shop@example.com", "password": "hunter2"}
        store.plugin_settings = {"webhook": {"token": "hunter2"}}
    with Session(shop.kernel.engine) as session:
        view = stores.store_views(session, [shop.store.id, "nobody's"])[shop.store.id]

    assert (view.name, view.default_currency, view.merchant_email) == ("Green Bean", "USD", "merchant@example.com")
    assert view.email.is_configured
    assert view.plugin_settings["webhook"] == {"token": "hunter2"}
    assert view.signing_secrets == tuple(shop.store.signing_secrets)
    assert "hunter2" not in repr(view)
    assert "whsec_" not in repr(view)
