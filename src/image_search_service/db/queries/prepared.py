"""Statements that are built once, and executed with other values each time.

To build a statement of SQLAlchemy's, and to find it among those that were compiled, takes ten times as long
as SQLite takes to run it; the ORM's way to execute it takes as long once more. A decision needs some thirty
statements, and others wait until it is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import BindParameter, CursorResult, Executable, bindparam
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.queries.batches import BATCH

Value = TypeVar("Value")


def ids(name: str = "ids") -> BindParameter[Sequence[uuid.UUID]]:
    """The parameter of a prepared statement that stands for some ids: ``Table.id.in_(ids())``."""
    return bindparam(name, expanding=True)


def run(
    session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = {}
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a prepared statement that reads or changes columns, in the session's transaction.

    values: its parameters; several for one that is executed for each of them. Objects that the session holds
    do not follow.
    """
    session.flush()
    return session.connection().execute(statement, values)


def scalars(session: Session, statement: Executable, wanted: Iterable[uuid.UUID]) -> Iterator[Any]:
    """The first column of a prepared statement about ``ids()``: it is executed for each ``BATCH`` of them."""
    for part in chunks(wanted, BATCH):
        yield from run(session, statement, {"ids": part}).scalars()
