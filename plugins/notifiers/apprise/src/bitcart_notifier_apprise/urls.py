"""Read an Apprise URL: its service must be allowed, and options that reach beyond a message are taken away."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote

from bitcart_core import InputError

MAX_URL_LENGTH = 4096

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEMA = re.compile(r"([a-z0-9]+)://(?=.)", re.IGNORECASE)
_SEPARATOR = re.compile(r"([&;])")

STRIPPED = frozenset(
    {
        "attach", "attachment", "attachments", "attach-as",  # fetches files and URLs
        "template", "keyfile", "subfile", "cert", "pem", "pgp", "pgpkey", "key-file", "config",  # reads files
        "cto", "rto", "retry", "wait", "redirect", "verify",  # loosens limits and checks
        "method", "format", "overflow", "emojis", "store", "tz", "tag", "lang",  # not a merchant's to set
    }
)  # fmt: skip
"""Options of Apprise that are taken away, with all that begin with `+`, `-` or `:` (headers and payloads)."""


@dataclass(frozen=True, kw_only=True)
class ServiceUrl:
    """A URL that may be handed to Apprise.

    Attributes:
        schema: The word before `://`, in lower case.
        text: The URL without the options that are taken away; secret, since tokens stand in it.
    """

    schema: str
    text: str = field(repr=False)


def parse_service_url(url: str, *, allowed: frozenset[str]) -> ServiceUrl:
    """Read what a merchant entered.

    Raises:
        InputError: Not a URL, or of a service that is not allowed; the URL itself is never shown.
    """
    text = url.strip()
    begin = _SCHEMA.match(text)
    if begin is None or _CONTROL.search(text) or len(text) > MAX_URL_LENGTH:
        raise InputError("this is no Apprise URL; enter one such as ntfys://ntfy.sh/my-topic", field="url")
    schema = begin[1].lower()
    if schema not in allowed:
        raise InputError(
            f"the service {schema!r} is not available here; see the documentation for those that are", field="url"
        )
    address, question, query = text[begin.end() :].partition("?")
    kept = _keep(query)
    return ServiceUrl(schema=schema, text=f"{schema}://{address}{question if kept else ''}{kept}")


def secrets_of(url: str) -> list[str]:
    """Return the parts of a URL that might be tokens, the longest first, so that they can be blotted out."""
    parts = {part for part in re.split(r"[/?&;=:@,]+", url) if len(part) >= 6}
    return sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True)


def _keep(query: str) -> str:
    """Return the options that may stay. They are told apart as Apprise does it: at `&` and at `;`."""
    options = [option for option in _SEPARATOR.split(query) if option not in {"&", ";"}]
    return "&".join(option for option in options if option and not _is_stripped(option))


def _is_stripped(option: str) -> bool:
    name = unquote(option.partition("=")[0]).strip().lower()
    return name.replace("+", " ").strip() in STRIPPED or name.startswith(("+", "-", ":"))
