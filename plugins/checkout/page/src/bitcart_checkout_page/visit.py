"""What a buyer asked of the page, and the links by which to ask differently. Relative, so that any prefix will do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

RELOAD_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What the buyer asked of the page.

    Attributes:
        method: Id of the method to pay with, empty to choose again, None if nothing was said.
        is_reloading: Load the page again by itself.
    """

    method: str | None = None
    is_reloading: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read the query of a request; whatever is not known is left out."""
        return cls(method=query.get("method"), is_reloading=query.get("reload") == "on")

    def link(self, *, method: str | None = None, is_reloading: bool = False) -> str:
        """Return a link to this page, asked differently: with another method if one is given."""
        wanted = self.method if method is None else method
        query = ({} if wanted is None else {"method": wanted}) | ({"reload": "on"} if is_reloading else {})
        return "?" + urlencode(query)
