"""What is known of one face that has no person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import FaceInstance, FaceSuggestion, Person, PersonCentroid
from image_search_service.db.queries.apart import barred_by_difference
from image_search_service.db.queries.centroids import ACTIVE
from image_search_service.db.queries.suggestions import REJECTED


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """A face, for whom it was rejected, who is in its photo, and of whose faces it was said that they are of
    somebody else."""

    face: FaceInstance
    rejected: frozenset[uuid.UUID]
    in_photo: frozenset[uuid.UUID]
    different: frozenset[uuid.UUID]

    @property
    def quality_parts(self) -> dict[str, Any]:
        return self.face.quality_parts


def face_facts(session: Session, face_id: uuid.UUID) -> FaceFacts | None:
    """Four statements."""
    face = session.get(FaceInstance, face_id)
    if face is None:
        return None
    rejected = session.scalars(
        select(FaceSuggestion.person_id).where(
            FaceSuggestion.face_instance_id == face_id, FaceSuggestion.state == REJECTED
        )
    )
    other = aliased(FaceInstance)
    in_photo = session.scalars(
        select(other.person_id).where(other.asset_id == face.asset_id, other.person_id.is_not(None))
    )
    different = session.execute(barred_by_difference(FaceInstance.id == face_id))
    return FaceFacts(
        face,
        frozenset(rejected),
        frozenset(one for one in in_photo if one is not None),
        frozenset(row[1] for row in different if row[1] is not None),
    )


def persons_of_centroids(session: Session, centroid_ids: list[uuid.UUID]) -> dict[uuid.UUID, Person]:
    """Whose each active centroid is, of those who are there."""
    rows = session.execute(
        select(PersonCentroid.id, Person)
        .join(Person, Person.id == PersonCentroid.person_id)
        .where(PersonCentroid.id.in_(centroid_ids), PersonCentroid.state == ACTIVE, ~Person.gone)
    )
    return {row[0]: row[1] for row in rows}
