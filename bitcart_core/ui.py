"""What a plugin adds to the HTTP surface: mounted applications, panels, pages and pieces of other pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

AsgiApp = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Mount:
    """An ASGI application under a path of the API host.

    The host authenticates and puts the caller into the ASGI scope under `bitcart.caller` (None for a stranger),
    so that no plugin imports a host.

    Attributes:
        prefix: `/i`; a plugin's own and no one else's.
        app: The application; sees paths below the prefix.
        scopes: Permissions a caller must hold; none means open to everybody.
    """

    prefix: str
    app: AsgiApp
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A piece of another plugin's page.

    Attributes:
        place: Name of the place, such as `checkout.details`.
        render: Gets the page's plain values, returns safe HTML.
    """

    place: str
    render: Callable[[Mapping[str, Any]], str]
