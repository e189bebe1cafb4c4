"""What people ask a running daemon: `bitcart rpc` calls a method, `bitcart events` reads its journal."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

from bitcart_core.errors import CoinRefused, CoinUnreachable, ConfigError
from bitcart_core.settings import Settings
from bitcart_host_daemon.credentials import ADDRESS_FILE

_KEYWORD = re.compile(r"([a-z_][a-z0-9_]*)=(.*)", re.DOTALL)

Name = Annotated[str, typer.Argument(help="The coin: the name of its plugin, such as bitcoin.")]
Network = Annotated[str, typer.Option(help="Its network.")]
Data = Annotated[Path | None, typer.Option(help="Its folder. [BITCART_DATA/plugins/NAME/NETWORK]")]


def rpc(
    name: Name,
    method: Annotated[str, typer.Argument(help="The method; `help` lists them.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Its arguments, by place or as NAME=VALUE.")] = None,
    *,
    xpub: Annotated[str | None, typer.Option(help="The wallet.", envvar="BITCART_XPUB")] = None,
    network: Network = "mainnet",
    data: Data = None,
) -> None:
    """Call a method of a running daemon and print its result as JSON."""
    positional, keywords = read_arguments(arguments or [])
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": [*positional, {"xpub": xpub, **keywords}]}
    asyncio.run(_print_result(_find(name, network, data), request))


def events(
    name: Name,
    *,
    since: Annotated[int, typer.Option(min=0, help="The last entry you have; 0 for all.")] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with what happens from now.")] = False,
    network: Network = "mainnet",
    data: Data = None,
) -> None:
    """Print the journal of a running daemon, a line of JSON for each entry."""
    asyncio.run(_print_events(_find(name, network, data), since, follow=follow))


def read_arguments(arguments: Sequence[str]) -> tuple[list[Any], dict[str, Any]]:
    """Tell arguments by place from NAME=VALUE; each is read as JSON where it is JSON, else as text.

    >>> read_arguments(["5", "memo=a cup", "amount=0.10"])
    ([5], {'memo': 'a cup', 'amount': Decimal('0.10')})
    """
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for argument in arguments:
        if named := _KEYWORD.fullmatch(argument):
            keywords[named[1]] = _read_value(named[2])
        else:
            positional.append(_read_value(argument))
    return positional, keywords


def _read_value(text: str) -> Any:
    try:
        return json.loads(text, parse_float=Decimal)
    except ValueError:
        return text


def _find(name: str, network: str, data: Path | None) -> dict[str, str]:
    folder = data or Settings().data_dir / "plugins" / name / network
    try:
        address: dict[str, str] = json.loads((folder / ADDRESS_FILE).read_text())
    except (OSError, ValueError):
        raise ConfigError(
            f"no daemon of {name} on {network} runs in {folder}; start it with `bitcart daemon {name}`, "
            "or name its folder with --data"
        ) from None
    return address


async def _print_result(address: dict[str, str], request: dict[str, Any]) -> None:
    typer.echo(json.dumps(await _call(address, request), indent=2))


async def _print_events(address: dict[str, str], since: int, *, follow: bool) -> None:
    state = await _call(address, {"method": "state"})
    if since > state["seq"]:
        raise ConfigError(f"the journal ends at entry {state['seq']}; --since {since} lies beyond it")
    async with aclosing(_frames(address, {"epoch": state["epoch"], "seq": since})) as frames:
        async for frame in frames:
            if "updates" in frame:
                typer.echo(json.dumps(frame))
            elif "reset" in frame:
                typer.echo(f"entries before {frame['seq']} are not kept any more", err=True)
            elif "heartbeat" in frame and not follow:
                return


async def _call(address: dict[str, str], request: dict[str, Any]) -> Any:
    import aiohttp  # noqa: PLC0415 - see `command`

    headers = {"Authorization": aiohttp.encode_basic_auth(address["login"], address["password"])}
    url, body = address["url"], json.dumps(request, default=str)
    try:
        async with aiohttp.ClientSession(headers=headers) as session, session.post(url, data=body) as response:
            answer = json.loads(await response.text())
    except aiohttp.ClientError as error:
        raise CoinUnreachable(f"the daemon at {url} does not answer: {error}") from error
    if "error" in answer:
        raise CoinRefused(f"{answer['error']['message']} ({answer['error']['code']})")
    return answer["result"]


async def _frames(address: dict[str, str], after: dict[str, int]) -> AsyncGenerator[dict[str, Any]]:
    import aiohttp  # noqa: PLC0415 - see `command`

    headers = {"Authorization": aiohttp.encode_basic_auth(address["login"], address["password"])}
    url, is_begun = f"{address['url']}/ws", False
    try:
        async with aiohttp.ClientSession(headers=headers) as session, session.ws_connect(url) as socket:
            await socket.send_json({"after": after})
            async for message in socket:
                frame = message.json()
                is_begun = is_begun or "resumed" in frame or "reset" in frame
                if is_begun:
                    yield frame
    except aiohttp.ClientError as error:
        raise CoinUnreachable(f"the daemon at {url} does not answer: {error}") from error
