"""Prototypes: faces that represent persons in searches."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from image_search_service.db.models import FaceInstance, PersonPrototype
from image_search_service.db.queries.batches import BATCH, Row, upsert_rows


@dataclass(frozen=True, slots=True)
class PrototypeFace:
    """A prototype and its face's point. is_theirs: whether the face is still assigned to the person."""

    id: uuid.UUID
    person_id: uuid.UUID
    face_id: uuid.UUID
    point_id: uuid.UUID
    role: str
    pinned: bool
    is_theirs: bool


def prototypes_of(session: Session, person_ids: Sequence[uuid.UUID]) -> list[PrototypeFace]:
    """The prototypes of at most ``BATCH`` persons, by person, then by face."""
    rows = session.execute(
        select(
            PersonPrototype.id,
            PersonPrototype.person_id,
            PersonPrototype.face_instance_id,
            FaceInstance.qdrant_point_id,
            PersonPrototype.role,
            PersonPrototype.pinned,
            FaceInstance.person_id,
        )
        .join(FaceInstance, FaceInstance.id == PersonPrototype.face_instance_id)
        .where(PersonPrototype.person_id.in_(person_ids))
        .order_by(PersonPrototype.person_id, PersonPrototype.face_instance_id)
    )
    return [
        PrototypeFace(id_, person, face, point, role, pinned, current_person == person)
        for id_, person, face, point, role, pinned, current_person in rows
    ]


def save_prototypes(session: Session, rows: Sequence[Row]) -> None:
    """Insert prototypes; existing ones get the new role."""
    upsert_rows(session, PersonPrototype, rows, key=["person_id", "face_instance_id"], update=["role"])


def delete_prototypes(session: Session, prototype_ids: Sequence[uuid.UUID]) -> None:
    """Delete prototypes, except those that a human has pinned meanwhile."""
    for start in range(0, len(prototype_ids), BATCH):
        chunk = prototype_ids[start : start + BATCH]
        session.execute(
            delete(PersonPrototype)
            .where(PersonPrototype.id.in_(chunk), ~PersonPrototype.pinned)
            .execution_options(synchronize_session=False)
        )
