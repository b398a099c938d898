"""Alembic's entry: runs the migrations on the connection that ``migrate`` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context

from image_search_service.db.models import Base, FilePath, UtcDateTime
from image_search_service.db.models.base import state_index_conditions


def plain_type(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A migration must not change when our own types do: write the database's type into it."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, FilePath):
        return "sa.LargeBinary()"
    return False


connection = context.config.attributes["connection"]
state_index_conditions(connection.dialect.name)
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_item=plain_type,
    render_as_batch=True,  # SQLite alters a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
