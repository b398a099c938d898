"""Statements over many rows: a bounded number of parameters each, never one statement a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from image_search_service.db.models import Base

BATCH = 500
"""Values in one ``IN (…)``: well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""

Row = Mapping[str, Any]


def insert_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert all rows with one statement."""
    if rows:
        session.execute(insert(model), list(rows))


def upsert_rows(
    session: Session, model: type[Base], rows: Sequence[Row], *, key: Sequence[str], update: Sequence[str]
) -> None:
    """Insert all rows with one statement; where ``key`` exists, set the columns ``update`` instead.

    Without columns to update an existing row is left alone.
    """
    if not rows:
        return
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows SQLAlchemy's FromClause for the type checker
    dialect = session.get_bind().dialect.name
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    if update:
        new = {name: statement.excluded[name] for name in update}
        session.execute(statement.on_conflict_do_update(index_elements=list(key), set_=new), list(rows))
    else:
        session.execute(statement.on_conflict_do_nothing(index_elements=list(key)), list(rows))
