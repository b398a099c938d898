"""Faces that may be given to somebody: read in pages of whole photos, and what forbids it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, tuple_, union
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import FaceDifference, FaceInstance, FaceSuggestion, ImageAsset
from image_search_service.db.queries.conditions import IS_UNNAMED_FACE
from image_search_service.db.queries.differences import barred_by_difference
from image_search_service.db.queries.suggestion_states import REJECTED, Pair


@dataclass(frozen=True, slots=True)
class AssignableFace:
    """A face without a person. position: left to right in its photo, from 0."""

    id: uuid.UUID
    asset_id: uuid.UUID
    position: int
    point_id: uuid.UUID
    cluster_id: uuid.UUID | None


def _assignable(since: datetime | None) -> ColumnElement[bool]:
    """Without a person, not put anywhere by a human, to be told from others, in a photo that has not been
    replaced, found ``since``."""
    conditions = [IS_UNNAMED_FACE, FaceInstance.group_id.is_(None)]
    return and_(*conditions, *([] if since is None else [FaceInstance.created_at >= since]))


def count_assignable(session: Session, since: datetime | None = None) -> int:
    """How many faces the pages of ``assignable_faces`` hold."""
    found = (
        select(func.count(FaceInstance.id))
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(_assignable(since))
    )
    return session.scalar(found) or 0


def assignable_faces(
    session: Session, after: AssignableFace | None, limit: int, since: datetime | None = None
) -> list[AssignableFace]:
    """The next faces, photo by photo."""
    found = _assignable_faces(since).limit(limit)
    if after is not None:
        place = tuple_(FaceInstance.asset_id, FaceInstance.position)
        found = found.where(place > (after.asset_id, after.position))
    return [AssignableFace(*row) for row in session.execute(found)]


def _assignable_faces(
    since: datetime | None,
) -> Select[uuid.UUID, uuid.UUID, int, uuid.UUID, uuid.UUID | None]:
    return (
        select(
            FaceInstance.id,
            FaceInstance.asset_id,
            FaceInstance.position,
            FaceInstance.qdrant_point_id,
            FaceInstance.cluster_id,
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(_assignable(since))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )


def lock_unassigned(session: Session, page: Sequence[AssignableFace]) -> set[uuid.UUID]:
    """Those of a page that nobody has placed since. Nobody else changes a face of these photos until the
    transaction ends."""
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.person_id, FaceInstance.group_id, FaceInstance.set_aside)
        .where(in_photos_of(page))
        .order_by(FaceInstance.id)
        .with_for_update()
    )
    return {face for face, person, group, aside in rows if person is None and group is None and not aside}


def assignable_beside(session: Session, face_id: uuid.UUID, asset_id: uuid.UUID) -> list[AssignableFace]:
    """The faces without a person on which depends whether this one is given to somebody, itself included: of
    its photo, and of what it was said to be different from."""
    found = _assignable_faces(None).where(beside(face_id, asset_id))
    return [AssignableFace(*row) for row in session.execute(found)]


def barred_pairs(session: Session, where: ColumnElement[bool]) -> set[Pair]:
    """Whom faces cannot be: who was rejected for them, who is in the photo already, and of whose faces it was
    said that they are of somebody else."""
    rejected = (
        select(FaceInstance.id, FaceSuggestion.person_id)
        .join(FaceSuggestion, FaceSuggestion.face_instance_id == FaceInstance.id)
        .where(FaceSuggestion.state == REJECTED, where)
    )
    other = aliased(FaceInstance)
    in_photo = (
        select(FaceInstance.id, other.person_id)
        .join(other, other.asset_id == FaceInstance.asset_id)
        .where(FaceInstance.person_id.is_(None), other.person_id.is_not(None), where)
    )
    different = barred_by_difference(where)
    rows: Iterable[Row[uuid.UUID, uuid.UUID]] = session.execute(union(rejected, in_photo, different))
    return {(face_id, person_id) for face_id, person_id in rows}


def in_photos_of(page: Sequence[AssignableFace]) -> ColumnElement[bool]:
    """A page's photos are all between its first and its last, so that no list of ids is needed."""
    return FaceInstance.asset_id.between(page[0].asset_id, page[-1].asset_id)


def beside(face_id: uuid.UUID, asset_id: uuid.UUID) -> ColumnElement[bool]:
    """Faces of a face's photo, and of both sides of what was said to be different from it."""
    own = aliased(FaceDifference)
    same = (
        select(FaceDifference.face_instance_id)
        .join(own, own.difference_id == FaceDifference.difference_id)
        .where(own.face_instance_id == face_id)
    )
    return or_(FaceInstance.asset_id == asset_id, FaceInstance.id.in_(same))
