"""Turn views into HTML, with the headers that keep a page to itself. The one place that knows templates and styles."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from bitcart_checkout_page.speech import Speech
from bitcart_checkout_page.texts import Sentences
from bitcart_checkout_page.view import View
from bitcart_checkout_page.visit import RELOAD_SECONDS

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
}
_PAGE_HEADERS = HEADERS | {"cache-control": "no-store"}
_PACKAGE = "bitcart_checkout_page"


@dataclass(frozen=True, kw_only=True)
class Stylesheet:
    """The page's styles.

    Attributes:
        name: With a hash of the content, so that browsers may keep it for good.
    """

    name: str
    content: bytes


class Pages:
    """Renders pages. Templates know no words: every text comes from `texts` by way of a view or `label`."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader(_PACKAGE), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        self.stylesheet = _read_stylesheet()

    def invoice(self, request: Request, view: View, speech: Speech) -> HTMLResponse:
        """Return the page of an invoice; it asks to be loaded again only if the buyer asked for that."""
        headers = {"refresh": str(RELOAD_SECONDS)} if view.is_reloading else {}
        return self._render(request, "invoice.html", speech, status=200, headers=headers, view=view)

    def problem(
        self, request: Request, said: Sentences, *, status: int, is_retryable: bool = True, **values: object
    ) -> HTMLResponse:
        """Return a page for an invoice that cannot be shown.

        Args:
            request: Whose answer it is.
            said: What to tell.
            status: Of the answer.
            is_retryable: Offer to try again.
            values: For the blanks in what is told.
        """
        speech = Speech.in_english(datetime.now(UTC))
        return self._render(
            request, "problem.html", speech, status=status, is_retryable=is_retryable,
            title=speech.say(said.title), text=speech.say(said.text, **values),
        )  # fmt: skip

    def _render(
        self,
        request: Request,
        template: str,
        speech: Speech,
        *,
        status: int,
        headers: dict[str, str] | None = None,
        **values: object,
    ) -> HTMLResponse:
        content = self._templates.get_template(template).render(
            label=speech.label, locale=speech.locale, stylesheet=_static(request, self.stylesheet.name), **values
        )
        return HTMLResponse(content, status_code=status, headers=_PAGE_HEADERS | (headers or {}))


def _static(request: Request, name: str) -> str:
    """Return a path to a static file, relative to the page: right under any prefix, also one a proxy has cut off."""
    path: str = request.scope["path"]
    below = path.removeprefix(request.scope.get("root_path", ""))
    return "../" * (below.count("/") - 1) + f"static/{name}"


def _read_stylesheet() -> Stylesheet:
    content = (files(_PACKAGE) / "static" / "checkout.css").read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Stylesheet(name=f"checkout-{digest}.css", content=content)
