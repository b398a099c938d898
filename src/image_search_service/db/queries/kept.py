"""Compares kept counts and states with what they follow from (``db/models/kept/``), and mends them."""

from __future__ import annotations

import uuid

from sqlalchemy import Connection, select, text
from sqlalchemy.orm import Session

from image_search_service.db.models.base import Base
from image_search_service.db.models.kept.columns import KEPT, KeptColumn
from image_search_service.db.models.kept.triggers import removing_statements, trigger_statements


def not_as_kept(session: Session, kept: KeptColumn) -> list[uuid.UUID | int]:
    """The ids of the rows that have another value than follows from the present rows: one statement."""
    id_ = Base.metadata.tables[kept.table].c.id
    wrong = select(id_).where(text(_differs(kept))).order_by(id_)
    return list(session.scalars(wrong))


def keep_again(session: Session) -> None:
    """Compute all of them, as after rows were inserted that had them already: one statement for each."""
    for kept in KEPT:
        session.execute(
            text(f"UPDATE {kept.table} SET {kept.column} = {kept.value} WHERE {_differs(kept)}")  # noqa: S608
        )


def stop_keeping(connection: Connection) -> None:
    """Remove the triggers, while all rows are inserted: they would count each of them again."""
    for statement in removing_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def start_keeping(connection: Connection) -> None:
    """Create the triggers again, if they are not there."""
    stop_keeping(connection)
    for _, statement in trigger_statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def _differs(kept: KeptColumn) -> str:
    return f"{kept.table}.{kept.column} <> {kept.value}"
