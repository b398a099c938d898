"""States of suggestions: which are stored, and which pairs must not be suggested."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, and_, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.records.suggestions import SuggestionRecord
from image_search_service.db.models import (
    FaceDifference,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonRow,
)
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, Row, upsert_rows
from image_search_service.db.queries.conditions import existing_file
from image_search_service.db.queries.differences import (
    faces_in_differences_of,
    meets_other_side,
    opposite_faces,
)

PENDING, ACCEPTED, REJECTED, EXPIRED = "pending", "accepted", "rejected", "expired"
SUPERSEDED = "superseded"
"""The face has another person now, is not a face, or the person was deleted. If that changes, the suggestion
is pending again."""

Pair = tuple[uuid.UUID, uuid.UUID]
"""A face and a person."""


def is_of_shown_person() -> ColumnElement[bool]:
    """Of a suggestion: its person is there, and not hidden. Both lists are short, and read from an index."""
    deleted = select(PersonRow.id).where(PersonRow.deleted)
    hidden = select(PersonRow.id).where(PersonRow.hidden)
    return and_(FaceSuggestion.person_id.not_in(deleted), FaceSuggestion.person_id.not_in(hidden))


IS_ANSWERABLE = and_(FaceSuggestion.answerable, is_of_shown_person())
"""Of a suggestion: it is undecided and can still be right. A decision that rules it out (the person is in the
photo with another face, was merged or is hidden; it is not a face; the photo was replaced) does not change
its state, so that it is open again when that decision is undone. What follows from the faces is kept
(``db/models/kept/``)."""

HAS_WAITING = and_(~PersonRow.deleted, PersonRow.hidden.is_(False), PersonRow.waiting > 0)
"""Of a person: suggestions are answerable about them."""

WAITING_SUGGESTIONS = func.coalesce(
    select(func.sum(PersonRow.waiting)).where(HAS_WAITING).scalar_subquery(), 0
)
"""How many suggestions are answerable, about all persons who are shown."""

FOUND = (
    "confidence",
    "source",
    "evidence",
    "threshold",
    "second_person_id",
    "second_similarity",
    "margin",
)
"""Columns that say how a suggestion was found; finding it again replaces them."""


@dataclass(frozen=True, slots=True)
class SuggestibleFace:
    """The properties of a face that decide whether it may be suggested."""

    asset_id: uuid.UUID
    person_id: uuid.UUID | None
    recognizable: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A stored pair of face and person that is pending or was rejected."""

    state: str
    confidence: float
    source: str
    evidence: list[dict[str, Any]]


