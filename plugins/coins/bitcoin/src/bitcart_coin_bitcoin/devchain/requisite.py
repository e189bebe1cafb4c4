"""What a Bitcoin development chain needs from elsewhere: bcoin, a Bitcoin node in JavaScript."""

from importlib import resources
from pathlib import Path

from bitcart_coin_requisites import NpmPackages, find_nodejs

from bitcart_core import ConfigError

BCOIN = NpmPackages(
    name="bcoin",
    purpose="the node of the Bitcoin development chain",
    locked_in=resources.files("bitcart_coin_bitcoin") / "devchain" / "node",
)
"""Registered by the plugin with `register_requisites`."""


def find_node(data_dir: Path) -> Path:
    """Return the Node.js program to run bcoin with.

    Raises:
        ConfigError: bcoin or Node.js is missing; says the remedy.
    """
    problem = BCOIN.problem(data_dir)
    nodejs = find_nodejs(data_dir)
    if problem or nodejs is None:
        raise ConfigError(problem or "there is no Node.js; run `bitcart setup`")
    return nodejs.node
