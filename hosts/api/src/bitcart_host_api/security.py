"""Who calls, and what they may do: bearer tokens with scopes (REST API contract, section 2)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import Depends, HTTPException, Request

from bitcart_core import accounts
from bitcart_core.db import transaction
from bitcart_core.kernel import Kernel
from bitcart_core.models import Token, User

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # OWASP's first choice for argon2id
_NOBODY = _hasher.hash("nobody has this password")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Someone with a valid token."""

    user: User
    token: Token

    def may(self, scope: str) -> bool:
        """Tell whether the token allows something; `server_management` is for superusers only."""
        if scope == "server_management" and not self.user.is_superuser:
            return False
        return bool({scope, accounts.FULL_CONTROL} & set(self.token.permissions))


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password."""
    return _hasher.hash(password)


def check_password(password: str, password_hash: str | None) -> bool:
    """Tell whether a password is right; takes as long where there is no such user."""
    try:
        return _hasher.verify(password_hash or _NOBODY, password) and password_hash is not None
    except VerificationError:
        return False


def find_caller(kernel: Kernel, authorization: str | None) -> Caller | None:
    """Return who holds the token of an Authorization header, or None."""
    scheme, _, secret = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not secret:
        return None
    with transaction(kernel.engine) as session:
        found = accounts.find_token(session, secret.strip())
    return Caller(token=found[0], user=found[1]) if found else None


def the_kernel(request: Request) -> Kernel:
    """Return the kernel the application was made for."""
    kernel: Kernel = request.app.state.kernel
    return kernel


def needs(*scopes: str) -> Callable[[Request], Caller]:
    """Return a dependency that lets only callers with these scopes pass; without any, every token will do."""

    def dependency(request: Request) -> Caller:
        header = request.headers.get("authorization")
        if not header:
            raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
        challenge = {"WWW-Authenticate": f'Bearer scope="{" ".join(scopes)}"' if scopes else "Bearer"}
        caller = find_caller(the_kernel(request), header)
        if caller is None:
            raise HTTPException(401, "Could not validate credentials", challenge)
        if not caller.user.is_enabled:
            raise HTTPException(403, "Account is disabled")
        if not all(caller.may(scope) for scope in scopes):
            raise HTTPException(403, "Not enough permissions", challenge)
        return caller

    return dependency


def maybe(*scopes: str) -> Callable[[Request], Caller | None]:
    """Return a dependency that lets strangers pass too: no token, a bad one or one without the scope is nobody."""

    def dependency(request: Request) -> Caller | None:
        caller = find_caller(the_kernel(request), request.headers.get("authorization"))
        is_able = caller is not None and caller.user.is_enabled and all(caller.may(scope) for scope in scopes)
        return caller if is_able else None

    return dependency


TheKernel = Annotated[Kernel, Depends(the_kernel)]
