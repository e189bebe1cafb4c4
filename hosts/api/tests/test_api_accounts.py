"""Users and tokens over HTTP."""

import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, select

from bitcart_core.kernel import Kernel
from bitcart_core.models import Token, User


def register(client: TestClient, email: str = "me@example.com", **fields: object) -> dict:
    return client.post("/users", json={"email": email, "password": "secret", **fields}).json()


def test_the_first_user_runs_the_server_and_the_second_does_not(client: TestClient):
    assert register(client)["is_superuser"] is True
    assert register(client, "you@example.com", is_superuser=True)["is_superuser"] is False


def test_a_new_user_is_shown_as_the_contract_says(client: TestClient):
    user = register(client)

    assert len(user["id"]) == 26
    assert user["created"].endswith("Z")
    assert user["updated"] is None
    assert user["settings"] == {"balance_currency": "USD", "fetch_balance": True}
    assert user["tfa_enabled"] is False
    assert len(user["token"]) == 43


def test_an_address_can_be_registered_once(client: TestClient):
    register(client)
    answer = client.post("/users", json={"email": "ME@example.com", "password": "secret"})

    assert answer.status_code == 422
    assert answer.json()["field"] == "email"


@pytest.mark.parametrize("email", ["me@example.com", "nobody@example.com"])
def test_a_wrong_password_and_an_unknown_address_look_the_same(client: TestClient, email: str):
    register(client)
    answer = client.post("/token", json={"email": email, "password": "wrong"})

    assert answer.status_code == 401
    assert answer.json() == {"detail": {"message": "Unauthorized", "status": 401}}


def test_a_token_is_minted_with_a_password_and_does_what_it_may(client: TestClient):
    register(client)
    body = {"email": "me@example.com", "password": "secret", "permissions": ["wallet_management"]}
    made = client.post("/token", json=body).json()
    headers = {"Authorization": f"Bearer {made['access_token']}"}

    assert made["token_type"] == "bearer"
    assert made["id"] == made["access_token"]
    assert client.get("/wallets", headers=headers).status_code == 200
    refused = client.get("/stores", headers=headers)
    assert (refused.status_code, refused.json()) == (403, {"detail": "Not enough permissions"})


def test_a_token_cannot_mint_one_with_more_rights(client: TestClient):
    register(client)
    body = {"email": "me@example.com", "password": "secret", "permissions": ["wallet_management"]}
    secret = client.post("/token", json=body).json()["access_token"]
    answer = client.post(
        "/token", json={"permissions": ["store_management"]}, headers={"Authorization": f"Bearer {secret}"}
    )

    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("header", "detail"),
    [({}, "Not authenticated"), ({"Authorization": "Bearer nonsense"}, "Could not validate credentials")],
)
def test_without_a_good_token_the_answer_is_the_contracts(client: TestClient, header: dict, detail: str):
    answer = client.get("/wallets", headers=header)

    assert (answer.status_code, answer.json()) == (401, {"detail": detail})
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_disabled_account_can_do_nothing(client: TestClient, kernel: Kernel):
    secret = register(client)["token"]
    with Session(kernel.engine) as session, session.begin():
        session.exec(select(User)).one().is_enabled = False
    answer = client.get("/wallets", headers={"Authorization": f"Bearer {secret}"})

    assert (answer.status_code, answer.json()) == (403, {"detail": "Account is disabled"})


def test_the_secret_of_a_token_is_not_in_the_database(client: TestClient, kernel: Kernel):
    secret = register(client)["token"]
    with Session(kernel.engine) as session:
        token = session.exec(select(Token)).one()

    assert secret not in token.model_dump_json()
