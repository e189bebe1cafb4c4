"""A whole deployment with a real chain: run by `bitcart up` as an operator would, driven over HTTP by a merchant."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from bitcart_host_cli.demo.inbox import Inbox

from bitcart_core import loader
from bitcart_core.devchains import ChainTools, DevchainFactory, RunningChain
from bitcart_core.embedded.account import make_folder, service_identity
from bitcart_core.kernel import Kernel
from bitcart_core.processes import Child
from bitcart_core.settings import Settings

PLUGINS = """\
[bitcoin]
network = "regtest"
[fixed.prices]
BTC_USD = "50000"
[webhook]
allowed_networks = ["127.0.0.0/8"]
allowed_ports = [{http_port}]
[scripts]
folder = "{scripts}"
[email]
allowed_networks = ["127.0.0.0/8"]
allowed_ports = [{smtp_port}]
[apprise]
extra_schemas = ["json"]
allowed_ports = [{http_port}]
allowed_networks = ["127.0.0.0/8"]
[page]
"""
SCRIPT = "#!/bin/sh\nread -r event\necho heard of $BITCART_EVENT\n"
PATIENCE = 40


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until something holds, and return what it returned."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(httpx.TransportError, OSError):
            if result := holds():
                return result
        time.sleep(0.05)
    pytest.fail(f"waited {seconds} s in vain until {what}")


@dataclass
class Deployment:
    """`bitcart up` in a folder of its own, beside a chain."""

    settings: Settings
    chain: RunningChain
    tools: ChainTools
    inbox: Inbox
    environment: dict[str, str]
    key: str
    python: str = sys.executable
    process: subprocess.Popen | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def up(self) -> None:
        log = (self.settings.data_dir / "up.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [self.python, "-m", "bitcart_host_cli", "up"],
                env=self.environment, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self.client.base_url = self.settings.url
        try:
            until(self.is_ready_or_dead, "the deployment is ready", 90)
        except BaseException:
            print(self.log[-8000:])  # noqa: T201 - pytest shows it beside the failure
            raise
        assert self.process.poll() is None, self.log[-8000:]

    def is_ready_or_dead(self) -> bool:
        is_dead = self.process is not None and self.process.poll() is not None
        return is_dead or self.client.get("/health/ready").status_code == 200

    def down(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def log(self) -> str:
        return (self.settings.data_dir / "up.log").read_text()

    def pids(self, *words: str) -> list[int]:
        """Return the processes of this deployment whose command line has these words."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                environment = (entry / "environ").read_bytes().decode(errors="replace")
                if all(word in command for word in words) and f"BITCART_DATA={self.settings.data_dir}\0" in environment:
                    found.append(int(entry.name))
        return found

    def servers(self, program: str) -> list[int]:
        """Return the storage servers that this deployment brought; none if it was given some."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                words = (entry / "cmdline").read_bytes().decode().replace("\0", " ").split()
                if self.process is not None and parent == self.process.pid and Path(words[0]).name == program:
                    found.append(int(entry.name))
        return found

    def kernel(self) -> Kernel:
        """Return a kernel on the deployment's own database, to look at what is stored."""
        environment = next(
            (Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0") for pid in self.pids("api")), []
        )
        urls = dict(line.partition("=")[::2] for line in environment)
        return Kernel(
            self.settings.model_copy(update={"database_url": urls["DATABASE_URL"], "redis_url": urls["REDIS_URL"]})
        )


@dataclass
class Merchant:
    """A merchant with a store on a deployment."""

    deployment: Deployment
    token: str
    store_id: str
    wallet_id: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self.deployment.client.post(path, json=body, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def sell(self, **fields: Any) -> dict[str, Any]:
        return self.post("/invoices", store_id=self.store_id, **{"price": "5.00", "order_id": "7", **fields})

    def invoice(self, made: dict[str, Any]) -> dict[str, Any]:
        return self.deployment.client.get(f"/invoices/{made['id']}", headers=self.headers).json()

    def pay(self, made: dict[str, Any], amount: str) -> str:
        return self.deployment.tools.pay(made["payments"][0]["payment_address"], Decimal(amount))

    def becomes(self, made: dict[str, Any], status: str, exception: str = "none") -> dict[str, Any]:
        """Wait until an invoice has become something, and return it."""

        def has() -> dict[str, Any] | None:
            shown = self.invoice(made)
            return shown if (shown["status"], shown["exception_status"]) == (status, exception) else None

        return until(has, f"the invoice is {status}/{exception}; it is {self.invoice(made)['status']}")


def open_store(
    deployment: Deployment, *, provider: str = "apprise", target: dict[str, Any] | None = None, **checkout: Any
) -> Merchant:
    """Register a merchant and open a store that tells the inbox everything."""
    email = f"m{time.monotonic_ns()}@example.com"
    answer = deployment.client.post("/users", json={"email": email, "password": "secret"})
    merchant = Merchant(deployment, answer.json()["token"], "", "")
    wallet = merchant.post("/wallets", name="Till", xpub=deployment.key)
    inbox = deployment.inbox
    data = target or {"url": f"json://127.0.0.1:{inbox.http_port}/notify"}
    notification = merchant.post("/notifications", name="Chat", provider=provider, data=data)
    store = merchant.post(
        "/stores",
        name="Green Bean",
        wallets=[wallet["id"]],
        notifications=[notification["id"]],
        checkout_settings={"transaction_speed": 1, **checkout},
        email_settings={"address": email, "host": "127.0.0.1", "port": inbox.smtp_port, "auth_mode": "none"},
        plugin_settings={"webhook": {"endpoints": [{"url": f"http://127.0.0.1:{inbox.http_port}/webhook"}]}},
    )
    inbox.secret = store["webhook_secret"]
    merchant.store_id, merchant.wallet_id = store["id"], wallet["id"]
    return merchant


@contextlib.contextmanager
def debian_servers(folder: Path) -> Iterator[dict[str, str]]:
    """Run Debian's own PostgreSQL and Redis on loopback, and return their URLs."""
    programs = max(Path("/usr/lib/postgresql").glob("*/bin"))
    identity, port, redis_port = service_identity(), free_port(), free_port()
    data = make_folder(folder / "debian-postgres", mode=0o700, owner=identity)
    user = {"user": identity.uid, "group": identity.gid, "extra_groups": []} if identity else {}
    arguments = [programs / "initdb", "-D", data, "-U", "shop", "--auth=trust", "--no-locale", "-E", "UTF8"]
    subprocess.run(arguments, check=True, cwd=data, stdout=subprocess.DEVNULL, **user)
    server = Child(
        [str(programs / "postgres"), "-D", str(data), "-h", "127.0.0.1", "-p", str(port), "-k", str(data)],
        log=folder / "debian-postgres.log", cwd=data, identity=identity, stop_signal=signal.SIGINT,
    )  # fmt: skip
    redis = Child(
        ["/usr/bin/redis-server", "--port", str(redis_port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", ""],
        log=folder / "debian-redis.log",
    )
    try:
        until(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None, "PostgreSQL listens")
        yield {
            "DATABASE_URL": f"postgresql://shop@127.0.0.1:{port}/postgres",
            "REDIS_URL": f"redis://127.0.0.1:{redis_port}/3",
        }
    finally:
        redis.stop()
        server.stop()


def devchains(data: Path) -> dict[str, DevchainFactory]:
    """Return the development chains of the shipped plugins."""
    found = loader.find([loader.PluginTable(name="bitcoin", lane=None, settings={"network": "regtest"})])
    with Kernel(Settings(data_dir=data), plugins=found) as kernel:
        return kernel.registry.devchains


@contextlib.contextmanager
def run_deployment(
    data: Path, requisites: Path, urls: dict[str, str], *, python: str = sys.executable, more_plugins: str = ""
) -> Iterator[Deployment]:
    make_folder(data, mode=0o711)
    (data / "requisites").symlink_to(requisites)
    scripts = make_folder(data / "scripts", mode=0o700)
    (scripts / "invoice_completed").write_text(SCRIPT)
    (scripts / "invoice_completed").chmod(0o700)
    with Inbox() as inbox:
        plugins = data / "plugins.toml"
        plugins.write_text(
            more_plugins + PLUGINS.format(http_port=inbox.http_port, smtp_port=inbox.smtp_port, scripts=scripts)
        )
        settings = Settings(data_dir=data, plugins_file=plugins, port=free_port(), database_url="", redis_url="")
        factory = devchains(data)["btc"]
        devchain = factory.create(data)
        chain = devchain.start(make_folder(data / "chain", mode=0o700))
        environment = {
            **os.environ, "BITCART_DATA": str(data), "BITCART_PLUGINS": str(plugins), "BITCART_PORT": str(settings.port),
            "BTC_SERVER": chain.server, "BTC_ONESERVER": "true", "DATABASE_URL": "", "REDIS_URL": "", **urls,
        }  # fmt: skip
        deployment = Deployment(
            settings, chain, factory.tools(chain), inbox, environment, factory.fresh_key(chain), python
        )
        try:
            deployment.up()
            yield deployment
        finally:
            deployment.down()
            deployment.client.close()
            devchain.stop()
