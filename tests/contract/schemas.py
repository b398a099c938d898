"""Empty databases of each kind, and what a database says of its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import URL, text

from image_search_service.db.models import Base
from image_search_service.db.session import Database, sqlite_url
from tests.support.databases import postgresql_schema


@contextmanager
def empty_database(kind: str, file: Path) -> Iterator[URL]:
    if kind == "sqlite":
        yield sqlite_url(file)
    else:
        with postgresql_schema() as at:
            yield at


def differences(database: Database) -> list[Any]:
    """Where the database's schema is not what the models say."""
    with database.engine.connect() as connection:
        found: list[Any] = compare_metadata(
            MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata
        )
    return found


POSTGRESQL_SCHEMA = """
    SELECT 'column', table_name, ordinal_position::text, column_name || ' ' || udt_name || ' '
        || coalesce(character_maximum_length::text, '') || is_nullable || coalesce(column_default, '')
        FROM information_schema.columns WHERE table_schema = current_schema()
    UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
    UNION ALL SELECT 'index', tablename, indexname, indexdef
        FROM pg_indexes WHERE schemaname = current_schema()
    UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM pg_trigger JOIN pg_class ON tgrelid = pg_class.oid
        WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
    UNION ALL SELECT 'function', '', proname, prosrc
        FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
"""


def schema(database: Database) -> list[Any]:
    """All that a database says of its tables, indexes and triggers; in what order a table's constraints were
    written is left out."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            rows = connection.execute(text("SELECT type, tbl_name, name, sql FROM sqlite_master")).all()
            return sorted((*row[:3], sorted(re.split(r",?\s*\n\s*", row[3] or ""))) for row in rows)
        own = connection.execute(text("SELECT current_schema()")).scalar_one()
        rows = connection.execute(text(POSTGRESQL_SCHEMA)).all()
        return sorted(tuple(value.replace(f"{own}.", "") for value in row) for row in rows)
