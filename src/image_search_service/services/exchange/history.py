"""Imports another library's decisions as they are, into a library without any decision."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from image_search_service.core.decisions import (
    FACE_FACTS,
    PERSON_FACTS,
    PHOTO_FACTS,
    Change,
    Fact,
    Key,
    first_faces,
)
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.db.models import DecisionRow
from image_search_service.db.portable import continue_numbering
from image_search_service.db.queries import events
from image_search_service.db.session import Session
from image_search_service.services.decisions.replay import bring_up_to_date
from image_search_service.services.exchange.lines import DecisionLine

STEPS: tuple[frozenset[Fact], ...] = (
    frozenset({Fact.PERSON_NAME}),
    PERSON_FACTS - {Fact.PERSON_NAME},
    FACE_FACTS,
)
"""The order in which facts are written: a person must exist before anything refers to them."""


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
        self._numbers: set[int] = set()
        self._changes = 0

    def append(self, lines: Sequence[DecisionLine]) -> None:
        """Append decisions about persons, or about faces that exist here: two statements for each page."""
        pairs = [(line, self._translated(line)) for line in lines]
        translated = [(line, changes) for line, changes in pairs if changes]
        if not translated:
            return
        self._numbers |= {line.id for line, _ in translated}
        rows = [(self._row(line, changes), changes) for line, changes in translated]
        events.append_all(self._session, rows)
        self._changes += sum(len(changes) for _, changes in translated)

    def finish(self) -> tuple[int, int]:
        """Make the state that follows; returns how many changes and decisions there are."""
        for facts in STEPS:
            bring_up_to_date(self._session, facts)
        continue_numbering(self._session.connection())
        return self._changes, len(self._numbers)

    def _row(self, line: DecisionLine, changes: Sequence[Change]) -> DecisionRow:
        """With its own number, so that it can be undone by the same name as where it comes from."""
        return DecisionRow(
            id=line.id,
            kind=line.what,
            actor=line.actor,
            at=line.at,
            undoes=line.undoes if line.undoes in self._numbers else None,
            details=self._details(line.details) | {"first_faces": first_faces(changes)},
        )

    def _translated(self, line: DecisionLine) -> list[Change]:
        changes = []
        for fact, subject, other, old, new in line.changes:
            if fact in PHOTO_FACTS:  # of the other library's disk
                continue
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
