"""Servers for libraries that several processes use at once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.service_processes import free_port


@pytest.fixture
def redis_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the Redis server: the module's own (``REDIS_DATABASE``), since files of tests run
    beside each other."""
    server = os.environ.get("IMAGE_SEARCH_TEST_REDIS_URL") or "redis://127.0.0.1:6379/0"
    url = f"{server.rpartition('/')[0]}/{request.module.REDIS_DATABASE}"
    client = redis.Redis.from_url(url, socket_connect_timeout=1)
    try:
        client.flushdb()
    except redis.exceptions.RedisError:
        pytest.skip(f"no Redis at {url}: start redis-server, or set IMAGE_SEARCH_TEST_REDIS_URL")
    yield url
    client.flushdb()
    client.close()


@pytest.fixture
def server_settings(redis_url: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What services and workers are told: where the servers are, which are running."""
    with (
        postgresql_schema() as database,
        EmbeddedQdrant(tmp_path / "qdrant") as engine,
        QdrantServer(engine) as server,
    ):
        yield {
            "library": tmp_path / "library",
            "engine": "synthetic",
            "offline": "true",
            "database_url": database.render_as_string(hide_password=False),
            "redis_url": redis_url,
            "qdrant_url": f"http://127.0.0.1:{server.rest_port}",
            "qdrant_grpc_port": server.grpc_port,
            "port": free_port(),
        }