def known_counts(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of pending and rejected faces of each of at most ``BATCH`` persons that has any."""
    rows = session.execute(
        select(FaceSuggestion.person_id, func.count())
        .where(FaceSuggestion.person_id.in_(person_ids), FaceSuggestion.state.in_((PENDING, REJECTED)))
        .group_by(FaceSuggestion.person_id)
    )
    return {row[0]: row[1] for row in rows}


def face_states(session: Session, face_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, SuggestibleFace]:
    """The existing ones among the faces: one statement for each ``BATCH``."""
    statement = select(
        FaceInstance.id,
        FaceInstance.asset_id,
        FaceInstance.person_id,
        FaceInstance.recognizable & FaceInstance.is_face & ~FaceInstance.set_aside,
        ImageAsset.replaced,
    ).join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
    return {
        row[0]: SuggestibleFace(row[1], row[2], row[3], row[4])
        for part in _parts(face_ids)
        for row in session.execute(statement.where(FaceInstance.id.in_(part)))
    }


def remembered(
    session: Session, face_ids: Iterable[uuid.UUID], person_ids: Sequence[uuid.UUID]
) -> dict[Pair, KnownPair]:
    """Pairs of these faces and persons that are pending or rejected; rejected if both."""
    statement = (
        select(FaceSuggestion)
        .where(FaceSuggestion.person_id.in_(person_ids), FaceSuggestion.state.in_((PENDING, REJECTED)))
        .order_by(FaceSuggestion.state)
    )
    return {
        (suggestion.face_instance_id, suggestion.person_id): KnownPair(
            suggestion.state, suggestion.confidence, suggestion.source, suggestion.evidence
        )
        for part in _parts(face_ids)
        for suggestion in session.scalars(statement.where(FaceSuggestion.face_instance_id.in_(part)))
    }


_REJECTED_PAIRS = select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
    prepared.among(FaceSuggestion.face_instance_id), FaceSuggestion.state == REJECTED
)


def rejected_pairs(session: Session, face_ids: Iterable[uuid.UUID]) -> set[Pair]:
    """Pairs of these faces and the persons they were rejected for: one statement for each ``BATCH``."""
    return {
        (row[0], row[1])
        for part in _parts(face_ids)
        for row in prepared.run(session, _REJECTED_PAIRS, {"ids": part})
    }


def photos_with(
    session: Session, asset_ids: Iterable[uuid.UUID], person_ids: Sequence[uuid.UUID]
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs of a photo and a person who is in it already."""
    statement = select(FaceInstance.asset_id, PersonRow.id).join(
        PersonRow, PersonRow.id == FaceInstance.person_id
    )
    return {
        (asset_id, person_id)
        for part in _parts(asset_ids)
        for asset_id, person_id in session.execute(
            statement.where(FaceInstance.asset_id.in_(part), PersonRow.id.in_(person_ids))
        )
    }


def save_pending(session: Session, rows: Sequence[Row]) -> None:
    """Insert pending pairs; those already pending get the new confidence and evidence. One statement."""
    pending = [{**row, "state": PENDING} for row in rows]
    key = ("face_instance_id", "person_id")
    upsert_rows(session, FaceSuggestion, pending, key=key, update=FOUND, where="state = 'pending'")


def expire_pending(session: Session, before: datetime) -> int:
    """Withdraw undecided suggestions made before a moment; returns how many."""
    result = session.execute(
        update(FaceSuggestion)
        .where(FaceSuggestion.state == PENDING, FaceSuggestion.created_at < before)
        .values(state=EXPIRED)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)  # noqa: S101 - what an UPDATE gives
    return result.rowcount


def expire_apart(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Withdraw pending suggestions that the present persons and differences of these faces rule out."""
    for part in _parts(face_ids):
        opposite, other = opposite_faces()
        cannot_be = meets_other_side(
            opposite,
            other,
            FaceDifference.face_instance_id == FaceSuggestion.face_instance_id,
            other.person_id == FaceSuggestion.person_id,
            or_(FaceDifference.face_instance_id.in_(part), other.id.in_(part)),
            of=FaceSuggestion,
        )
        session.execute(
            update(FaceSuggestion)
            .where(
                FaceSuggestion.face_instance_id.in_(faces_in_differences_of(part)),
                FaceSuggestion.state == PENDING,
                cannot_be,
            )
            .values(state=EXPIRED)
            .execution_options(synchronize_session=False)
        )


def suggestion_record(row: FaceSuggestion) -> SuggestionRecord:
    return SuggestionRecord(
        id=row.id,
        face_instance_id=row.face_instance_id,
        person_id=row.person_id,
        state=row.state,
        confidence=row.confidence,
        source=row.source,
        evidence=row.evidence,
        threshold=row.threshold,
        second_person_id=row.second_person_id,
        second_similarity=row.second_similarity,
        margin=row.margin,
        created_at=row.created_at,
    )


@dataclass(frozen=True, slots=True)
class NamedSuggestion:
    """A suggestion with the point of its face and the names of the two persons that it compares."""

    suggestion: SuggestionRecord
    point_id: uuid.UUID
    person_name: str
    second_name: str | None


def with_names(session: Session, suggestion_id: uuid.UUID) -> NamedSuggestion | None:
    row = session.execute(_with_names().where(FaceSuggestion.id == suggestion_id)).one_or_none()
    return None if row is None else _named(*row)


def waiting_of_face(session: Session, face_id: uuid.UUID, limit: int) -> list[NamedSuggestion]:
    """The pending suggestions of a face, the most similar person first."""
    rows = session.execute(
        _with_names()
        .where(FaceSuggestion.face_instance_id == face_id, IS_ANSWERABLE)
        .order_by(FaceSuggestion.confidence.desc(), FaceSuggestion.person_id)
        .limit(limit)
    )
    return [_named(*row) for row in rows]


def _named(row: FaceSuggestion, point_id: uuid.UUID, name: str, second: str | None) -> NamedSuggestion:
    return NamedSuggestion(suggestion_record(row), point_id, name, second)


def _with_names() -> Select[FaceSuggestion, uuid.UUID, str, str]:
    second = aliased(PersonRow)
    return (
        select(FaceSuggestion, FaceInstance.qdrant_point_id, PersonRow.name, second.name)
        .join(FaceInstance, FaceInstance.id == FaceSuggestion.face_instance_id)
        .join(PersonRow, PersonRow.id == FaceSuggestion.person_id)
        .outerjoin(second, and_(second.id == FaceSuggestion.second_person_id, ~second.deleted))
    )


def _parts(ids: Iterable[uuid.UUID]) -> Iterator[list[uuid.UUID]]:
    every = sorted(set(ids))
    return (every[start : start + BATCH] for start in range(0, len(every), BATCH))


def pending_of_person(
    session: Session, person_id: uuid.UUID, limit: int
) -> list[tuple[SuggestionRecord, str | None, Path | None]]:
    """A person's pending suggestions, the best first: each with the second best person's name, and a file
    that shows the face."""
    rows = session.execute(
        select(FaceSuggestion, PersonRow.name, existing_file(FaceInstance.asset_id))
        .join(FaceInstance, FaceInstance.id == FaceSuggestion.face_instance_id)
        .outerjoin(PersonRow, and_(PersonRow.id == FaceSuggestion.second_person_id, ~PersonRow.deleted))
        .where(FaceSuggestion.person_id == person_id, IS_ANSWERABLE)
        .order_by(FaceSuggestion.confidence.desc(), FaceSuggestion.face_instance_id)
        .limit(limit)
    )
    return [(suggestion_record(row[0]), row[1], row[2]) for row in rows]
