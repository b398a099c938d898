"""Lists decisions: what, by whom, when, and what each changed. Read-only."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from image_search_service.core.decisions import Change, persons_of
from image_search_service.core.records.decisions import EVERY_DECISION, DecidingActor, DecisionFilter
from image_search_service.db.models import DecisionRow
from image_search_service.db.queries import events, faces, persons
from image_search_service.db.session import Database, Session
from image_search_service.services.decisions.log import unknown_decision


@dataclass(frozen=True, slots=True)
class ListedDecision:
    """A decision in a list. changes, faces: number of changed facts, and of their faces. persons: ids and
    names of the persons that it is about, at most ten. first_faces: the first of its faces that still exist,
    at most six."""

    decision: DecisionRow
    changes: int
    faces: int
    persons: dict[uuid.UUID, str]
    first_faces: list[uuid.UUID]


class HistoryService:
    """Lists decisions, each page with a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, before: int | None = None, limit: int = 50, which: DecisionFilter = EVERY_DECISION
    ) -> list[ListedDecision]:
        """Decisions, the newest first."""
        with self._database.read() as session:
            return _events(session, events.decisions_page(session, before, limit, which))

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

    def count(self, which: DecisionFilter = EVERY_DECISION) -> int:
        """The number of decisions on all pages."""
        with self._database.read() as session:
            return events.count_decisions(session, which)

    def actors(self) -> list[DecidingActor]:
        """Everybody who made decisions, those with the most first."""
        with self._database.read() as session:
            return events.actors(session)

    def latest(self) -> int:
        """The number of the last decision, 0 if there is none; a client sends it as ``based_on``."""
        with self._database.read() as session:
            return events.latest_id(session)


def _events(session: Session, page: Sequence[tuple[DecisionRow, int]]) -> list[ListedDecision]:
    about = {decision.id: _ids(decision, "persons") for decision, _ in page}
    names = persons.names(session, {person for listed in about.values() for person in listed})
    shown = {decision.id: _ids(decision, "first_faces") for decision, _ in page}
    existing = faces.existing_faces(session, {face for listed in shown.values() for face in listed})
    return [
        ListedDecision(
            decision,
            changes,
            decision.details.get("faces", 0),
            {person: names[person] for person in about[decision.id] if person in names},
            [face for face in shown[decision.id] if face in existing],
        )
        for decision, changes in page
    ]


def _ids(decision: DecisionRow, named: str) -> list[uuid.UUID]:
    """The persons or faces that a decision's details name (``summary_of``); an imported one may have other
    details."""
    try:
        return [uuid.UUID(one) for one in decision.details.get(named, [])]
    except (ValueError, TypeError, AttributeError):
        return []
