"""What a host supplies to the command line: its commands, and the processes that `bitcart up` keeps running.

A host is found by entry point in the group `bitcart.hosts`, so that the command line names none of them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bitcart_core.coins import Coin
from bitcart_core.settings import Settings


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


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host as the command line knows it.

    Attributes:
        name: Of the command: `worker`.
        command: A Typer application, or a function that Typer can make a command of.
        processes: What `bitcart up` starts; a host that is only a command returns nothing.
    """

    name: str
    command: Any
    processes: Callable[[Deployment], Sequence[Process]] = lambda _: ()
