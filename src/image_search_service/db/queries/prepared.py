"""Statements that are built once, and executed with other values each time.

To build a statement of SQLAlchemy's, and to find it among those that were compiled, takes ten times as long
as SQLite takes to run it; the ORM's way to execute it takes as long once more. A decision needs some thirty
statements, and others wait until it is made.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BindParameter, Boolean, CursorResult, Executable, any_, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType

from image_search_service.core.parallel import chunks
from image_search_service.db.queries.batches import BATCH

_LISTS: set[str] = set()
"""The names of all parameters that stand for several values."""


def ids(name: str = "ids") -> BindParameter[Sequence[Any]]:
    """The parameter of a prepared statement that stands for several values, each of them a parameter of the
    database's; ``among`` is better wherever it will do."""
    _LISTS.add(name)
    return bindparam(name, expanding=True)


class among(FunctionElement[bool]):  # noqa: N801 - reads as an operator
    """Whether a column is one of the ids, or other values, of the parameter ``name``.

    On PostgreSQL they are one array, so that the statement is the same for any number of them, and the server
    plans it once; SQLite, which has no arrays, gets an ``IN`` of as many parameters.
    """

    name = "among"
    inherit_cache = True
    type = Boolean()

    def __init__(self, column: Any, name: str = "ids") -> None:
        super().__init__(column, ids(name))

    def self_group(self, against: OperatorType | None = None) -> Any:  # noqa: ARG002 - the name is SQLAlchemy's
        """As it is: with the ``= 1`` that SQLAlchemy adds for SQLite, no index would be used."""
        return self


@compiles(among)
def _in_parameters(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    return compiler.process(column.in_(values), **options)


@compiles(among, "postgresql")
def _in_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, values = element.clauses
    array = bindparam(values.key, type_=ARRAY(column.type))
    return compiler.process(column == any_(array), **options)


def run(
    session: Session, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] = {}
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a prepared statement that reads or changes columns, in the session's transaction.

    values: its parameters; several for one that is executed for each of them. Objects that the session holds
    do not follow.
    """
    session.flush()
    if isinstance(values, Mapping):
        values = {name: _filled(value) if name in _LISTS else value for name, value in values.items()}
    return session.connection().execute(statement, values)


def _filled(some: Collection[Any]) -> list[Any]:
    """The values, the last of them repeated until there are a power of two: each number of values is a
    statement of its own, which the database would have to prepare."""
    filled = list(some)
    return filled + filled[-1:] * ((1 << (len(filled) - 1).bit_length()) - len(filled)) if filled else filled


def scalars(session: Session, statement: Executable, wanted: Iterable[uuid.UUID]) -> Iterator[Any]:
    """The first column of a prepared statement about ``ids``: it is executed for each ``BATCH`` of them."""
    for part in chunks(wanted, BATCH):
        yield from run(session, statement, {"ids": part}).scalars()
