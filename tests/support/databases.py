"""The same tests on every database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from image_search_service.db.migrate import migrate
from image_search_service.db.session import Database
from tests.support.world import migrated_database

DATABASES = ("sqlite", "postgresql")
SERVER = "IMAGE_SEARCH_TEST_DATABASE_URL"


@contextmanager
def open_database(name: str, folder: Path) -> Iterator[Database]:
    """An empty library's database: SQLite in ``folder``, or a schema of its own on the PostgreSQL server."""
    if name == "sqlite":
        database = migrated_database(folder)
        yield database
        database.close()
        return
    with postgresql_schema() as url:
        database = Database(url)
        migrate(database, folder)
        yield database
        database.close()


@contextmanager
def postgresql_schema() -> Iterator[URL]:
    """The URL of an empty schema, dropped in the end. Skips where no server is configured."""
    server = os.environ.get(SERVER)
    if not server:
        pytest.skip(f"no PostgreSQL: set {SERVER}, such as postgresql+psycopg://me@localhost/test")
    schema = f"test_{uuid4().hex}"
    engine = create_engine(server)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    try:
        yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()
