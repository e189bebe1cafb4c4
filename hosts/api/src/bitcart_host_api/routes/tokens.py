"""Tokens."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException

from bitcart_core import accounts
from bitcart_core.db import transaction
from bitcart_core.kernel import Kernel
from bitcart_core.models import User
from bitcart_host_api.schemas.users import AuthResponse, CreateToken
from bitcart_host_api.security import Caller, TheKernel, check_password, maybe

router = APIRouter(prefix="/token", tags=["tokens"])


@router.post("")
def create_token(
    kernel: TheKernel, caller: Annotated[Caller | None, Depends(maybe())], body: CreateToken | None = None
) -> AuthResponse:
    """Sign in with e-mail and password, or mint a token with fewer rights from the one you hold."""
    wanted = body or CreateToken()
    user = caller.user if caller else _sign_in(kernel, wanted)
    permissions = _check_permissions(wanted, user, caller)
    with transaction(kernel.engine) as session:
        token, secret = accounts.create_token(
            session, user, permissions=permissions, app_id=wanted.app_id, redirect_url=wanted.redirect_url
        )
    return AuthResponse(
        id=secret, access_token=secret, user_id=user.id, permissions=token.permissions, app_id=token.app_id,
        redirect_url=token.redirect_url,
    )  # fmt: skip


def _sign_in(kernel: Kernel, body: CreateToken) -> User:
    """Return the user, or the same answer for a wrong password and for nobody."""
    with transaction(kernel.engine) as session:
        user = accounts.find_user(session, body.email or "")
    if not check_password(body.password, user.password_hash if user else None) or user is None:
        raise HTTPException(401, {"message": "Unauthorized", "status": 401})
    if not user.is_enabled:
        raise HTTPException(403, "Account is disabled")
    return user


def _check_permissions(body: CreateToken, user: User, caller: Caller | None) -> list[str]:
    wanted = list(dict.fromkeys(body.permissions))
    if caller and not all(caller.may(permission) for permission in wanted):
        raise HTTPException(403, "Not enough permissions")
    if "server_management" in wanted and not user.is_superuser:
        if body.strict:
            raise HTTPException(422, "This application requires access to server settings")
        wanted.remove("server_management")
    return wanted
