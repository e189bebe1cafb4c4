"""Find the daemon: where the operator said, or where the one on this machine wrote that it is. Opens no connection."""

import base64
import json
from dataclasses import dataclass, field
from pathlib import Path

from bitcart_coin_daemon.settings import DaemonClientSettings
from bitcart_core import CoinUnreachable

ADDRESS_FILE = "daemon.json"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where a daemon is and what it wants to hear.

    Attributes:
        url: Without a slash at the end.
        login: For basic auth (RFC 7617).
        password: Likewise.
    """

    url: str
    login: str
    password: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """What every request must carry."""
        token = base64.b64encode(f"{self.login}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {token}"}

    @property
    def websocket_url(self) -> str:
        """Where its events are."""
        return f"ws{self.url.removeprefix('http')}/ws"


class Locator:
    """Knows how to find one daemon.

    Args:
        settings: Of the coin plugin.
        folder: The daemon's data folder on this machine.
        name: What to call the daemon in errors.
    """

    def __init__(self, settings: DaemonClientSettings, *, folder: Path, name: str) -> None:
        self._path = folder / ADDRESS_FILE
        self._name = name
        self._configured: Endpoint | None = None
        self._seen: tuple[tuple[int, int], Endpoint] | None = None
        if settings.daemon_url and settings.daemon_password:
            self._configured = Endpoint(
                url=settings.daemon_url.rstrip("/"),
                login=settings.daemon_login,
                password=settings.daemon_password.get_secret_value(),
            )

    @property
    def is_remote(self) -> bool:
        """The operator named a daemon; otherwise it is the one of this machine."""
        return self._configured is not None

    def find(self) -> Endpoint:
        """Return where the daemon is now; one that started again may be on another port.

        Cheap enough to be asked before every call: the file is read again only when it is another one.

        Raises:
            CoinUnreachable: None runs here.
        """
        if self._configured is not None:
            return self._configured
        try:
            status = self._path.stat()
            version = (status.st_ino, status.st_mtime_ns)
            if self._seen is None or self._seen[0] != version:
                told = json.loads(self._path.read_text())
                self._seen = (version, Endpoint(url=told["url"], login=told["login"], password=told["password"]))
            return self._seen[1]
        except FileNotFoundError:
            raise CoinUnreachable(
                f"no daemon of {self._name} runs here ({self._path} is missing); start it with `bitcart daemon`, "
                "or set daemon_url"
            ) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CoinUnreachable(f"cannot read where the daemon of {self._name} is, {self._path}: {error}") from error
