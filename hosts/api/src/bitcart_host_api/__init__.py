"""The API host: Bitcart's Merchants API, served by FastAPI, with the plugins' own applications mounted beside it."""

from bitcart_core.hosts import Deployment, Process


def processes(deployment: Deployment) -> list[Process]:
    """One API on the port of the deployment."""
    settings = deployment.settings
    return [
        Process(name="api", arguments=("api",), ready_url=f"http://{settings.host}:{settings.port}/health/live"),
    ]
