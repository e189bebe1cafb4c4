"""The plugin as a kernel uses it: what it mounts, where it asks, and when it says that it is ill."""

import pytest
from bitcart_checkout_page import Page, PageSettings
from pydantic import ValidationError

from bitcart_core import Plugin

ID = "01KAR3S7T4W1Q7Y7M2S1V5K0QX"


def plugin(**settings) -> Page:
    return Page(PageSettings(**settings), None)


def test_it_mounts_one_application_that_is_open_to_everybody():
    (mount,) = plugin().register_routers()

    assert issubclass(Page, Plugin)
    assert (mount.prefix, mount.scopes) == ("/i", ())


def test_it_shows_the_invoices_of_an_api_on_another_machine(checkout, served_api):
    checkout.settings = PageSettings(api_url=served_api)

    page = checkout.play("pending").open()

    assert page.title == "Waiting for payment"
    assert checkout.asked == [f"/invoices/{ID}", "/stores/store-1"]


def test_an_api_that_is_away_is_said_to_the_buyer_and_to_the_operator(checkout, free_port):
    away = f"http://127.0.0.1:{free_port}"
    checkout.settings = PageSettings(api_url=away)

    page = checkout.open()
    (problem,) = plugin(api_url=away).check_health()

    assert (page.status, page.title) == (503, "We cannot load this invoice right now")
    assert problem.subject == f"REST API at {away}"
    assert "correct api_url in [page]" in problem.message


def test_an_api_that_answers_is_healthy_and_one_in_process_is_not_asked(served_api):
    assert list(plugin(api_url=served_api).check_health()) == []
    assert list(plugin().check_health()) == []


@pytest.mark.parametrize("wrong", [{"api_url": "not a url"}, {"timeout_seconds": 0}, {"colour": "red"}])
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        PageSettings(**wrong)
