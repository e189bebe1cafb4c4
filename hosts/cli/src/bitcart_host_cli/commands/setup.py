"""`bitcart setup`: fetch what plugins need and no Python index carries."""

import typer

from bitcart_core.kernel import Kernel
from bitcart_core.registry import Registry
from bitcart_core.settings import Settings
from bitcart_host_cli.storage import make_data_dir


def setup() -> None:
    """Fetch what the plugins of plugins.toml need, such as Electrum, into BITCART_DATA; free if it is there already."""
    settings = Settings()
    make_data_dir(settings)
    with Kernel(settings) as kernel:
        fetch_requisites(kernel.registry, settings)


def fetch_requisites(registry: Registry, settings: Settings) -> None:
    """Fetch every requisite that is missing, saying each step.

    Raises:
        ConfigError: One could not be had; says the remedy.
    """
    for requisite in registry.requisites.values():
        if requisite.problem(settings.data_dir) is None:
            typer.echo(f"{requisite.name}: ready")
            continue
        typer.echo(f"{requisite.name}: {requisite.purpose}")
        requisite.install(settings.data_dir, lambda line: typer.echo(f"  {line}"))
