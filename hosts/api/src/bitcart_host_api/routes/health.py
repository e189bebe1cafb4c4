"""Whether this deployment lives, and whether it can work."""

from fastapi import APIRouter, Response
from redis import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bitcart_core.coins import CoinClient
from bitcart_core.errors import CoinError
from bitcart_core.kernel import Kernel
from bitcart_host_api.security import TheKernel

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> dict[str, str]:
    """Answer as long as the process serves."""
    return {"status": "ok"}


@router.get("/ready")
def ready(kernel: TheKernel, response: Response) -> dict[str, str]:
    """Answer 200 once database, Redis and every coin can be reached, else 503 with what is missing."""
    problem = _problem(kernel)
    if problem is None:
        return {"status": "ok"}
    response.status_code = 503
    return {"status": "degraded", "detail": problem}


def _problem(kernel: Kernel) -> str | None:
    try:
        with kernel.engine.connect() as connection:
            connection.execute(text("select 1"))
    except SQLAlchemyError:
        return "database unreachable"
    try:
        kernel.redis.ping()
    except RedisError:
        return "redis unreachable"
    away = [code for code, coin in kernel.registry.coins.items() if not _answers(coin.client)]
    return f"coins unreachable: {', '.join(away)}" if away else None


def _answers(client: CoinClient) -> bool:
    try:
        client.state()
    except CoinError:
        return False
    return True
