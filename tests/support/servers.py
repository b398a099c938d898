"""The servers that several services and workers of one library share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer

REDIS = "IMAGE_SEARCH_TEST_REDIS_URL"


def redis_url(database: int | None = None) -> str:
    """The URL of the Redis server, and of this database of it if there is one. Skips where no server runs."""
    url = os.environ.get(REDIS) or "redis://127.0.0.1:6379/0"
    if database is not None:
        url = f"{url.rpartition('/')[0]}/{database}"
    client = redis.Redis.from_url(url, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.exceptions.RedisError:
        pytest.skip(f"no Redis at {url}: start redis-server, or set {REDIS}")
    finally:
        client.close()
    return url


@contextmanager
def servers(folder: Path, redis_database: int) -> Iterator[dict[str, Any]]:
    """What services and workers are told whose stores are servers, which are running.

    redis_database: the module's own, since files of tests run beside each other; emptied before and after.
    """
    queues = redis_url(redis_database)
    with (
        redis.Redis.from_url(queues) as client,
        postgresql_schema() as database,
        EmbeddedQdrant(folder / "qdrant") as engine,
        QdrantServer(engine) as server,
    ):
        client.flushdb()
        yield {
            "library": folder / "library",
            "engine": "synthetic",
            "offline": "true",
            "database_url": database.render_as_string(hide_password=False),
            "redis_url": queues,
            **server.settings,
        }
        client.flushdb()
