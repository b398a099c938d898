"""The same tests on every database."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL, create_engine, make_url, text

from image_search_service.db.migrate import migrate
from image_search_service.db.models import Base
from image_search_service.db.session import Database
from tests.support.world import migrated_database


def depth(parameter: object) -> pytest.ParameterSet:
    """The parameter in ``make test-all`` only."""
    return pytest.param(parameter, marks=pytest.mark.depth)


DATABASES = ("sqlite", depth("postgresql"))
SERVER = "IMAGE_SEARCH_TEST_DATABASE_URL"


@contextmanager
def open_database(name: str, folder: Path) -> Iterator[Database]:
    """An empty library's database: SQLite in ``folder``, or a schema of its own on the PostgreSQL server."""
    if name == "sqlite":
        database = migrated_database(folder)
        yield database
        database.close()
        return
    with migrated_schema() as url:
        database = Database(url)
        yield database
        database.close()


@contextmanager
def postgresql_schema() -> Iterator[URL]:
    """The URL of an empty schema, dropped in the end. Skips where no server is configured."""
    server = _server()
    schema = f"test_{uuid4().hex}"
    _execute(server, f"CREATE SCHEMA {schema}")
    try:
        yield make_url(server).update_query_dict({"options": f"-csearch_path={schema}"})
    finally:
        _execute(server, f"DROP SCHEMA {schema} CASCADE")


_made = ExitStack()
_free: list[URL] = []


@contextmanager
def migrated_schema() -> Iterator[URL]:
    """The URL of a schema with a library's empty tables. It is emptied and used again: making one takes ten
    times as long. ``drop_schemas`` ends them."""
    url = _free.pop() if _free else _migrated(_made.enter_context(postgresql_schema()))
    yield url
    names = ", ".join(table.name for table in Base.metadata.sorted_tables)
    _execute(url, "SET lock_timeout = '10s'", f"TRUNCATE {names} RESTART IDENTITY CASCADE")
    _free.append(url)


def drop_schemas() -> None:
    """Drop what ``migrated_schema`` has made."""
    _free.clear()
    _made.close()


def _migrated(url: URL) -> URL:
    database = Database(url)
    migrate(database, Path())
    database.close()
    return url


def _server() -> str:
    server = os.environ.get(SERVER)
    if not server:
        pytest.skip(f"no PostgreSQL: set {SERVER}, such as postgresql+psycopg://me@localhost/test")
    return server


def _execute(url: str | URL, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
