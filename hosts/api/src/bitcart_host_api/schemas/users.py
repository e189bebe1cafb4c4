"""Users and tokens."""

from pydantic import EmailStr, Field

from bitcart_core.models import User
from bitcart_host_api.schemas.common import Body, Display, Metadata


class UserPreferences(Body):
    """What a user likes to see."""

    balance_currency: str = "USD"
    fetch_balance: bool = True


class CreateUser(Body):
    """A new user; the very first one runs the server."""

    email: EmailStr
    password: str = Field(min_length=1, max_length=1024)
    is_superuser: bool = False
    settings: UserPreferences = UserPreferences()
    captcha_code: str = ""
    metadata: Metadata


class DisplayUser(Display):
    """A user. The TOTP fields are empty here: a secret is shown where it is set up, and nowhere else."""

    email: str
    is_superuser: bool
    is_verified: bool
    is_enabled: bool
    settings: UserPreferences
    totp_key: str = ""
    totp_url: str = ""
    tfa_enabled: bool = False
    fido2_devices: list[dict[str, str]] = Field(default_factory=list)

    @classmethod
    def of(cls, user: User) -> "DisplayUser":
        """Return a user as the API shows it."""
        return cls(**_fields(user))


class DisplayUserWithToken(DisplayUser):
    """A new user with a token of full control, shown once."""

    token: str | None = None

    @classmethod
    def with_token(cls, user: User, secret: str) -> "DisplayUserWithToken":
        """Return a new user as the API shows it."""
        return cls(**_fields(user), token=secret)


def _fields(user: User) -> dict[str, object]:
    return {
        "id": user.id,
        "created": user.created_at,
        "updated": user.updated_at,
        "metadata": user.meta,
        "email": user.email,
        "is_superuser": user.is_superuser,
        "is_verified": user.is_verified,
        "is_enabled": user.is_enabled,
        "settings": UserPreferences.model_validate(user.settings),
    }


class CreateToken(Body):
    """A login, or a request for a token with fewer rights."""

    email: EmailStr | None = None
    password: str = ""
    permissions: list[str] = Field(default_factory=list)
    app_id: str = ""
    redirect_url: str = ""
    captcha_code: str = ""
    strict: bool = True


class AuthResponse(Body):
    """A new token; `access_token` is the secret, shown once."""

    id: str | None
    access_token: str | None
    token_type: str = "bearer"  # noqa: S105 - the contract's word
    user_id: str = ""
    permissions: list[str] = Field(default_factory=list)
    app_id: str = ""
    redirect_url: str = ""
    tfa_required: bool = False
    tfa_code: str | None = None
    tfa_types: list[str] = Field(default_factory=list)
