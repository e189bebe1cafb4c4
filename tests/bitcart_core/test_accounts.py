"""People and their tokens: one runs the server, addresses are unique, and no secret is kept."""

from functools import partial

import pytest
from sqlalchemy import text
from sqlmodel import Session, select

from bitcart_core import accounts
from bitcart_core.db import transaction
from bitcart_core.errors import InputError
from bitcart_core.models import Token, User


@pytest.fixture
def register(kernel):
    def register(email, *, is_superuser=False):
        with transaction(kernel.engine) as session:
            return accounts.create_user(session, email=email, password_hash="x", is_superuser=is_superuser)

    return register


@pytest.fixture
def issue(kernel):
    def issue(user, **details):
        with transaction(kernel.engine) as session:
            return accounts.create_token(session, user, permissions=["invoice_management"], **details)

    return issue


@pytest.fixture
def find(kernel):
    def find(secret):
        with Session(kernel.engine) as session:
            return accounts.find_token(session, secret)

    return find


def test_the_first_runs_the_server_and_no_other_unless_made_so(register):
    assert register("first@example.com").is_superuser
    assert not register("second@example.com").is_superuser
    assert register("third@example.com", is_superuser=True).is_superuser


def test_of_many_who_register_at_once_one_runs_the_server(register, at_once):
    users = at_once(*(partial(register, f"user-{number}@example.com") for number in range(8)))

    assert [user.is_superuser for user in users].count(True) == 1


@pytest.mark.parametrize("again", ["me@example.com", "ME@Example.com", " me@example.com "])
def test_an_address_is_registered_once_however_it_is_written(kernel, register, again):
    register("Me@example.com")
    with pytest.raises(InputError, match="is registered already; sign in instead") as refused:
        register(again)

    assert refused.value.field == "email"
    with Session(kernel.engine) as session:
        assert accounts.find_user(session, again).email == "me@example.com"
        assert accounts.find_user(session, "you@example.com") is None


def test_the_same_address_at_once_is_registered_once(kernel, register, at_once):
    def attempt():
        try:
            return register("me@example.com")
        except InputError:
            return None

    assert at_once(*[attempt] * 6).count(None) == 5
    with Session(kernel.engine) as session:
        assert len(session.exec(select(User)).all()) == 1


def test_a_token_is_found_by_its_secret_and_by_nothing_else(register, issue, find):
    user = register("me@example.com")
    token, secret = issue(user, app_id="till", redirect_url="https://till.example")
    found, owner = find(secret)

    assert (found.id, owner.id) == (token.id, user.id)
    assert (found.permissions, found.app_id, found.redirect_url) == (
        ["invoice_management"],
        "till",
        "https://till.example",
    )
    for other in ("", secret[:-1], secret + "a", secret.swapcase(), token.digest, token.id):
        assert find(other) is None


def test_a_secret_is_long_random_and_kept_nowhere(kernel, register, issue):
    user = register("me@example.com")
    secrets = {issue(user)[1] for _ in range(50)}

    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {43}  # 256 bits in base64
    with Session(kernel.engine) as session:
        everything = str(session.execute(text("select t.* from tokens t")).all())
    assert not any(secret in everything for secret in secrets)


def test_a_token_that_is_taken_away_opens_nothing_from_then_on(kernel, register, issue, find):
    token, secret = issue(register("me@example.com"))
    with transaction(kernel.engine) as session:
        session.delete(session.get_one(Token, token.id))

    assert find(secret) is None


def test_the_tokens_of_someone_who_left_leave_too(kernel, register, issue, find):
    user = register("me@example.com")
    _, secret = issue(user)
    with transaction(kernel.engine) as session:
        session.delete(session.get_one(User, user.id))

    assert find(secret) is None
