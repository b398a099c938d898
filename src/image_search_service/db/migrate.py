"""Brings a database to this version's schema: a newer one is refused, an older one copied first."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from image_search_service.core.errors import NewerLibraryError
from image_search_service.db.errors import translated
from image_search_service.db.session import Database

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 0x696D6167655F73
"""Any number that no other program on the database takes: "image_s" in ASCII."""


def migrate(database: Database, backups: Path) -> Path | None:
    """Upgrade to the newest schema; returns the copy that was made before, if there was anything to copy.

    Raises NewerLibraryError when the database has a revision that this version does not know.
    """
    with translated():
        return _migrate(database, backups)


def _migrate(database: Database, backups: Path) -> Path | None:
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    current = current_revision(database)
    if current == scripts.get_current_head():
        return None
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise NewerLibraryError(current)
    copy = _copy_sqlite(database, backups, current) if current is not None else None
    run_migrations(database, config, "head")
    return copy


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def current_revision(database: Database) -> str | None:
    """The revision that the database has, or None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def run_migrations(database: Database, config: Config, revision: str) -> None:
    """Up to ``revision`` in one transaction; SQLite, too, takes DDL back if a step fails.

    Of several processes that start at once, one migrates and the others wait for it: SQLite locks the
    database at the transaction's start, PostgreSQL is asked to.
    """
    with database.engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        _without_foreign_keys(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _without_foreign_keys(connection: Connection) -> None:
    """Copying a table that others refer to must not trip their keys; they are checked at the commit."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")


def _copy_sqlite(database: Database, backups: Path, revision: str) -> Path | None:
    """A consistent copy by SQLite's own backup call. Other databases are their operator's to back up."""
    if not database.is_sqlite or database.url.database is None:
        return None
    backups.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    target = backups / f"before-migration-of-{revision}-{stamp}.sqlite3"
    with sqlite3.connect(database.url.database) as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target
