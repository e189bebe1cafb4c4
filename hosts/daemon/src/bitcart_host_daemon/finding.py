"""Find the coin that a daemon is started for: by its name among the installed ones, or by `module:attribute`."""

from importlib import import_module
from importlib.metadata import entry_points

from bitcart_core.daemons import DaemonFactory
from bitcart_core.errors import ConfigError

GROUP = "bitcart.daemon"


def installed() -> list[str]:
    """Return the names of the coins whose daemons are installed."""
    return sorted(entry.name for entry in entry_points(group=GROUP))


def find(name: str) -> DaemonFactory:
    """Return what builds the daemon of a coin.

    Args:
        name: Of an entry point; or `package.module:attribute`, for a coin that is still being written.

    Raises:
        ConfigError: No such coin, or it cannot be imported.
    """
    entry = next(iter(entry_points(group=GROUP, name=name)), None)
    try:
        if entry is not None:
            factory = entry.load()
        elif ":" in name:
            module, _, attribute = name.partition(":")
            factory = getattr(import_module(module), attribute)
        else:
            raise ConfigError(f"no coin {name!r} has a daemon here; installed: {', '.join(installed()) or 'none'}")
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"cannot load the daemon of {name}: {error}; run `bitcart setup`, or install its [daemon] extra"
        ) from error
    if not hasattr(factory, "code") or not hasattr(factory, "default_port"):
        raise ConfigError(f"the daemon of {name} names no `code` and `default_port`; give them to {factory!r} itself")
    return factory  # type: ignore[no-any-return]  # an entry point can be anything; the two names were looked at
