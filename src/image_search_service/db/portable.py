"""Every table's rows as JSON and back, so that they can go from one database into another.

The tables are those of the models, in an order in which each comes after what it refers to, but for those
whose rows stay where they are (``STAYS_HERE``). Each table is
described by its columns' kinds, so that rows of an older schema can be put back as they were and then be
migrated: what is not in the models any more is not needed to read them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
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
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from image_search_service.db.errors import translated
from image_search_service.db.migrate import (
    alembic_config,
    check_foreign_keys,
    foreign_keys_checked_last,
    head_revision,
    upgrade,
)
from image_search_service.db.models import STAYS_HERE, Base, FilePath, UtcDateTime
from image_search_service.db.models.base import LocalDateTime
from image_search_service.db.queries import kept
from image_search_service.db.session import Database

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
    "local_time": _Kind(LocalDateTime(), datetime.isoformat, datetime.fromisoformat),
    "date": _Kind(Date(), date.isoformat, date.fromisoformat),
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
    (LocalDateTime, "local_time"),
    (Date, "date"),
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
    """Every table whose rows go along, each after those that it refers to."""
    return [_form(each) for each in _tables()]


def _tables() -> list[Table]:
    return [each for each in Base.metadata.sorted_tables if not each.info.get(STAYS_HERE)]


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
    """Whether any table has a row that would go along: one statement."""
    has_rows = [select(each).exists().label(each.name) for each in _tables()]
    return any(session.execute(select(*has_rows)).one())


@contextmanager
def rebuilding(database: Database, revision: str) -> Iterator[Session]:
    """A transaction on an empty database in which its tables are as they were in ``revision``, to be filled.

    ``finish_schema`` brings them to this version's schema; what rows refer to is looked for at the end.
    """
    with (
        translated(),
        database.engine.connect().execution_options(is_writer=True) as connection,
        foreign_keys_checked_last(connection),
        connection.begin(),
    ):
        _lay_schema(connection, revision)
        with Session(connection) as session:
            yield session
        check_foreign_keys(connection)


def _lay_schema(connection: Connection, revision: str) -> None:
    if revision != head_revision():
        Base.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE IF EXISTS alembic_version"))
        upgrade(connection, alembic_config(), revision)
    _alter_self_references(connection, "DEFERRABLE INITIALLY DEFERRED")
    kept.stop_keeping(connection)


def finish_schema(session: Session) -> None:
    """Bring the tables to this version's schema, and let new rows be numbered after those that are there."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        continue_numbering(connection)
    _alter_self_references(connection, "NOT DEFERRABLE")
    upgrade(connection, alembic_config(), "head")
    kept.keep_again(session)
    kept.start_keeping(connection)
    if connection.dialect.name == "postgresql":  # which would notice many new rows only after a minute
        connection.execute(text("ANALYZE"))


def _alter_self_references(connection: Connection, how: str) -> None:
    """Rows that refer to others of their table may come before them; SQLite's keys are off meanwhile."""
    if connection.dialect.name != "postgresql":
        return
    quote = connection.dialect.identifier_preparer.quote
    for (_, name), keys in inspect(connection).get_multi_foreign_keys().items():
        for key in keys:
            if key["referred_table"] == name and key["name"]:
                change = f"ALTER TABLE {quote(name)} ALTER CONSTRAINT {quote(key['name'])} {how}"
                connection.execute(text(change))


def continue_numbering(connection: Connection) -> None:
    """Let new rows be numbered after those that were given numbers: PostgreSQL does not notice these."""
    if connection.dialect.name != "postgresql":
        return
    existing = set(inspect(connection).get_table_names())
    for each in Base.metadata.sorted_tables:
        number = each.autoincrement_column
        if number is None or each.name not in existing:
            continue
        sequence = func.pg_get_serial_sequence(each.name, number.name)
        last = select(func.coalesce(func.max(number), 0)).scalar_subquery()
        connection.execute(select(func.setval(sequence, last + 1, False)))


def insert_json_rows(session: Session, form: TableForm, rows: Sequence[JsonRow]) -> None:
    """Insert rows as they were read, with one statement. Raises ValueError or TypeError for anything else.

    Whoever made an archive must not let themselves in by it: rows that stay where they are are refused.
    """
    if form.name in Base.metadata.tables and Base.metadata.tables[form.name] not in _tables():
        raise ValueError(f"{form.name} is no part of a library's content")
    target = table(form.name, *(column(name, _KINDS[kind].stored) for name, kind in form.columns.items()))
    if rows:
        session.connection().execute(insert(target), [form.decode(row) for row in rows])


def insert_rows(session: Session, table_name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows of this version's tables, values by column, with one statement; what they leave out has its
    default."""
    if rows:
        session.connection().execute(insert(Base.metadata.tables[table_name]), list(rows))
