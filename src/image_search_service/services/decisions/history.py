"""Lists decisions: what, by whom, when, and what each changed. Read-only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from image_search_service.core.decisions import Change, persons_of
from image_search_service.db.models import DecisionRow
from image_search_service.db.queries import events, persons
from image_search_service.db.session import Database, Session
from image_search_service.services.decisions.log import unknown_decision


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """A decision in a list. changes, faces: number of changed facts, and of their faces. persons: ids and
    names of the persons that it is about, at most ten."""

    decision: DecisionRow
    changes: int
    faces: int
    persons: dict[uuid.UUID, str]


class HistoryService:
    """Lists decisions, each page with a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, before: int | None = None, limit: int = 50, subject: uuid.UUID | None = None
    ) -> list[ListedDecision]:
        """Decisions, the newest first; those about a face or person, if given."""
        with self._database.read() as session:
            return _events(session, events.decisions_page(session, before, limit, subject))

    def event(self, decision_id: int) -> ListedDecision:
        """One decision. Raises NotFoundError."""
        with self._database.read() as session:
            page = events.decisions_page(session, decision_id + 1, 1)
            if not page or page[0][0].id != decision_id:
                raise unknown_decision(decision_id)
            return _events(session, page)[0]

    def changes(self, decision_id: int, after: int, limit: int) -> list[tuple[int, Change]]:
        """A page of a decision's changes in order, each with its number: those after ``after``."""
        with self._database.read() as session:
            return events.changes_page(session, decision_id, after, limit)

    def names(self, changes: Sequence[Change]) -> dict[uuid.UUID, str]:
        """The names of the persons whom changes are about."""
        with self._database.read() as session:
            return persons.names(session, {person for change in changes for person in persons_of(change)})

    def count(self, subject: uuid.UUID | None = None) -> int:
        """The number of decisions on all pages."""
        with self._database.read() as session:
            return events.count_decisions(session, subject)

    def latest(self) -> int:
        """The number of the last decision, 0 if there is none; a client sends it as ``based_on``."""
        with self._database.read() as session:
            return events.latest_id(session)


def _events(session: Session, page: Sequence[tuple[DecisionRow, int]]) -> list[ListedDecision]:
    about = {decision.id: _persons_named(decision) for decision, _ in page}
    names = persons.names(session, {person for listed in about.values() for person in listed})
    return [
        ListedDecision(
            decision,
            changes,
            decision.details.get("faces", 0),
            {person: names[person] for person in about[decision.id] if person in names},
        )
        for decision, changes in page
    ]


def _persons_named(decision: DecisionRow) -> list[uuid.UUID]:
    """The persons that a decision's details name (``log.py``); an imported one may have other details."""
    try:
        return [uuid.UUID(person) for person in decision.details.get("persons", [])]
    except (ValueError, TypeError, AttributeError):
        return []
