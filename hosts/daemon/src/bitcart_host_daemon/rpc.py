"""JSON-RPC as the daemon contract has it (sections 1 and 2): read a call, have it answered, write the answer.

Knows nothing of HTTP and of any coin's methods. No key, seed or other text of a call ever reaches the log.
"""

import json
import logging
import math
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NoReturn

from bitcart_core.coins import WalletKey
from bitcart_core.errors import CoinRefused

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
PROCEDURE_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
WALLET_NOT_LOADED = -32000

HIDDEN = "…"
_SHORTEST_SECRET = 6
"""Texts of a call this long or longer are cut out of the log; shorter ones would tear words apart."""

log = logging.getLogger("bitcart.daemon")


@dataclass(frozen=True, kw_only=True)
class Call:
    """One JSON-RPC call.

    Attributes:
        method: Its name.
        positional: Arguments by place.
        keywords: Arguments by name, without `xpub`.
        key: What `xpub` said, or None.
        id: Echoed as it came.
    """

    method: str
    positional: Sequence[Any]
    keywords: Mapping[str, Any] = field(repr=False)
    key: WalletKey | None
    id: Any

    def texts(self) -> list[str]:
        """Return every text in the arguments, the longest first: what must not be logged."""
        key = (self.key.key, self.key.contract, self.key.extra) if self.key else ()
        found = {text for text in _texts((self.positional, self.keywords, key)) if len(text) >= _SHORTEST_SECRET}
        return sorted(found, key=len, reverse=True)


class RawJson(str):
    """JSON text that is to be sent as it stands."""

    __slots__ = ()


Answer = Callable[[Call], Awaitable[Any]]


class Rpc:
    """Turns bodies into answers.

    Args:
        answer: Does the work; raises what it likes.
        spec: Returns the body of `GET /spec`, whose `electrum_map` gives errors their codes.
    """

    def __init__(self, answer: Answer, spec: Callable[[], Mapping[str, Any]]) -> None:
        self._answer = answer
        self._spec = spec

    async def reply(self, body: bytes) -> str:
        """Answer one request; whatever happens, the result is a JSON-RPC response.

        Args:
            body: As it was sent, whatever its content type.
        """
        call_id = None
        try:
            request = _parse(body)
            call_id = request.get("id")
            call = _read(request)
        except CoinRefused as refusal:
            return error_text(refusal.code or INVALID_REQUEST, str(refusal), call_id)
        try:
            return _result_text(await self._answer(call), call_id)
        except CoinRefused as refusal:
            if refusal.code is not None:
                return error_text(refusal.code, hide(str(refusal), _key_texts(call)), call_id)
            return self._failure(call, refusal)
        except Exception as error:  # noqa: BLE001 - the one place that answers for whatever a coin may raise
            return self._failure(call, error)

    def _failure(self, call: Call, error: Exception) -> str:
        text = describe(error)
        code = self._code_for(text)
        if code == INTERNAL_ERROR and not (call.key and call.key.extra.get("quiet_mode")):
            trace = "".join(traceback.format_exception(error))
            log.error("%r failed\n%s", call.method[:64], hide(trace, call.texts()))
        return error_text(code, hide(text, _key_texts(call)), call.id)

    def _code_for(self, text: str) -> int:
        lowered = text.lower()
        known: Mapping[str, int] = self._spec().get("electrum_map", {})
        return next((code for part, code in known.items() if part.lower() in lowered), INTERNAL_ERROR)


def error_text(code: int, message: str, call_id: Any = None) -> str:
    """Return a JSON-RPC error response."""
    return json.dumps({"jsonrpc": "2.0", "error": {"code": code, "message": message}, "id": call_id}, default=_number)


def describe(error: BaseException) -> str:
    """Return `module.Class: text`, built-in exceptions without their module (contract, section 1)."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{name}: {error}"


def hide(text: str, secrets: Sequence[str]) -> str:
    """Replace every secret in a text."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def read_key(xpub: Any) -> WalletKey | None:
    """Read `xpub` as clients send it: text, or an object with `xpub`, `contract` and what else the coin takes.

    What is neither is handed on as text, so that the coin refuses it as it refuses any other bad key, and so that
    methods which need no wallet still answer (contract, section 1).
    """
    if not xpub:
        return None
    if not isinstance(xpub, dict):
        return WalletKey(key=_encodable(xpub))
    extra = {name: value for name, value in xpub.items() if name not in ("xpub", "contract")}
    contract = xpub.get("contract")
    return WalletKey(
        key=_encodable(xpub.get("xpub") or ""), contract=_encodable(contract) if contract else None, extra=extra
    )


def _encodable(value: Any) -> str:
    """Return a value as text that has a digest: JSON can carry half a character, which no encoding takes."""
    return str(value).encode(errors="replace").decode()


def _parse(body: bytes) -> dict[str, Any]:
    try:
        # Numbers with a point become decimals: an amount must not pass through a binary float.
        request = json.loads(body, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise CoinRefused("Parse error", code=PARSE_ERROR) from None
    if isinstance(request, list):
        raise CoinRefused("batch not supported", code=INVALID_REQUEST)
    if not isinstance(request, dict):
        raise CoinRefused("Invalid Request", code=INVALID_REQUEST)
    return request


def _read(request: Mapping[str, Any]) -> Call:
    method = request.get("method")
    if not isinstance(method, str) or not method:
        raise CoinRefused("Procedure not found", code=PROCEDURE_NOT_FOUND)
    params = request.get("params")
    positional, keywords = _split(params if params is not None else [])
    key = read_key(keywords.pop("xpub", None))
    return Call(method=method, positional=positional, keywords=keywords, key=key, id=request.get("id"))


def _split(params: Any) -> tuple[list[Any], dict[str, Any]]:
    """Tell arguments by place from those by name: in a list, a last object holds the names."""
    if isinstance(params, dict):
        return [], dict(params)
    if not isinstance(params, list):
        raise CoinRefused("params must be a list or an object", code=INVALID_PARAMS)
    if params and isinstance(params[-1], dict):
        return params[:-1], dict(params[-1])
    return list(params), {}


def _result_text(result: Any, call_id: Any) -> str:
    text = result if isinstance(result, RawJson) else json.dumps(result, default=_plain, allow_nan=False)
    return f'{{"jsonrpc":"2.0","result":{text},"id":{json.dumps(call_id, default=_number)}}}'


def _number(value: Decimal) -> float | str:
    """Return an id as the number it came as; one that no float can hold becomes text."""
    number = float(value)
    return number if math.isfinite(number) else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"a result of type {type(value).__name__} cannot be sent as JSON")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _key_texts(call: Call) -> list[str]:
    return [call.key.key] if call.key and len(call.key.key) >= _SHORTEST_SECRET else []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _texts(part)
