"""What people type: `bitcart devchain`, and what can be done to a chain that runs."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bitcart_core.devchains import ChainTools, RunningChain
from bitcart_core.errors import BitcartError, ConfigError
from bitcart_core.money import parse_amount
from bitcart_core.settings import Settings
from bitcart_host_devchain.coins import choose
from bitcart_host_devchain.running import find_running
from bitcart_host_devchain.serving import serve

_HELP = """Run a real network of one on loopback, that mines, pays and misbehaves on request.

Start a chain in one terminal and leave it running:

    bitcart devchain

In another terminal, pay an invoice's address, see the payment wait, and confirm it:

    bitcart devchain pay bcrt1q... 0.1
    bitcart devchain mine

What a merchant fears happens on request: `replace` takes a payment back before it is confirmed, `reorg` after.
"""


class _StartByDefault(TyperGroup):
    """`bitcart devchain btc --json` means `bitcart devchain start btc --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in self.get_help_option_names(ctx)):
            args = ["start", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_StartByDefault, help=_HELP, rich_markup_mode=None)

Coin = Annotated[str | None, typer.Option("--coin", help="Which chain, if several run.")]
Txid = Annotated[str, typer.Argument(help="The transaction, as `pay` printed it.")]


@app.command()
def start(
    coin: Annotated[str | None, typer.Argument(help="Code of the coin; by default the only one there is.")] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON when the chain is ready, and nothing else.")
    ] = False,
) -> None:
    """Start a chain and keep it until Ctrl-C or SIGTERM; the word `start` may be left out."""
    with _errors():
        settings = Settings()
        factory = choose(settings, coin)
        if not as_json:
            typer.echo(f"Starting a chain of {factory.coin} ...")
        serve(factory, settings.data_dir, _print_json if as_json else _print_details)


@app.command()
def mine(blocks: Annotated[int, typer.Argument(min=1, help="How many blocks.")] = 1, *, coin: Coin = None) -> None:
    """Mine blocks, which confirm what waits; prints their hashes."""
    with _tools(coin) as tools:
        typer.echo("\n".join(tools.mine(blocks)))


@app.command()
def pay(
    address: Annotated[str, typer.Argument(help="Where to.")],
    amount: Annotated[str, typer.Argument(help="How much, in whole coins, such as 0.1.")],
    *,
    coin: Coin = None,
) -> None:
    """Pay from the chain's own wallet; prints the txid once the payment waits in the mempool."""
    with _tools(coin) as tools:
        typer.echo(tools.pay(address, _amount(amount)))


@app.command()
def replace(
    txid: Txid,
    address: Annotated[str | None, typer.Argument(help="Who gets the money instead; by default the wallet.")] = None,
    *,
    coin: Coin = None,
) -> None:
    """Replace a payment that waits by a dearer one; prints the new txid."""
    with _tools(coin) as tools:
        typer.echo(tools.replace(txid, address))


@app.command()
def reorg(
    depth: Annotated[int, typer.Argument(min=1, help="How many blocks are lost.")] = 1,
    *,
    drop_transactions: Annotated[
        bool, typer.Option("--drop-transactions", help="Lose their transactions too, for good.")
    ] = False,
    coin: Coin = None,
) -> None:
    """Overtake the last blocks by a longer branch; prints the new height."""
    with _tools(coin) as tools:
        typer.echo(tools.reorg(depth, keep_transactions=not drop_transactions))


@app.command()
def status(*, coin: Coin = None) -> None:
    """Show the chain that runs and its height."""
    with _errors():
        chain, tools = _reach(coin)
        typer.echo(f"{chain.coin} {chain.network}, height {tools.height()}")
        typer.echo(_connections(chain))


def _reach(coin: str | None) -> tuple[RunningChain, ChainTools]:
    settings = Settings()
    chain = find_running(settings.data_dir, coin)
    return chain, choose(settings, chain.coin).tools(chain)


@contextmanager
def _tools(coin: str | None) -> Iterator[ChainTools]:
    with _errors():
        yield _reach(coin)[1]


@contextmanager
def _errors() -> Iterator[None]:
    """Say what went wrong in a sentence; end with 2 if the operator must act, else 1."""
    try:
        yield
    except BitcartError as error:
        typer.echo(f"bitcart devchain: {error}", err=True)
        raise typer.Exit(2 if isinstance(error, ConfigError) else 1) from None


def _amount(text: str) -> Decimal:
    return parse_amount(text, currency="coins", decimals=None)


def _print_json(chain: RunningChain, _folder: Path) -> None:
    sys.stdout.write(json.dumps(chain.to_json()) + "\n")
    sys.stdout.flush()


def _print_details(chain: RunningChain, folder: Path) -> None:
    typer.echo(
        f"A {chain.network} chain of {chain.coin} is ready.\n\n{_connections(chain)}\n  logs    {folder}\n\n"
        "In another terminal: bitcart devchain pay ADDRESS 0.1, then bitcart devchain mine.\n"
        "Ctrl-C ends the chain; nothing of it is kept."
    )


def _connections(chain: RunningChain) -> str:
    return f"  server  {chain.server}\n  node    {chain.rpc_url} (user {chain.rpc_user}, password {chain.rpc_password})"
