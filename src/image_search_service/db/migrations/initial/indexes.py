"""Indexes of the first tables."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op


def create_index(
    name: str, table: str, columns: Sequence[str], *, sqlite: str | None = None, postgresql: str | None = None
) -> None:
    """An index of all rows, or of those for which ``sqlite`` and ``postgresql`` hold: the same condition, as
    each of them writes it."""
    where = {"sqlite_where": sqlite, "postgresql_where": postgresql}
    conditions = {dialect: sa.text(text) for dialect, text in where.items() if text is not None}
    op.create_index(name, table, list(columns), unique=False, **conditions)
