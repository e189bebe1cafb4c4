"""A folder of scripts, an event, and the plugin as the kernel would build it."""

import logging
import sys
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from bitcart_hook_scripts import Scripts, ScriptsSettings

from bitcart_core import InvoiceEvent, InvoiceView, Outcome, StoreView


class Context:
    log = logging.getLogger("scripts")
    public_url = "https://pay.example"
    data_dir = Path("/nonexistent")

    def render(self, template, variables, *, store_id=None):
        raise AssertionError("scripts have no templates")

    def session(self):
        raise AssertionError("scripts have no tables")


STORE = StoreView(id="01STORE", name="Shop", default_currency="EUR", merchant_email="m@shop.example")


class Folder:
    """The operator's folder, and what happens when an event comes."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, name: str, text: str, *, mode: int = 0o755) -> Path:
        """Write a script; `#!` lines say `sh` or `python`, for short."""
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace("#!sh", "#!/bin/sh").replace("#!python", f"#!{sys.executable} -IS"))
        path.chmod(mode)
        return path

    def plugin(self, **settings: Any) -> Scripts:
        return Scripts(ScriptsSettings(**{"folder": self.path, **settings}), Context())

    def event(self, kind: str = "invoice_completed") -> InvoiceEvent:
        now = datetime(2026, 11, 23, 12, tzinfo=UTC)
        invoice = InvoiceView(
            id="01INVOICE", store_id="01STORE", order_id="A-7", price=Decimal("5.00"), currency="EUR",
            status="complete", exception_status="none", created_at=now, expires_at=now,
        )  # fmt: skip
        return InvoiceEvent(id="01EVENT", kind=kind, seq=3, created_at=now, invoice=invoice)

    def names(self, kind: str = "invoice_completed") -> list[str]:
        return [target.label for target in self.plugin().delivery_targets(self.event(kind), STORE)]

    def run(self, **settings: Any) -> Outcome:
        """Deliver an event to the only script there is."""
        plugin = self.plugin(**settings)
        (target,) = plugin.delivery_targets(self.event(), STORE)
        return plugin.announced(self.event(), STORE, target)


@pytest.fixture
def folder(tmp_path) -> Folder:
    path = tmp_path / "scripts"
    path.mkdir(mode=0o755)
    return Folder(path)


@pytest.fixture
def store() -> StoreView:
    return STORE
