"""Every table's rows as JSON and back, so that they can go from one database into another.

The tables are those of the models, in an order in which each comes after what it refers to. Each table is
described by its columns' kinds, so that rows of an older schema can be put back as they were and then be
migrated: what is not in the models any more is not needed to read them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    column,
    func,
    insert,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from image_search_service.db.migrate import alembic_config, head_revision, upgrade
from image_search_service.db.models import Base, FilePath, UtcDateTime

READ_BATCH = 1_000
"""Rows fetched from the database at a time."""

JsonRow = list[Any]
"""A row's values as JSON knows them, in the order of the table's columns."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind of value is stored, and how it becomes JSON and comes back."""

    stored: TypeEngine[Any]
    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


_KINDS: Mapping[str, _Kind] = {
    "uuid": _Kind(Uuid(), str, uuid.UUID),
    "moment": _Kind(UtcDateTime(), datetime.isoformat, datetime.fromisoformat),
    "local_time": _Kind(DateTime(timezone=False), datetime.isoformat, datetime.fromisoformat),
    "path": _Kind(FilePath(), str, Path),
    "bytes": _Kind(LargeBinary(), bytes.hex, bytes.fromhex),
    "json": _Kind(JSON(none_as_null=True)),
    "text": _Kind(Text()),
    "boolean": _Kind(Boolean()),
    "integer": _Kind(BigInteger()),
    "number": _Kind(Double()),
}
_KIND_OF: Sequence[tuple[type[Any], str]] = (
    (Uuid, "uuid"),
    (UtcDateTime, "moment"),
    (DateTime, "local_time"),
    (FilePath, "path"),
    (LargeBinary, "bytes"),
    (JSON, "json"),
    (String, "text"),
    (Boolean, "boolean"),
    (Integer, "integer"),
    (Float, "number"),
)


@dataclass(frozen=True, slots=True)
class TableForm:
    """A table's name, and the kind of each of its columns by name, in order."""

    name: str
    columns: dict[str, str]

    def encode(self, row: Sequence[Any]) -> JsonRow:
        """Values as the database's driver gives them → JSON."""
        return [
            _apply(_KINDS[kind].encode, value) for kind, value in zip(self.columns.values(), row, strict=True)
        ]

    def decode(self, row: JsonRow) -> dict[str, Any]:
        """The inverse, by column. Raises ValueError or TypeError for what is no such row."""
        return {
            name: _apply(_KINDS[kind].decode, value)
            for (name, kind), value in zip(self.columns.items(), row, strict=True)
        }

    @property
    def path_columns(self) -> list[int]:
        """Where in a row there are paths of files; their JSON is text."""
        return [number for number, kind in enumerate(self.columns.values()) if kind == "path"]


def _apply(function: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if function is None or value is None else function(value)


def table_forms() -> list[TableForm]:
    """Every table of the models, each after those that it refers to."""
    return [_form(each) for each in Base.metadata.sorted_tables]


def _form(of: Table) -> TableForm:
    return TableForm(of.name, {each.name: _kind_of(each) for each in of.columns})


def _kind_of(of: Column[Any]) -> str:
    return next(kind for type_, kind in _KIND_OF if isinstance(of.type, type_))


def rows_of(session: Session, form: TableForm) -> Iterator[JsonRow]:
    """All rows of a table by their key: one statement, ``READ_BATCH`` rows in memory."""
    source = Base.metadata.tables[form.name]
    statement = select(source).order_by(*source.primary_key).execution_options(yield_per=READ_BATCH)
    return (form.encode(row) for row in session.execute(statement))


def holds_rows(session: Session) -> bool:
    """Whether any table has a row: one statement."""
    found = [select(each).exists().label(each.name) for each in Base.metadata.sorted_tables]
    return any(session.execute(select(*found)).one())


def lay_schema(session: Session, revision: str) -> None:
    """Make an empty database's tables as they were in ``revision``, in the session's transaction."""
    connection = session.connection()
    if revision != head_revision():
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
    upgrade(connection, alembic_config(), revision)


def insert_json_rows(session: Session, form: TableForm, rows: Sequence[JsonRow]) -> None:
    """Insert rows as they were read, with one statement. Raises ValueError or TypeError for anything else."""
    target = table(form.name, *(column(name, _KINDS[kind].stored) for name, kind in form.columns.items()))
    if rows:
        session.connection().execute(insert(target), [form.decode(row) for row in rows])


def finish_schema(session: Session) -> None:
    """Bring the tables to this version's schema, and let new rows be numbered after those that are there."""
    connection = session.connection()
    upgrade(connection, alembic_config(), "head")
    if connection.dialect.name == "postgresql":
        _continue_numbering(connection)


def _continue_numbering(connection: Connection) -> None:
    """PostgreSQL's sequences do not notice numbers that were given."""
    for each in Base.metadata.sorted_tables:
        number = each.autoincrement_column
        if number is None:
            continue
        sequence = func.pg_get_serial_sequence(each.name, number.name)
        last = select(func.coalesce(func.max(number), 0)).scalar_subquery()
        connection.execute(select(func.setval(sequence, last + 1, False)))
