"""A right that one process has at a time, and the token by which a paused holder is told off."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import func, update

from bitcart_core import leases
from bitcart_core.db import transaction
from bitcart_core.kernel import Kernel
from bitcart_core.models import Lease

MINUTE = timedelta(minutes=1)


@pytest.fixture
def acquire(kernel: Kernel):
    return lambda holder, *, name="listener", ttl=MINUTE: leases.acquire(kernel.engine, name, holder, ttl=ttl)


@pytest.fixture
def pass_time(kernel: Kernel):
    """Let every lease expire."""

    def pass_time():
        with transaction(kernel.engine) as session:
            session.execute(update(Lease).values(expires_at=func.now() - timedelta(seconds=1)))

    return pass_time


def test_whoever_comes_first_has_it_and_the_others_have_not(acquire):
    assert acquire("a") == 1
    assert acquire("b") is None


def test_the_holder_renews_and_keeps_its_token(acquire):
    assert [acquire("a") for _ in range(3)] == [1, 1, 1]
    assert acquire("b") is None


def test_a_renewal_lasts_from_when_it_is_made(kernel: Kernel, acquire):
    acquire("a", ttl=timedelta(0))
    acquire("a")

    assert acquire("b") is None


def test_a_lease_that_expired_goes_to_the_next_with_a_higher_token(acquire, pass_time):
    tokens = []
    for holder in "abc":
        tokens.append(acquire(holder))
        pass_time()

    assert tokens == [1, 2, 3]


def test_a_paused_holder_finds_that_it_is_taken(acquire, pass_time):
    assert acquire("paused") == 1
    pass_time()
    assert acquire("awake") == 2

    assert acquire("paused") is None


def test_a_holder_that_let_it_lapse_gets_a_new_token_for_it_cannot_know_who_had_it_meanwhile(acquire, pass_time):
    assert acquire("a") == 1
    pass_time()

    assert acquire("a") == 2


def test_a_lease_given_back_is_free_at_once(kernel: Kernel, acquire):
    acquire("a")
    leases.release(kernel.engine, "listener", "a")

    assert acquire("b") == 2


def test_only_the_holder_gives_it_back(kernel: Kernel, acquire):
    acquire("a")
    leases.release(kernel.engine, "listener", "b")
    leases.release(kernel.engine, "nothing of that name", "b")

    assert acquire("b") is None


def test_rights_of_different_names_are_different(acquire):
    assert acquire("a", name="listener:btc") == 1
    assert acquire("b", name="listener:ltc") == 1


def test_of_eight_who_ask_at_once_one_has_it(acquire, at_once, pass_time):
    for round_ in range(1, 4):
        tokens = at_once(*(partial(acquire, f"holder-{number}") for number in range(8)))
        assert sorted(tokens, key=str) == [round_] + [None] * 7
        pass_time()
