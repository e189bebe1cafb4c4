"""`bitcart pay`: be the buyer of the demo's invoice."""

import json
from decimal import Decimal
from typing import Annotated, Any

import httpx2 as httpx
import typer

from bitcart_core.devchains import RunningChain
from bitcart_core.errors import ConfigError, InputError
from bitcart_core.kernel import Kernel
from bitcart_core.money import parse_amount
from bitcart_core.settings import Settings


def pay(
    invoice: Annotated[str, typer.Argument(help="Id of the invoice, or the address of its page.")],
    *,
    amount: Annotated[
        str, typer.Option(help="How many coins, to pay a part or too much; by default what is due.")
    ] = "",
    mine: Annotated[int, typer.Option(help="Blocks to mine afterwards, to confirm it.")] = 1,
) -> None:
    """Pay an invoice of the running demo on its development chain.

    Example: bitcart pay 01JD... --amount 0.0001 --mine 0
    """
    settings = _demo(Settings())
    method = _method(settings, invoice.rstrip("/").rpartition("/")[2])
    coin = method["currency"]
    coins = parse_amount(amount or method["due"], currency=method["symbol"], decimals=method["divisibility"])
    with Kernel(settings) as kernel:
        factory = kernel.registry.devchains[coin]
        chain = RunningChain.from_json(json.loads((settings.data_dir / "devchain" / f"{coin}.json").read_text()))
        tools = factory.tools(chain)
        txid = tools.pay(method["payment_address"], Decimal(coins))
        typer.echo(f"paid {coins} {method['symbol'].upper()} in {txid}")
        if mine:
            tools.mine(mine)
            typer.echo(f"mined {mine}")


def _demo(settings: Settings) -> Settings:
    folder = settings.data_dir / "demo"
    if not (folder / "demo.json").exists():
        raise ConfigError(f"no demo runs in {settings.data_dir}; start one with `bitcart demo`")
    port = int(json.loads((folder / "demo.json").read_text())["port"])
    return settings.model_copy(update={"data_dir": folder, "plugins_file": folder / "plugins.toml", "port": port})


def _method(settings: Settings, invoice_id: str) -> dict[str, Any]:
    answer = httpx.get(f"{settings.url}/invoices/{invoice_id}")
    if answer.is_error:
        raise InputError(f"no invoice {invoice_id!r} at {settings.url}; copy the id from its page")
    payments: list[dict[str, Any]] = answer.json()["payments"]
    return payments[0]
