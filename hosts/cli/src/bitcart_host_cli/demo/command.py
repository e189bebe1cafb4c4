"""`bitcart demo`: everything at once, with a payment that really happens."""

import asyncio
import fcntl
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from typing import Annotated

import typer

from bitcart_core import migrations
from bitcart_core.devchains import ChainTools, RunningChain
from bitcart_core.embedded.account import make_folder
from bitcart_core.errors import ConfigError
from bitcart_core.kernel import Kernel
from bitcart_core.settings import Settings
from bitcart_host_cli.commands.setup import fetch_requisites
from bitcart_host_cli.demo import files
from bitcart_host_cli.demo.inbox import Inbox
from bitcart_host_cli.demo.merchant import Merchant
from bitcart_host_cli.demo.proofs import Scene, proofs, watch
from bitcart_host_cli.deployment import environment, processes
from bitcart_host_cli.ports import free_port
from bitcart_host_cli.storage import make_data_dir, storage
from bitcart_host_cli.supervisor import Supervisor

COIN = "btc"
_READY_SECONDS = 60.0
_PROOF_SECONDS = 60.0


def demo(
    *,
    exit_: Annotated[
        bool,
        typer.Option("--exit", envvar="DEMO_EXIT", help="End after the payment: 0 if all of it was proved, else 1."),
    ] = False,
    show_logs: Annotated[bool, typer.Option("--logs", help="Show what the hosts log.")] = False,
) -> None:
    """Watch a real payment: a chain, a daemon, a store and a buyer, all on this machine, paid before your eyes.

    Stays up until Ctrl-C, so that you can look around and pay more invoices with `bitcart pay`.
    """
    begun = time.monotonic()
    settings = Settings()
    make_data_dir(settings)
    with ExitStack() as stack:
        stack.enter_context(_only_one(settings))
        inbox = stack.enter_context(Inbox())
        demo_settings = files.prepare(settings, http_port=inbox.http_port, smtp_port=inbox.smtp_port)
        demo_settings = demo_settings.model_copy(update={"port": free_port(settings.port)})
        with Kernel(demo_settings) as kernel:
            fetch_requisites(kernel.registry, settings)
        (demo_settings.data_dir / "demo.json").write_text(json.dumps({"port": demo_settings.port}))
        tools, chain = stack.enter_context(_chain(demo_settings))
        kernel = stack.enter_context(_kernel(demo_settings))
        scene = Scene(kernel=kernel, chain=chain, tools=tools, inbox=inbox)
        is_proved = asyncio.run(_run(scene, begun=begun, is_ending=exit_, is_quiet=not show_logs))
    if exit_ and not is_proved:
        raise typer.Exit(1)


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Refuse to stand beside another demo: it makes its folder anew."""
    with (settings.data_dir / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConfigError(
                f"a demo runs already in {settings.data_dir}; stop it, or set BITCART_DATA to another folder"
            ) from None
        yield


@contextmanager
def _chain(settings: Settings) -> Iterator[tuple[ChainTools, RunningChain]]:
    with Kernel(settings) as kernel:
        factory = kernel.registry.devchains[COIN]
    folder = make_folder(settings.data_dir / "devchain", mode=0o700)
    running = factory.create(settings.data_dir)
    typer.echo("starting a chain of our own ...")
    chain = running.start(make_folder(folder / COIN, mode=0o700))
    try:
        (folder / f"{COIN}.json").write_text(json.dumps(chain.to_json()))
        (folder / f"{COIN}.json").chmod(0o600)
        yield factory.tools(chain), chain
    finally:
        running.stop()


@contextmanager
def _kernel(settings: Settings) -> Iterator[Kernel]:
    typer.echo("starting the database ...")
    with storage(settings) as kept, Kernel(kept.settings) as kernel:
        migrations.upgrade(kernel.engine)
        yield kernel


async def _run(scene: Scene, *, begun: float, is_ending: bool, is_quiet: bool) -> bool:
    """Keep the hosts up, and let a merchant sell and a buyer pay beside them; return whether all was proved."""
    daemon = {f"{COIN.upper()}_SERVER": scene.chain.server, f"{COIN.upper()}_ONESERVER": "true"}
    supervisor = Supervisor({**environment(scene.kernel.settings), **daemon}, is_quiet=is_quiet)
    wanted = processes(scene.kernel)
    typer.echo(f"starting {len(wanted)} processes ...")
    running = asyncio.create_task(supervisor.run(wanted))
    is_proved = False
    try:
        await supervisor.until_ready(wanted, timeout_seconds=_READY_SECONDS)
        if not supervisor.is_stopping:
            is_proved = await asyncio.to_thread(_sell_and_pay, scene, begun)
        if is_ending:
            supervisor.stop()
    except BaseException:
        supervisor.stop()
        raise
    finally:
        await running
    return is_proved


def _sell_and_pay(scene: Scene, begun: float) -> bool:
    kernel, tools = scene.kernel, scene.tools
    url = kernel.settings.url
    key = kernel.registry.devchains[COIN].fresh_key(scene.chain)
    merchant = Merchant.open_store(url, key=key, inbox=scene.inbox)
    invoice = merchant.sell("5.00")
    method = invoice["payments"][0]
    typer.echo(f"\ninvoice   {invoice['id']}: {invoice['price']} {invoice['currency']}")
    typer.echo(f"          {method['amount']} BTC to {method['payment_address']}")
    txid = tools.pay(method["payment_address"], Decimal(method["amount"]))
    typer.echo(f"paid      {txid}")
    tools.mine(1)
    wanted = proofs(scene, merchant, invoice_id=invoice["id"], txid=txid)
    proved = []
    for proof in watch(wanted, timeout_seconds=_PROOF_SECONDS):
        typer.echo(f"  yes     {proof.claim}")
        proved.append(proof)
    for proof in wanted:
        if proof not in proved:
            typer.echo(f"  NO      {proof.claim}")
    typer.echo(f"\n{len(proved)} of {len(wanted)} proved, {time.monotonic() - begun:.1f} s after the start")
    _look_around(url, invoice["id"], kernel)
    return len(proved) == len(wanted)


def _look_around(url: str, invoice_id: str, kernel: Kernel) -> None:
    typer.echo(
        f"""
checkout  {url}/i/{invoice_id}
REST API  {url}/docs
data      {kernel.settings.data_dir}

Make another invoice over the API, then pay it:  bitcart pay INVOICE_ID
Ctrl-C ends everything."""
    )
