"""`bitcart plugins`: what is loaded, and what could be."""

from importlib.metadata import entry_points

from rich.console import Console
from rich.table import Table

from bitcart_core.kernel import Kernel
from bitcart_core.loader import ENTRY_POINT_GROUP
from bitcart_core.settings import Settings


def plugins() -> None:
    """List the plugins of plugins.toml in their answering order, and those installed that it does not name."""
    settings = Settings()
    table = Table("plugin", "distribution", "lane", "hooks", title=str(settings.find_plugins_file()))
    with Kernel(settings) as kernel:
        for loaded in kernel.registry.plugins.values():
            table.add_row(loaded.name, loaded.distribution, loaded.lane, ", ".join(sorted(loaded.hooks)))
        idle = sorted(entry_points(group=ENTRY_POINT_GROUP).names - kernel.registry.plugins.keys())
    console = Console()
    console.print(table)
    if idle:
        console.print(f"installed and not loaded: {', '.join(idle)}; a table [{idle[0]}] in plugins.toml loads one")
