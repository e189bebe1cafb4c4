"""Start the real daemon host with the scripted coin inside, kill it, start it again, and drive it from a test."""

import base64
import http.client
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from bitcart_core.errors import CoinRefused, CoinUnreachable
from bitcart_core.processes import Child

SCRIPTED = "bitcart_core.testing.daemons:ScriptedDaemon"
START_SECONDS = 60
_LOCAL = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ScriptedDaemonRemote:
    """What a test can do to a scripted daemon that runs; offers what `bitcart_core.ChainTools` does.

    Args:
        folder: Its data folder, where it writes its address.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def address(self) -> dict[str, str]:
        """Where it is and what it wants to hear: `url`, `login`, `password`."""
        told: dict[str, str] = json.loads((self.folder / "daemon.json").read_text())
        return told

    def call(self, method: str, /, *positional: Any, xpub: Any = None, **keywords: Any) -> Any:
        """Call a method as the official SDK does.

        Raises:
            CoinRefused: With the code of the answer.
            CoinUnreachable: No answer.
        """
        params = [*positional, {"xpub": xpub, **keywords}]
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}, default=str)
        answer = json.loads(self.fetch("/", body.encode()))
        if "error" in answer:
            raise CoinRefused(answer["error"]["message"], code=answer["error"]["code"])
        return answer["result"]

    def fetch(self, path: str, body: bytes | None = None) -> bytes:
        """Return the body of any answer, whatever its status.

        Raises:
            CoinUnreachable: No answer.
        """
        try:
            address = self.address
            token = base64.b64encode(f"{address['login']}:{address['password']}".encode()).decode()
            request = urllib.request.Request(  # noqa: S310 - the address is our own daemon's
                address["url"] + path, data=body, headers={"Authorization": f"Basic {token}"}
            )
            with _LOCAL.open(request, timeout=30) as answer:
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            return error.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise CoinUnreachable(f"the scripted daemon did not answer: {error}") from error

    def script(self, action: str, /, **arguments: Any) -> Any:
        """Make something happen: see `ScriptedDaemon` for the actions."""
        return self.call("script", action, **arguments)

    # bitcart_core.ChainTools

    def height(self) -> int:
        """Return the height of the best block."""
        return int(self.script("height"))

    def mine(self, blocks: int) -> list[str]:
        """Mine blocks; return their hashes."""
        return list(self.script("mine", blocks=blocks))

    def pay(self, address: str, amount: Decimal) -> str:
        """Pay an address; return the txid once it is in the journal."""
        return str(self.script("pay", address=address, amount=str(amount)))

    def replace(self, txid: str, address: str | None) -> str:
        """Replace a waiting transaction; return the new txid."""
        return str(self.script("replace", txid=txid, address=address))

    def reorg(self, depth: int, *, keep_transactions: bool = True) -> int:
        """Throw away blocks and mine one more; return the new height."""
        return int(self.script("reorg", depth=depth, keep_transactions=keep_transactions))

    def confirmations(self, txid: str) -> int:
        """Return how many blocks stand on a transaction."""
        return int(self.script("confirmations", txid=txid))

    def _serves(self) -> bool:
        try:
            return bool(json.loads(self.fetch("/health"))["status"] == "ok")
        except (CoinUnreachable, ValueError):
            return False


class ScriptedDaemonProcess(ScriptedDaemonRemote):
    """A daemon process with the scripted coin.

    Args:
        folder: Its data folder; chain and journal stay there when the process is gone.
        options: More options of `bitcart daemon`; by default it takes a free port.
        environment: Set in addition to our own.
    """

    def __init__(
        self, folder: Path, *, options: Sequence[str] = ("--port", "0"), environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(folder)
        self._options = options
        self._environment = environment or {}
        self._child: Child | None = None

    def start(self) -> "ScriptedDaemonProcess":
        """Start it and wait until it serves.

        Raises:
            CoinUnreachable: It ended instead; holds what it printed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "daemon.json").unlink(missing_ok=True)  # a killed process leaves it behind
        command = [sys.executable, "-m", "bitcart_host_daemon", SCRIPTED, "--data", str(self.folder), *self._options]
        self._child = Child(command, log=self.log_path, environment={**os.environ, **self._environment})
        deadline = time.monotonic() + START_SECONDS
        while not self._serves():
            if self._child.exit_code is not None or time.monotonic() > deadline:
                self.stop()
                raise CoinUnreachable(f"the scripted daemon did not start: {self.log_path.read_text()[-2000:]}")
            time.sleep(0.02)
        return self

    def stop(self) -> int | None:
        """End it in good order; return its exit code."""
        if self._child is None:
            return None
        self._child.stop(grace_seconds=10)
        return self._child.exit_code

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self.signal(signal.SIGKILL)
        self.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, such as SIGSTOP to make it silent."""
        if self._child is not None:
            os.kill(self._child.pid, number)

    def wait(self) -> None:
        """Wait until the process has ended by itself."""
        while self._child is not None and self._child.exit_code is None:
            time.sleep(0.01)

    def restart(self) -> "ScriptedDaemonProcess":
        """Start it again on the same folder, whether it runs or not."""
        self.stop()
        return self.start()

    @property
    def log_path(self) -> Path:
        """Everything the process printed, over all starts."""
        return self.folder.parent / f"{self.folder.name}.log"
