"""How a host writes its log: one line for each thing, to standard error; the supervisor adds the host's name."""

import logging


def configure(level: str) -> None:
    """Set up logging for a process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR; anything else counts as INFO.
    """
    known = logging.getLevelNamesMapping()
    logging.basicConfig(
        level=known.get(level.upper(), logging.INFO),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
        force=True,
    )
    for chatty in ("httpx2", "httpcore2", "rq.worker", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
