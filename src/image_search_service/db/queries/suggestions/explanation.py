"""Reads what explains why one face has no person."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset
from image_search_service.db.queries.differences import barred_by_difference
from image_search_service.db.queries.prepared import run
from image_search_service.db.queries.suggestion_states import REJECTED


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


_FACE = (
    select(FaceInstance, ImageAsset)
    .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
    .where(FaceInstance.id == bindparam("face"))
)
_REJECTED = select(FaceSuggestion.person_id).where(
    FaceSuggestion.face_instance_id == bindparam("face"), FaceSuggestion.state == REJECTED
)
_IN_PHOTO = select(FaceInstance.person_id).where(
    FaceInstance.asset_id == bindparam("photo"),
    FaceInstance.id != bindparam("face"),
    FaceInstance.person_id.is_not(None),
)
_DIFFERENT = barred_by_difference(FaceInstance.id == bindparam("face"))


def face_facts(session: Session, face_id: uuid.UUID) -> FaceFacts | None:
    """The facts about a face, None if it does not exist: four statements."""
    row = session.execute(_FACE, {"face": face_id}).one_or_none()
    if row is None:
        return None
    face, photo = row
    of_face = {"face": face_id}
    return FaceFacts(
        face,
        photo,
        rejected=frozenset(run(session, _REJECTED, of_face).scalars()),
        in_photo=frozenset(run(session, _IN_PHOTO, of_face | {"photo": face.asset_id}).scalars()),
        different=frozenset(row[1] for row in run(session, _DIFFERENT, of_face)),
    )
