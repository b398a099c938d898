"""An empty database of each kind, for tests that lay a schema in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from image_search_service.db.session import Database
from tests.contract.schemas import empty_database
from tests.support.databases import DATABASES


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def url(kind: str, tmp_path: Path) -> Iterator[URL]:
    """Where an empty database is."""
    with empty_database(kind, tmp_path / "library.sqlite3") as at:
        yield at


@pytest.fixture
def database(url: URL) -> Iterator[Database]:
    made = Database(url)
    yield made
    made.close()
