"""A copy of the database as it is, made before a migration changes it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from image_search_service.core.errors import NoBackupError
from image_search_service.core.files import written_whole
from image_search_service.db.session import Database

PG_DUMP = "pg_dump"


def copy_database(database: Database, folder: Path, revision: str) -> Path | None:
    """A consistent copy in ``folder``, its path; None for a database in memory. Others go on reading.

    SQLite makes a file like its own, PostgreSQL's own program one of SQL. Raises NoBackupError.
    """
    name = f"before-migration-of-{revision}-{datetime.now(UTC).strftime('%Y%m%dT%H%M%S')}"
    try:
        if not database.is_sqlite:
            return _dump_postgresql(database, folder / f"{name}.sql")
        if database.url.database is None:
            return None
        return _copy_sqlite(Path(database.url.database), folder / f"{name}.sqlite3")
    except (OSError, sqlite3.Error) as error:
        raise NoBackupError(f"it cannot be copied into {folder}: {error}") from error


def _copy_sqlite(file: Path, target: Path) -> Path:
    """By SQLite's own backup call."""
    with written_whole(target) as partial:
        source, copy = sqlite3.connect(file), sqlite3.connect(partial)
        try:
            source.backup(copy)
        finally:
            source.close()
            copy.close()
    return target


def _dump_postgresql(database: Database, target: Path) -> Path:
    """By pg_dump, which has to be as new as the server."""
    program = shutil.which(PG_DUMP)
    if program is None:
        raise NoBackupError(f"there is no {PG_DUMP} on this machine")
    with database.read() as session:
        schema = session.scalar(text("SELECT current_schema()"))
    password = {} if database.url.password is None else {"PGPASSWORD": str(database.url.password)}
    address = database.url.set(drivername="postgresql", password=None).render_as_string()
    with written_whole(target) as partial:
        dumped = subprocess.run(  # noqa: S603 - our own arguments
            [program, "--no-owner", "--no-privileges", f"--schema={schema}", f"--file={partial}", address],
            env=os.environ | password,  # arguments are seen by every user of the machine
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if dumped.returncode:
            raise NoBackupError(f"{PG_DUMP} failed: {dumped.stderr.strip()}")
    return target
