"""Servers for libraries that several processes use at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import servers
from tests.support.service_processes import free_port


@pytest.fixture
def server_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """What services and workers are told; the module says ``REDIS_DATABASE``."""
    with servers(tmp_path, request.module.REDIS_DATABASE) as settings:
        yield settings | {"port": free_port()}
