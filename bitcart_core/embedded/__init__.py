"""A PostgreSQL and a Redis of our own, for when no URL is given. Owned by the supervisor alone."""

from bitcart_core.embedded.postgres import EmbeddedPostgres
from bitcart_core.embedded.redis import EmbeddedRedis

__all__ = ["EmbeddedPostgres", "EmbeddedRedis"]
