"""The plugin: mounts the checkout page, and tells the operator when the API it shows cannot be reached."""

from collections.abc import Iterable

import httpx

from bitcart_checkout_page.app import create_app
from bitcart_checkout_page.settings import PageSettings
from bitcart_core import HealthProblem, Mount, Plugin, hookimpl

PREFIX = "/i"


class Page(Plugin):
    """Show buyers the page they pay on, under `/i/{invoice id}`."""

    Settings = PageSettings

    settings: PageSettings

    @hookimpl
    def register_routers(self) -> Iterable[Mount]:
        """Return the page, open to everybody: a buyer has no account."""
        yield Mount(prefix=PREFIX, app=create_app(self.settings))

    @hookimpl
    def check_health(self) -> Iterable[HealthProblem]:
        """Return a problem if the API on another machine does not answer; the one beside us has its own check."""
        if self.settings.api_url is None:
            return
        url = str(self.settings.api_url).rstrip("/")
        try:
            httpx.get(f"{url}/health/live", timeout=self.settings.timeout_seconds).raise_for_status()
        except httpx.HTTPError as error:
            yield HealthProblem(
                subject=f"REST API at {url}", message=f"{error or type(error).__name__}; correct api_url in [page]"
            )
