"""The command line: commands found by entry point, loaded only when called, errors in one sentence."""

import sys
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
import typer.main
from pydantic import ValidationError
from redis import RedisError
from sqlalchemy.exc import OperationalError
from typer.core import TyperGroup

from bitcart_core.errors import BitcartError, ConfigError
from bitcart_core.hosts import COMMANDS

_HELP = """Self-hosted crypto payments: a small kernel plus plugins.

A first look, with a real payment on a chain of your own:   bitcart demo

To run a deployment:   bitcart setup, write plugins.toml, bitcart up
"""


class _FoundCommands(TyperGroup):
    """A group whose commands are entry points; a command is imported when it is called, or for the list of all."""

    def list_commands(self, ctx: Any) -> list[str]:
        del ctx
        return sorted(entry_points(group=COMMANDS).names)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        del ctx
        points = entry_points(group=COMMANDS, name=cmd_name)
        return _load(next(iter(points))) if points else None


def _load(point: EntryPoint) -> Any:
    """Return an entry point as a command: a Typer application, or a function wrapped into one."""
    loaded: Any = point.load()
    if not isinstance(loaded, typer.Typer):
        single = typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)
        single.command()(loaded)
        loaded = single
    command = typer.main.get_command(loaded)
    command.name = point.name
    return command


app = typer.Typer(
    cls=_FoundCommands,
    help=_HELP,
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _bitcart() -> None:
    """Take no options of its own; every command has `--help`."""


def main() -> None:
    """Run the command line; what the operator can mend is one sentence and exit 2."""
    try:
        app()
    except ConfigError as error:
        print(f"bitcart: {error}", file=sys.stderr)  # noqa: T201 - this is where sentences are printed
        sys.exit(2)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        print(f"bitcart: {'.'.join(map(str, first['loc']))}: {first['msg']}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except (OperationalError, RedisError, OSError) as error:
        print(f"bitcart: {str(error).splitlines()[0]}; see `bitcart doctor`", file=sys.stderr)  # noqa: T201
        sys.exit(1)
    except BitcartError as error:
        print(f"bitcart: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(1)
