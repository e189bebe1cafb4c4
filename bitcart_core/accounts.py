"""People and their tokens. Hashing passwords is the API host's business; a token's secret is never stored."""

import hashlib
import secrets

from sqlalchemy import func
from sqlmodel import Session, col, select

from bitcart_core.errors import InputError
from bitcart_core.models import Token, User

FULL_CONTROL = "full_control"


def create_user(session: Session, *, email: str, password_hash: str, is_superuser: bool) -> User:
    """Create a user; the very first one runs the server.

    Raises:
        InputError: The address is taken.
    """
    email = email.strip().lower()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("users", 0))))  # the first-user race
    if session.exec(select(User.id).where(User.email == email)).first() is not None:
        raise InputError("this e-mail address is registered already; sign in instead", field="email")
    is_first = session.exec(select(User.id).limit(1)).first() is None
    user = User(email=email, password_hash=password_hash, is_superuser=is_superuser or is_first)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, email: str) -> User | None:
    """Return the user with an e-mail address, written in any case."""
    return session.exec(select(User).where(User.email == email.strip().lower())).first()


def create_token(
    session: Session, user: User, *, permissions: list[str], app_id: str = "", redirect_url: str = ""
) -> tuple[Token, str]:
    """Create a token.

    Returns:
        The row, and the secret (43 characters, 256 random bits), which is shown once and kept nowhere.
    """
    secret = secrets.token_urlsafe(32)
    token = Token(
        user_id=user.id, digest=digest(secret), permissions=permissions, app_id=app_id, redirect_url=redirect_url
    )
    session.add(token)
    session.flush()
    return token, secret


def find_token(session: Session, secret: str) -> tuple[Token, User] | None:
    """Return the token with this secret and its user."""
    statement = select(Token, User).join(User, col(User.id) == col(Token.user_id))
    return session.exec(statement.where(Token.digest == digest(secret))).first()


def digest(secret: str) -> str:
    """Return what is stored of a token: its SHA-256 in hex. The secret is random, so it needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()
