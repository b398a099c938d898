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
    op.create_index(
        name,
        table,
        list(columns),
        unique=False,
        sqlite_where=None if sqlite is None else sa.text(sqlite),
        postgresql_where=None if postgresql is None else sa.text(postgresql),
    )
