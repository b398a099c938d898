"""What the doctor's checks share: options, report, and SQL's rows in pages."""

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
    """One examination. repair: whether to repair findings. alone: no other process or thread uses the
    library."""

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
        """Whether a point or file without a row may get one soon: an index run writes rows last.

        Call it after the point or file was seen and before its row is read. An interrupted run looks the
        same; its remains are left to the next run unless ``alone``.
        """
        return not self.alone and expected.has_unfinished_run(session)
