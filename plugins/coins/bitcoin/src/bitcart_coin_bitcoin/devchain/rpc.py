"""Asks a development chain's node; turns its refusals into `CoinRefused` and its silence into `CoinUnreachable`."""

import base64
import http.client
import json
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from bitcart_core import CoinRefused, CoinUnreachable, RunningChain

_TIMEOUT_SECONDS = 60


class NodeRpc:
    """JSON-RPC over HTTP, a connection per call."""

    def __init__(self, chain: RunningChain) -> None:
        self._url = chain.rpc_url
        login = base64.b64encode(f"{chain.rpc_user}:{chain.rpc_password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}

    def call(self, method: str, *params: object) -> Any:
        """Return the node's result; its numbers with a point are decimals.

        Raises:
            CoinRefused: The node answered with an error.
            CoinUnreachable: It did not answer.
        """
        answer = self._post(json.dumps({"id": 1, "method": method, "params": params}))
        if answer.get("error"):
            asked = method.removeprefix("devchain.")
            raise CoinRefused(f"{asked}: {answer['error']['message']}", code=answer["error"].get("code"))
        return answer["result"]

    def _post(self, body: str) -> dict[str, Any]:
        address = urlsplit(self._url)
        connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", "/", body, self._headers)
            answer: dict[str, Any] = json.loads(connection.getresponse().read(), parse_float=Decimal)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CoinUnreachable(
                f"the development chain at {self._url} does not answer ({error}); start one with `bitcart devchain`"
            ) from error
        finally:
            connection.close()
        return answer
