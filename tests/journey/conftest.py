"""A deployment for the whole session on each kind of server, and a merchant of one's own."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from journey.deployment import Deployment, Merchant, debian_servers, open_store, run_deployment


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="bitcart-journey-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def requisites(request: pytest.FixtureRequest) -> Path:
    """What `make test` fetched before the tests."""
    return request.config.rootpath / ".bitcart" / "tests" / "requisites"


@pytest.fixture(scope="session", params=["embedded", "given"])
def deployment(request: pytest.FixtureRequest, folder: Path, requisites: Path) -> Iterator[Deployment]:
    """A deployment on the servers it brings, and one on Debian's servers given by URL."""
    with contextlib.ExitStack() as stack:
        urls = stack.enter_context(debian_servers(folder)) if request.param == "given" else {}
        yield stack.enter_context(run_deployment(folder / request.param, requisites, urls))


@pytest.fixture
def merchant(deployment: Deployment) -> Merchant:
    return open_store(deployment)
