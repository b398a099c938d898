"""Faces that humans placed, person by person, and the decisions that placed them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Fact
from image_search_service.core.parallel import chunks
from image_search_service.db.models import DecisionChange, DecisionRow, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_COMPARABLE_FACE, ON_PHOTO, existing_file
from image_search_service.db.queries.faces import HUMAN


@dataclass(frozen=True, slots=True)
class PlacedPoint:
    """A face that a human gave to a person, and its point."""

    person_id: uuid.UUID
    id: uuid.UUID
    point_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Placing:
    """Whose a face is, a file that shows it, and the decision that said so: its number and kind."""

    name: str
    path: Path | None
    decision_id: int | None
    kind: str | None


def placed_page(session: Session, after: tuple[uuid.UUID, uuid.UUID] | None, limit: int) -> list[PlacedPoint]:
    """The next faces that humans placed and that can be compared, by person, then by id."""
    place = tuple_(FaceInstance.person_id, FaceInstance.id)
    statement = (
        select(PersonRow.id, FaceInstance.id, FaceInstance.qdrant_point_id)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ON_PHOTO)
        .where(FaceInstance.assigned_by == HUMAN, ~PersonRow.deleted, IS_COMPARABLE_FACE)
        .order_by(FaceInstance.person_id, FaceInstance.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(place > after)
    return [PlacedPoint(*row) for row in session.execute(statement)]


def placings(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Placing]:
    """How each of these faces came to its person: two statements for each ``BATCH``."""
    found: dict[uuid.UUID, Placing] = {}
    for part in chunks(face_ids, BATCH):
        last = (
            select(func.max(DecisionChange.decision_id))
            .where(DecisionChange.subject_id.in_(part), DecisionChange.fact == Fact.FACE_PERSON.value)
            .group_by(DecisionChange.subject_id)
        )
        decisions = {
            row[0]: (row[1], row[2])
            for row in session.execute(
                select(DecisionChange.subject_id, DecisionRow.id, DecisionRow.kind)
                .join(DecisionRow, DecisionRow.id == DecisionChange.decision_id)
                .where(
                    DecisionChange.subject_id.in_(part),
                    DecisionChange.fact == Fact.FACE_PERSON.value,
                    DecisionChange.decision_id.in_(last),
                )
                .order_by(DecisionRow.id)
            )
        }
        rows = session.execute(
            select(FaceInstance.id, PersonRow.name, existing_file(FaceInstance.asset_id))
            .join(PersonRow, PersonRow.id == FaceInstance.person_id)
            .where(FaceInstance.id.in_(part))
        )
        for face_id, name, path in rows:
            found[face_id] = Placing(name, path, *decisions.get(face_id, (None, None)))
    return found
