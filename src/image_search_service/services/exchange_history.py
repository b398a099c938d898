"""Taking over another library's decisions as they are, into one in which nothing was ever decided."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from image_search_service.core.decisions import PERSON_FACTS, Change, Fact, Key
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.db.models import Decision
from image_search_service.db.queries import decisions
from image_search_service.db.session import Session
from image_search_service.services.exchange_lines import DecisionLine
from image_search_service.services.rebuild_service import bring_up_to_date

STEPS: tuple[frozenset[Fact], ...] = (
    frozenset({Fact.PERSON_NAME}),
    PERSON_FACTS - {Fact.PERSON_NAME},
    frozenset(Fact) - PERSON_FACTS,
)
"""The order in which the state is made: a person has to be there before anything is theirs."""


@contextmanager
def consistent() -> Iterator[None]:
    """Around the whole transaction: raises InvalidInputError for events that no library can have had."""
    try:
        yield
    except (ConflictError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise InvalidInputError(
            f"The decisions of this file contradict each other: {error}.",
            hint="Export it anew; docs/exchange.md says what a line may be.",
        ) from error


class History:
    """Appends events with their own times in one transaction. faces: the face here of each there."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.faces: dict[uuid.UUID, uuid.UUID] = {}
        self._numbers: dict[int, int] = {}
        self._changes = 0

    def append(self, lines: Sequence[DecisionLine]) -> None:
        """Those that say something of persons, or of faces that are here: two statements for a page."""
        events = [(line, self._translated(line)) for line in lines]
        events = [(line, changes) for line, changes in events if changes]
        if not events:
            return
        rows = [
            Decision(kind=line.what, actor=line.actor, at=line.at, details=self._details(line.details))
            for line, _ in events
        ]
        decisions.append_all(
            self._session, [(row, changes) for row, (_, changes) in zip(rows, events, strict=True)]
        )
        self._numbers |= {line.id: row.id for row, (line, _) in zip(rows, events, strict=True)}
        for row, (line, _) in zip(rows, events, strict=True):
            row.undoes = None if line.undoes is None else self._numbers.get(line.undoes)
        self._session.flush()
        self._changes += sum(len(changes) for _, changes in events)

    def finish(self) -> tuple[int, int]:
        """Make the state that follows; returns how many changes and decisions there are."""
        for facts in STEPS:
            bring_up_to_date(self._session, facts)
        return self._changes, len(self._numbers)

    def _translated(self, line: DecisionLine) -> list[Change]:
        changes = []
        for fact, subject, other, old, new in line.changes:
            here = subject if fact in PERSON_FACTS else self.faces.get(subject)
            if here is None:
                continue
            if fact is Fact.PERSON_COVER:
                old, new = self._face(old), self._face(new)  # noqa: PLW2901 - ids of faces
            changes.append(Change(Key(fact, here, other), old, new))
        return changes

    def _face(self, face_id: Any) -> str | None:
        here = self.faces.get(uuid.UUID(face_id)) if isinstance(face_id, str) else None
        return None if here is None else str(here)

    def _details(self, details: Mapping[str, Any]) -> dict[str, Any]:
        """Clusters that undoing would bring back are kept if the face that stands for them is here."""
        rows = details.get("clusters")
        if not isinstance(rows, dict):
            return dict(details)
        kept = {
            cluster: {**row, "representative_face_id": self._face(row["representative_face_id"])}
            for cluster, row in rows.items()
            if self._face(row["representative_face_id"]) is not None
        }
        return {**details, "clusters": kept}
