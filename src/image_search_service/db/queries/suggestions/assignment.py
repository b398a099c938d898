"""Reads faces that may be assigned, in pages of whole photos, and what forbids an assignment."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    bindparam,
    func,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import FaceDifference, FaceInstance, FaceSuggestion, ImageAsset
from image_search_service.db.queries import prepared
from image_search_service.db.queries.conditions import IS_UNNAMED_FACE, IS_UNNAMED_OF_THESE
from image_search_service.db.queries.differences import Side, barred_by_difference, select_sides
from image_search_service.db.queries.suggestion_states import REJECTED, Pair


@dataclass(frozen=True, slots=True)
class AssignableFace:
    """A face without a person. position: left to right in its photo, from 0."""

    id: uuid.UUID
    asset_id: uuid.UUID
    position: int
    point_id: uuid.UUID
    cluster_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class UnassignedFaces:
    """The faces without a person that affect whether one of them is assigned, and what forbids it."""

    faces: Sequence[AssignableFace]
    barred: set[Pair]
    sides: list[Side]


def _assignable(since: datetime | None) -> ColumnElement[bool]:
    """Of a face: it has no person, no human put it into a group or aside, it is recognizable, its photo was
    not replaced, and it was found at ``since`` or later."""
    conditions = [IS_UNNAMED_FACE, _IS_UNGROUPED]
    return and_(*conditions, *([] if since is None else [FaceInstance.created_at >= since]))


_IS_UNGROUPED = FaceInstance.group_id.is_(None)


def count_assignable(session: Session, since: datetime | None = None) -> int:
    """How many faces the pages of ``assignable_faces`` hold."""
    statement = (
        select(func.count(FaceInstance.id))
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(_assignable(since))
    )
    return session.scalar(statement) or 0


def assignable_faces(
    session: Session, after: AssignableFace | None, limit: int, since: datetime | None = None
) -> list[AssignableFace]:
    """The next faces, photo by photo."""
    statement = _faces_by_photo(_assignable(since)).limit(limit)
    if after is not None:
        place = tuple_(FaceInstance.asset_id, FaceInstance.position)
        statement = statement.where(place > (after.asset_id, after.position))
    return [AssignableFace(*row) for row in session.execute(statement)]


def _faces_by_photo(
    where: ColumnElement[bool],
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
        .where(where)
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )


def lock_unassigned(session: Session, page: Sequence[AssignableFace]) -> set[uuid.UUID]:
    """Those of a page that nobody has assigned or grouped meanwhile. Locks the faces of these photos until
    the transaction ends."""
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.person_id, FaceInstance.group_id, FaceInstance.set_aside)
        .where(in_photos_of(page))
        .order_by(FaceInstance.id)
        .with_for_update()
    )
    return {face for face, person, group, aside in rows if person is None and group is None and not aside}


def barred_pairs(session: Session, where: ColumnElement[bool]) -> set[Pair]:
    """Forbidden pairs of face and person: rejected, already in the photo, or ruled out by a difference."""
    rows: Iterable[Row[uuid.UUID, uuid.UUID]] = session.execute(
        _barred(where, where & FaceInstance.person_id.is_(None))
    )
    return {(face_id, person_id) for face_id, person_id in rows}


def _barred(
    where: ColumnElement[bool], in_photos: ColumnElement[bool]
) -> CompoundSelect[uuid.UUID, uuid.UUID]:
    """in_photos: of faces for whom it matters who is in their photo."""
    rejected = (
        select(FaceInstance.id, FaceSuggestion.person_id)
        .join(FaceSuggestion, FaceSuggestion.face_instance_id == FaceInstance.id)
        .where(FaceSuggestion.state == REJECTED, where)
    )
    other = aliased(FaceInstance)
    in_photo = (
        select(FaceInstance.id, other.person_id)
        .join(other, other.asset_id == FaceInstance.asset_id)
        .where(other.person_id.is_not(None), in_photos)
    )
    return union(rejected, in_photo, barred_by_difference(where))


def in_photos_of(page: Sequence[AssignableFace]) -> ColumnElement[bool]:
    """Of a face: its photo is in the page. Pages are ranges of photos, so that no list of ids is needed."""
    return FaceInstance.asset_id.between(page[0].asset_id, page[-1].asset_id)


def _beside() -> ColumnElement[bool]:
    """Of a face: it is in the same ``photo``, or on either side of one of the given ``face``'s differences.

    By id, so that the few are looked up: an OR of both would be looked for among all faces without a person.
    """
    own, in_photo = aliased(FaceDifference), aliased(FaceInstance)
    same = (
        select(FaceDifference.face_instance_id)
        .join(own, own.difference_id == FaceDifference.difference_id)
        .where(own.face_instance_id == bindparam("face"))
    )
    here = select(in_photo.id).where(in_photo.asset_id == bindparam("photo"))
    return FaceInstance.id.in_(union_all(here, same))


_FACES_BESIDE = _faces_by_photo(and_(IS_UNNAMED_OF_THESE, _IS_UNGROUPED, _beside())).order_by(
    None
)  # else all are sorted first
_BARRED_BESIDE = _barred(_beside(), _beside())  # of named ones, too, else all without a name are gone through
_SIDES_BESIDE = select_sides(_beside())


def unassigned_beside(session: Session, face_id: uuid.UUID, asset_id: uuid.UUID) -> UnassignedFaces:
    """The faces without a person that affect whether this one is assigned, itself included: those of its
    photo and of its differences, photo by photo. Three statements."""
    given = {"face": face_id, "photo": asset_id}
    faces = [AssignableFace(*row) for row in prepared.run(session, _FACES_BESIDE, given)]
    return UnassignedFaces(
        sorted(faces, key=lambda face: (face.asset_id, face.position)),
        {(row[0], row[1]) for row in prepared.run(session, _BARRED_BESIDE, given)},
        [Side(*row) for row in prepared.run(session, _SIDES_BESIDE, given)],
    )
