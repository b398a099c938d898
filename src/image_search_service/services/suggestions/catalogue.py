"""Reads pending suggestions for display."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.suggestions import (
    DatedSuggestion,
    SuggestionCount,
    SuggestionGroupRecord,
)
from image_search_service.db.queries.suggestions import waiting as queries
from image_search_service.db.session import Database
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.people.versions import version_of


class SuggestionCatalogue:
    """Lists suggestions. Each method costs a fixed number of statements.

    thresholds: those of the library's engine, read only if there is a suggestion.
    """

    def __init__(self, database: Database, thresholds: Callable[[], Thresholds]) -> None:
        self._database = database
        self._thresholds = thresholds

    def groups(
        self, after: tuple[int, str, uuid.UUID] | None, limit: int, each: int
    ) -> ListPage[SuggestionGroupRecord]:
        """Persons with pending suggestions, those with most first, each with their best ``each``
        suggestions."""
        with self._database.read() as session:
            page, total = queries.groups_page(session, after, limit)
            best = [suggestion_id for group in page for suggestion_id in group.suggestion_ids[:each]]
            suggestions = queries.suggestions_by_ids(session, best)
        groups = [
            SuggestionGroupRecord(
                group.person_id,
                group.name,
                group.name_key,
                group.pending,
                [suggestions[suggestion_id] for suggestion_id in group.suggestion_ids[:each]],
                version_of(group.suggestion_ids),
            )
            for group in page
        ]
        return ListPage(groups, total)

    def of_person(
        self, person_id: uuid.UUID, offset: int, limit: int
    ) -> tuple[ListPage[DatedSuggestion], str]:
        """A page of a person's pending suggestions, the largest margin first; and the version of all of
        them."""
        with self._database.read() as session:
            waiting = queries.waiting_page(session, person_id, offset, limit)
            every = queries.waiting_for(session, [person_id]).get(person_id, [])
        thresholds = self._thresholds() if waiting else None
        items = [
            DatedSuggestion(suggestion, asset_id, taken_at, thresholds.likeness(suggestion.confidence))
            for suggestion, asset_id, taken_at in waiting
            if thresholds is not None
        ]
        return ListPage(items, len(every)), version_of(every)

    def counts(self) -> list[SuggestionCount]:
        """The numbers of suggestions by state and source."""
        with self._database.read() as session:
            return [SuggestionCount(*row) for row in queries.suggestion_counts(session)]

    def persons_waiting(self) -> int:
        """The number of persons with pending suggestions."""
        with self._database.read() as session:
            return queries.count_groups(session)
