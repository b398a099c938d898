"""Creates and removes the triggers that bring kept columns up to date."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import DDL, Table, event

from image_search_service.db.models.base import Base
from image_search_service.db.models.kept import on_postgresql, on_sqlite

_OF_DIALECT = {"sqlite": on_sqlite, "postgresql": on_postgresql}


def trigger_statements(dialect: str) -> Iterator[tuple[str, str]]:
    """What creates the triggers on a database of the dialect, each with the table that it is on."""
    own = _OF_DIALECT[dialect]
    for trigger in own.TRIGGERS:
        for statement in own.creating(trigger):
            yield trigger.table, statement


def removing_statements(dialect: str) -> Iterator[str]:
    """What removes the triggers, as far as there are any."""
    for trigger in _OF_DIALECT[dialect].TRIGGERS:
        on = f" ON {trigger.table}" if dialect == "postgresql" else ""
        yield f"DROP TRIGGER IF EXISTS {trigger.name}{on}"


def create_triggers_with_tables() -> None:
    """Let each table be created with its triggers."""
    for dialect in ("sqlite", "postgresql"):
        for table, statement in trigger_statements(dialect):
            _after_creating(Base.metadata.tables[table], dialect, statement)


def _after_creating(table: Table, dialect: str, statement: str) -> None:
    make: Callable[[str], DDL] = DDL
    event.listen(table, "after_create", make(statement).execute_if(dialect=dialect))
