"""What people type: `bitcart daemon`, `bitcart rpc`, `bitcart events`. Heavy imports wait until a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from bitcart_core.errors import ConfigError
from bitcart_core.logs import configure
from bitcart_core.settings import Settings

Name = Annotated[str, typer.Argument(help="The coin: the name of its plugin, such as bitcoin.")]


def daemon(  # noqa: PLR0913 - each is an option of the command
    name: Name,
    *,
    network: Annotated[str | None, typer.Option(help="mainnet, testnet, regtest ... [mainnet]")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="0 takes a free one. [the coin's own]")] = None,
    server: Annotated[str | None, typer.Option(help="Server of the coin's network to use, HOST:PORT:t or :s.")] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder for wallets and journal. [BITCART_DATA/plugins/NAME/NETWORK]")
    ] = None,
    option: Annotated[
        list[str] | None, typer.Option(help="A further setting of the coin, NAME=VALUE; repeatable.")
    ] = None,
    show_credentials: Annotated[
        bool, typer.Option("--show-credentials", help="Print login and password, and exit.")
    ] = False,
) -> None:
    """Run the daemon of a coin: it watches the coin's network and answers whoever has its credentials.

    Every option can be set in the environment, by the coin's code: BTC_PORT, BTC_NETWORK, BTC_LOGIN, BTC_PASSWORD.
    """
    # aiohttp takes a third of a second to import; `bitcart --help` shall not pay for that.
    from bitcart_host_daemon.credentials import load_credentials  # noqa: PLC0415
    from bitcart_host_daemon.environment import Options, make_launch  # noqa: PLC0415
    from bitcart_host_daemon.finding import find  # noqa: PLC0415
    from bitcart_host_daemon.folder import make_folder  # noqa: PLC0415
    from bitcart_host_daemon.running import run  # noqa: PLC0415

    configure(Settings().log_level)
    options = Options(
        network=network, host=host, port=port, server=server, data_path=data, extra=_read_extra(option or [])
    )
    launch = make_launch(name, find(name), options)
    if show_credentials:
        folder = launch.settings.data_dir
        make_folder(folder)
        shown = load_credentials(folder, login=launch.login, password=launch.password)
        typer.echo(f"login {shown.login}\npassword {shown.password}")
    else:
        run(launch)


def _read_extra(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise ConfigError(f"--option {pair!r} is not NAME=VALUE")
    return {name.strip().lower(): value for name, _, value in (pair.partition("=") for pair in pairs)}
