"""The base of all tables, and the kinds of columns that databases do not share."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import sqlalchemy
from sqlalchemy import JSON, DateTime, Dialect, Index, LargeBinary, MetaData, TypeDecorator, text
from sqlalchemy.orm import DeclarativeBase

from image_search_service.db.errors import Reader, checked


def utc_now() -> datetime:
    return datetime.now(UTC)


class Uuid(sqlalchemy.Uuid[uuid.UUID]):
    """Text on SQLite, which keeps whatever is stored."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        return checked(super().result_processor(dialect, coltype))  # type: ignore[no-untyped-call]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, in UTC on every database (SQLite keeps no time zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        return checked(super().result_processor(dialect, coltype))


class LocalDateTime(TypeDecorator[datetime]):
    """A moment by the clock of wherever it was, without a zone."""

    impl = DateTime(timezone=False)
    cache_ok = True

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        return checked(super().result_processor(dialect, coltype))


class FilePath(TypeDecorator[Path]):
    """A path as the bytes that the file system knows: not every name is valid Unicode."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Path | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Path(os.fsdecode(value))

    def result_processor(self, dialect: Dialect, coltype: object) -> Reader | None:
        return checked(super().result_processor(dialect, coltype))


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        uuid.UUID: Uuid,
        dict[str, Any]: JSON,
        Path: FilePath,
    }


def partial_index(
    name: str, *columns: str, where: str, on_postgresql: str | None = None, unique: bool = False
) -> Index:
    """An index on those rows for which the SQL condition ``where`` holds.

    on_postgresql: the condition as PostgreSQL needs it, where that is another one.
    Both are kept in the index's ``info`` until ``state_index_conditions``: an argument ``postgresql_where``
    would import PostgreSQL's dialect in every command.
    """
    conditions = {"sqlite": where, "postgresql": where if on_postgresql is None else on_postgresql}
    return Index(name, *columns, unique=unique, info={"where": conditions})


def state_index_conditions(dialect: str) -> None:
    """Give the partial indexes of all tables their conditions for a dialect, before SQL is made of them."""
    for table in Base.metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options[dialect]["where"] = text(index.info["where"][dialect])
