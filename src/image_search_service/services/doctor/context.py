"""What all of the doctor's checks share: one visit's options and report, and SQL's rows in pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from image_search_service.core.paging import keyset_pages
from image_search_service.db.queries.doctor import expected
from image_search_service.db.session import Database, Session
from image_search_service.services.doctor.findings import DoctorReport

PAGE = 1_000
"""Rows in a statement and points in a request."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DoctorContext:
    """repair: mend what is found. alone: no other process or thread works on the library meanwhile."""

    database: Database
    report: DoctorReport
    repair: bool
    alone: bool

    def rows(
        self, read_page: Callable[[Session, UUID | None, int], list[T]], key: Callable[[T], UUID]
    ) -> Iterator[tuple[UUID, T]]:
        """All rows with their key, ascending: a statement and a transaction for each page."""

        def read_next(after: UUID | None) -> list[T]:
            with self.database.read() as session:
                return read_page(session, after, PAGE)

        return ((key(row), row) for page in keyset_pages(read_next, key, PAGE) for row in page)

    def is_in_transit(self, session: Session) -> bool:
        """Whether what has no row yet may be getting one: an index run writes rows last.

        To be asked after the thing without a row was seen and before its row is looked for. A run that was
        interrupted looks the same; its remains are left to the next run unless nobody else is there.
        """
        return not self.alone and expected.has_unfinished_run(session)
