"""Reads what explains why one face has no person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset
from image_search_service.db.queries.differences import Side, barred_by_difference, sides_where
from image_search_service.db.queries.suggestion_states import REJECTED, Pair
from image_search_service.db.queries.suggestions import assignment
from image_search_service.db.queries.suggestions.assignment import AssignableFace


@dataclass(frozen=True, slots=True)
class FaceFacts:
    """A face, its photo, and the persons it cannot be: rejected for it, in the photo with another face, or
    ruled out by a difference."""

    face: FaceInstance
    photo: ImageAsset
    rejected: frozenset[uuid.UUID]
    in_photo: frozenset[uuid.UUID]
    different: frozenset[uuid.UUID]

    @property
    def barred(self) -> frozenset[uuid.UUID]:
        """The persons that the face cannot be."""
        return self.rejected | self.in_photo | self.different


@dataclass(frozen=True, slots=True)
class UnassignedFaces:
    """The faces without a person that affect whether one of them is assigned, and what forbids it."""

    faces: Sequence[AssignableFace]
    barred: set[Pair]
    sides: list[Side]


def face_facts(session: Session, face_id: uuid.UUID) -> FaceFacts | None:
    """The facts about a face, None if it does not exist: four statements."""
    row = session.execute(
        select(FaceInstance, ImageAsset)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.id == face_id)
    ).one_or_none()
    if row is None:
        return None
    face, photo = row
    rejected = session.scalars(
        select(FaceSuggestion.person_id).where(
            FaceSuggestion.face_instance_id == face_id, FaceSuggestion.state == REJECTED
        )
    )
    other = aliased(FaceInstance)
    in_photo = session.scalars(
        select(other.person_id).where(
            other.asset_id == face.asset_id, other.id != face_id, other.person_id.is_not(None)
        )
    )
    different = session.execute(barred_by_difference(FaceInstance.id == face_id))
    return FaceFacts(
        face,
        photo,
        frozenset(rejected),
        frozenset(person for person in in_photo if person is not None),
        frozenset(row[1] for row in different if row[1] is not None),
    )


def faces_beside(session: Session, face: FaceInstance) -> UnassignedFaces:
    """The faces that affect whether this one is assigned: three statements."""
    here = assignment.beside(face.id, face.asset_id)
    return UnassignedFaces(
        assignment.assignable_beside(session, face.id, face.asset_id),
        assignment.barred_pairs(session, here),
        sides_where(session, here),
    )
