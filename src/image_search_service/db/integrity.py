"""SQLite's own checks of its file, and its own way of making indexes again. Other databases check
themselves."""

from __future__ import annotations

from sqlalchemy import Connection, text

from image_search_service.core.errors import DamagedDatabaseError, ImageSearchError
from image_search_service.db.session import Database

MOST_FINDINGS = 20
"""SQLite stops to look after as many."""


def damage(database: Database, *, quick: bool = False) -> list[str]:
    """What SQLite finds wrong with its file, in its words; nothing for any other database.

    It reads the whole file. quick: without comparing the indexes with their tables.
    """
    if not database.is_sqlite:
        return []
    check = "quick_check" if quick else "integrity_check"
    try:
        with database.read() as session:
            connection = session.connection()
            rows = connection.exec_driver_sql(f"PRAGMA {check}({MOST_FINDINGS})").scalars().all()
            found = [line for row in rows for line in str(row).splitlines() if _says_something(line)]
            return found or _broken_references(connection)
    except DamagedDatabaseError as error:
        return [error.reason]


def require_whole(database: Database, *, quick: bool = False) -> None:
    """Raises DamagedDatabaseError when SQLite finds something wrong."""
    found = damage(database, quick=quick)
    if found:
        raise DamagedDatabaseError("; ".join(found[:3]))


def make_indexes_again(database: Database) -> None:
    """Of all tables, from their rows. Where these are damaged, too, nothing is changed."""
    try:
        with database.write() as session:
            session.execute(text("REINDEX"))
    except ImageSearchError:
        return


def _says_something(line: str) -> bool:
    return line != "ok" and not line.startswith("***")


def _broken_references(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(MOST_FINDINGS)
    return [
        f"row {row} of {table} refers to a row of {referred} that is not there"
        for table, row, referred, _ in rows
    ]
