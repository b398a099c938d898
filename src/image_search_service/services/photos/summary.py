"""Counts of the library, cheap enough for pages that always show them."""

from __future__ import annotations

from image_search_service.core.records.library import LibrarySummary
from image_search_service.db.queries import summary as queries
from image_search_service.db.session import Database


class SummaryService:
    """Counts what the library holds: two statements, which read indexes and kept counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def summary(self) -> LibrarySummary:
        with self._database.read() as session:
            return queries.library_summary(session)
