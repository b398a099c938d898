"""One process at a time, on a database server: a lock that a connection holds, and a number.

The lock is gone as soon as the server ends that connection, which the process need not notice. So whoever
gets the lock raises the number, and each transaction of a turn first looks whether the number is still its
own. It keeps the row locked until it ends: the next one gets no number while the former still writes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, exc, func, select
from sqlalchemy.orm import Session

from image_search_service.core.errors import LostTurnError
from image_search_service.core.logging import get_logger
from image_search_service.db.models.library import TurnRow

log = get_logger(__name__)


class ServerTurns:
    """The turns of one process; a turn belongs to the thread that took it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._mine = threading.local()

    @contextmanager
    def taken(self, what: str, waiting: Callable[[], object]) -> Iterator[None]:
        """See ``Database.turn``."""
        with self._engine.connect() as held:
            connection = held.execution_options(isolation_level="AUTOCOMMIT")
            key = func.hashtext(func.current_schema() + f" {what}")
            while not connection.scalar(select(func.pg_try_advisory_lock(key))):
                waiting()
                time.sleep(1.0)
            try:
                numbers = self._numbers()
                numbers[what] = _next_number(connection, what)
                try:
                    yield
                finally:
                    del numbers[what]
            finally:
                _give_back(connection, select(func.pg_advisory_unlock(key)), what)

    def require(self, session: Session) -> None:
        """Raises LostTurnError if this thread has taken a turn that another process has by now. Else nobody
        gets it until the session's transaction ends."""
        for what, number in self._numbers().items():
            now = session.scalar(
                select(TurnRow.number).where(TurnRow.what == what).with_for_update(read=True)
            )
            if now != number:
                raise LostTurnError(what)

    def _numbers(self) -> dict[str, int]:
        numbers: dict[str, int] = self._mine.__dict__.setdefault("numbers", {})
        return numbers


def _next_number(connection: Connection, what: str) -> int:
    from sqlalchemy.dialects.postgresql import insert  # not needed on SQLite

    statement = insert(TurnRow).values(what=what, number=1)
    raised = statement.on_conflict_do_update(
        index_elements=[TurnRow.what], set_={"number": TurnRow.number + 1}
    )
    number: int = connection.execute(raised.returning(TurnRow.number)).scalar_one()
    return number


def _give_back(connection: Connection, unlock: object, what: str) -> None:
    try:
        connection.execute(unlock)  # type: ignore[call-overload]
    except exc.DBAPIError as error:  # the server has given it back when it ended the connection
        log.warning("The connection of a turn was lost", what=what, error=str(error.orig).strip())
        connection.invalidate()
