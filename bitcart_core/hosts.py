"""What a host supplies to the command line, by entry point, so that the command line names no host.

Group `bitcart.commands`: the name of a command -> a Typer application, or a function Typer can make a command of.
Group `bitcart.hosts`: the name of a host -> a function that takes a `Deployment` and returns the `Process`es that
`bitcart up` keeps running. It must import fast: the supervisor loads all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bitcart_core.coins import Coin
from bitcart_core.settings import Settings

COMMANDS = "bitcart.commands"
HOSTS = "bitcart.hosts"


@dataclass(frozen=True, kw_only=True)
class Process:
    """One process of a running deployment.

    Attributes:
        name: Prefix of its log lines, unique: `worker-record`.
        arguments: What follows `bitcart` on the command line: `("worker", "--lane", "record")`.
        environment: Set in addition to the supervisor's own.
        ready_url: Answers 200 once the process serves; None if there is nothing to ask.
    """

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a host is told when it is asked for its processes.

    Attributes:
        settings: Of the supervisor; databases are reachable.
        coins: By the name of the plugin that brought them.
    """

    settings: Settings
    coins: Mapping[str, Sequence[Coin]]
