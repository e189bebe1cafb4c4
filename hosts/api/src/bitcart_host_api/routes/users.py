"""Users."""

from typing import Annotated

from fastapi import APIRouter, Depends

from bitcart_core import accounts
from bitcart_core.db import transaction
from bitcart_host_api.schemas.users import CreateUser, DisplayUser, DisplayUserWithToken
from bitcart_host_api.security import Caller, TheKernel, hash_password, maybe, needs

router = APIRouter(prefix="/users", tags=["users"])


@router.post("")
def create_user(
    body: CreateUser, kernel: TheKernel, caller: Annotated[Caller | None, Depends(maybe("server_management"))]
) -> DisplayUserWithToken:
    """Register. The first user ever runs the server; after that only a superuser may make others superusers."""
    password_hash = hash_password(body.password)
    with transaction(kernel.engine) as session:
        user = accounts.create_user(
            session,
            email=body.email,
            password_hash=password_hash,
            is_superuser=body.is_superuser and caller is not None,
        )
        user.settings, user.meta = body.settings.model_dump(), body.metadata
        _, secret = accounts.create_token(session, user, permissions=[accounts.FULL_CONTROL])
    return DisplayUserWithToken.with_token(user, secret)


@router.get("/me")
def me(caller: Annotated[Caller, Depends(needs("token_management"))]) -> DisplayUser:
    """Return who holds the token."""
    return DisplayUser.of(caller.user)
