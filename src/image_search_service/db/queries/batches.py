"""Statements over many rows: a bounded number of parameters each, never one statement a row."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Executable, Table, insert, text
from sqlalchemy.orm import Session

from image_search_service.db.models import Base

BATCH = 500
"""Values in one ``IN (…)``: well below SQLite's 32,766 and PostgreSQL's 65,535 parameters."""

GROUP_FACES = 20_000
"""Faces of one group of persons, unless one person alone has more: 40 MB of 512 numbers each."""
Row = Mapping[str, Any]


def insert_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> None:
    """Insert all rows, which have the same columns, with one statement."""
    if not rows:
        return
    session.flush()
    session.connection().execute(_insert(_dialect(session), model), [dict(row) for row in rows])


@cache
def _insert(dialect: str, model: type[Base]) -> Executable:
    table = _table(model)
    if dialect == "postgresql":  # else there each row is a statement for its triggers
        return insert(table).returning(*table.primary_key)
    return insert(table)


def insert_new_rows(session: Session, model: type[Base], rows: Sequence[Row]) -> set[uuid.UUID]:
    """Insert those rows, which have the same columns, whose ``id`` no row has: one statement. Returns their
    ids."""
    if not rows:
        return set()
    session.flush()
    statement = _insert_new(_dialect(session), _table(model))
    return set(session.connection().execute(statement, [dict(row) for row in rows]).scalars())


@cache
def _insert_new(dialect: str, table: Table) -> Executable:
    return cast(Executable, _dialect_insert(dialect, table).on_conflict_do_nothing().returning(table.c.id))


def upsert_rows(
    session: Session,
    model: type[Base],
    rows: Sequence[Row],
    *,
    key: Sequence[str],
    update: Sequence[str],
    where: str | None = None,
) -> None:
    """Insert all rows with one statement; where ``key`` exists, set the columns ``update`` instead.

    Without columns to update an existing row is left alone. where: the condition of a partial unique index on
    ``key``, word for word as the table has it.
    """
    if not rows:
        return
    statement = _upsert(_dialect(session), _table(model), tuple(key), tuple(update), where)
    session.flush()
    session.connection().execute(statement, [dict(row) for row in rows])


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 - narrows SQLAlchemy's FromClause for the type checker
    return table


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


@cache
def _upsert(
    dialect: str, table: Table, key: tuple[str, ...], update: tuple[str, ...], where: str | None
) -> Executable:
    statement = _dialect_insert(dialect, table)
    index: Any = {"index_elements": list(key), "index_where": None if where is None else text(where)}
    if not update:
        return cast(Executable, statement.on_conflict_do_nothing(**index))
    new = {name: statement.excluded[name] for name in update}
    return cast(Executable, statement.on_conflict_do_update(**index, set_=new))


def _dialect_insert(dialect: str, table: Table) -> Any:
    """The database's own INSERT, which knows ON CONFLICT; only this database's dialect is imported."""
    if dialect == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table)


def person_groups(counts: Iterable[tuple[uuid.UUID, int]]) -> Iterator[list[uuid.UUID]]:
    """Persons, each with their number of faces, in groups of at most ``BATCH`` with ``GROUP_FACES`` faces."""
    group: list[uuid.UUID] = []
    faces = 0
    for person_id, count in counts:
        if group and (len(group) == BATCH or faces + count > GROUP_FACES):
            yield group
            group, faces = [], 0
        group.append(person_id)
        faces += count
    if group:
        yield group
