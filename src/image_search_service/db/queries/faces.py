"""Faces: their persons and clusters, and which of these Qdrant has not been told yet (the outbox)."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import (
    IS_UNNAMED_FACE,
    in_replaced_photo,
    is_unnamed,
)

HUMAN, MACHINE = "human", "machine"
"""Who assigned a face to its person."""


@dataclass(frozen=True, slots=True)
class LocatedFace:
    """A face, its person, and its box relative to the photo, 0 to 1.

    is_face: a human may have said that it is none. recognizable: whether it can be told from others.
    """

    id: uuid.UUID
    point_id: uuid.UUID
    person_id: uuid.UUID | None
    assigned_by: str | None
    box: Box
    by_hand: bool = False
    is_face: bool = True
    recognizable: bool = True


@dataclass(frozen=True, slots=True)
class GroupableFace:
    """A face that nobody has named."""

    id: uuid.UUID
    asset_id: uuid.UUID
    point_id: uuid.UUID
    cluster_id: uuid.UUID | None
    quality: float
    group_id: uuid.UUID | None = None
    """The cluster that a human put it into."""
    grouped: bool = True
    """Whether a grouping has compared it."""


_GROUPABLE = (
    FaceInstance.id,
    FaceInstance.asset_id,
    FaceInstance.qdrant_point_id,
    FaceInstance.cluster_id,
    FaceInstance.quality_score,
    FaceInstance.group_id,
    FaceInstance.grouped,
)
"""The columns of a ``GroupableFace``."""


def existing_points(session: Session, point_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of ``point_ids`` that belong to a face."""
    rows = session.scalars(
        select(FaceInstance.qdrant_point_id).where(FaceInstance.qdrant_point_id.in_(point_ids))
    )
    return set(rows)


def existing_faces(session: Session, face_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the faces that there still are: a statement for each ``BATCH``."""
    return {
        face_id
        for part in chunks(sorted(face_ids), BATCH)
        for face_id in session.scalars(select(FaceInstance.id).where(FaceInstance.id.in_(part)))
    }


def replaced_among(session: Session, asset_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the photos that no file holds any more: a statement for each ``BATCH``."""
    return {
        asset_id
        for part in chunks(asset_ids, BATCH)
        for asset_id in session.scalars(
            select(ImageAsset.id).where(ImageAsset.id.in_(part), ImageAsset.replaced)
        )
    }


def located_faces(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[LocatedFace]]:
    """The faces of each photo, left to right: a statement for each ``BATCH``."""
    statement = (
        select(FaceInstance, ImageAsset.width, ImageAsset.height)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    located: dict[uuid.UUID, list[LocatedFace]] = {}
    for part in chunks(asset_ids, BATCH):
        for face, width, height in session.execute(statement.where(FaceInstance.asset_id.in_(part))):
            across, down = width or 1, height or 1  # a photo with faces has both
            box = Box(face.box_x / across, face.box_y / down, face.box_width / across, face.box_height / down)
            located.setdefault(face.asset_id, []).append(
                LocatedFace(
                    face.id,
                    face.qdrant_point_id,
                    face.person_id,
                    face.assigned_by,
                    box,
                    face.by_hand,
                    face.is_face,
                    face.recognizable,
                )
            )
    return located


def groupable_faces(session: Session) -> list[GroupableFace]:
    """Every face without a person, in a fixed order.

    Left out are faces that are not recognizable, that are set aside, or whose photo was replaced.
    """
    return groupable_where(session, true())


def groupable_where(
    session: Session, condition: ColumnElement[bool], is_unnamed: ColumnElement[bool] = IS_UNNAMED_FACE
) -> list[GroupableFace]:
    """Those of ``groupable_faces`` for which the condition holds. is_unnamed: ``IS_UNNAMED_OF_THESE`` for a
    condition that gives their ids."""
    rows = session.execute(
        select(*_GROUPABLE)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(is_unnamed, condition)
        .order_by(FaceInstance.id)
    )
    return [GroupableFace(*row) for row in rows]


def count_faces(session: Session) -> int:
    """All faces, those of replaced photos among them."""
    return session.scalar(select(func.count()).select_from(FaceInstance)) or 0


def count_unnamed(session: Session) -> int:
    """How many faces ``groupable_faces`` gives."""
    return session.scalar(select(func.count()).select_from(FaceInstance).where(is_unnamed())) or 0


@dataclass(frozen=True, slots=True)
class PersonFacePoint:
    """A face of a named person. taken_at: local time of the photo, None where it is not known."""

    id: uuid.UUID
    person_id: uuid.UUID
    asset_id: uuid.UUID
    point_id: uuid.UUID
    quality: float
    taken_at: datetime | None


def faces_of_persons(session: Session, person_ids: Sequence[uuid.UUID]) -> list[PersonFacePoint]:
    """The faces of at most ``BATCH`` persons, without those of replaced photos: by person, then by id."""
    rows = session.execute(
        select(
            FaceInstance.id,
            FaceInstance.person_id,
            FaceInstance.asset_id,
            FaceInstance.qdrant_point_id,
            FaceInstance.quality_score,
            FaceInstance.taken_at,
        )
        .where(FaceInstance.person_id.in_(person_ids), ~in_replaced_photo())
        .order_by(FaceInstance.person_id, FaceInstance.id)
    )
    return [
        PersonFacePoint(face, person, asset, point, quality, taken_at)
        for face, person, asset, point, quality, taken_at in rows
        if person is not None
    ]


@dataclass(frozen=True, slots=True)
class ConfirmedFace:
    """A face that a human assigned to a person, and its point."""

    id: uuid.UUID
    person_id: uuid.UUID
    point_id: uuid.UUID


def confirmed_faces(session: Session, person_ids: Sequence[uuid.UUID], each: int) -> list[ConfirmedFace]:
    """Faces that humans assigned to at most ``BATCH`` persons, the clearest ``each`` of every person, without
    those of replaced photos."""
    clearest = func.row_number().over(
        partition_by=FaceInstance.person_id,
        order_by=(FaceInstance.quality_score.desc(), FaceInstance.id),
    )
    ranked = (
        select(
            FaceInstance.id,
            PersonRow.id.label("person_id"),
            FaceInstance.qdrant_point_id,
            clearest.label("rank"),
        )
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(PersonRow.id.in_(person_ids), FaceInstance.assigned_by == HUMAN, ~ImageAsset.replaced)
        .subquery()
    )
    rows = session.execute(
        select(ranked.c.id, ranked.c.person_id, ranked.c.qdrant_point_id).where(ranked.c.rank <= each)
    )
    return [ConfirmedFace(*row) for row in rows]


def face_counts(
    session: Session, person_ids: Sequence[uuid.UUID] | None = None
) -> list[tuple[uuid.UUID, int]]:
    """How many faces each person has, persons without a face included; all persons unless ids are given."""
    counted = select(PersonRow.id, PersonRow.faces).where(~PersonRow.deleted).order_by(PersonRow.id)
    if person_ids is None:
        return [(person_id, count) for person_id, count in session.execute(counted)]
    wanted = sorted(set(person_ids))
    parts = (wanted[start : start + BATCH] for start in range(0, len(wanted), BATCH))
    return [
        (person_id, count)
        for part in parts
        for person_id, count in session.execute(counted.where(PersonRow.id.in_(part)))
    ]


def faces_in_cluster(session: Session, cluster_id: uuid.UUID) -> list[GroupableFace]:
    """A cluster's faces by id, without those of replaced photos."""
    rows = session.execute(
        select(*_GROUPABLE)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.cluster_id == cluster_id, ~ImageAsset.replaced)
        .order_by(FaceInstance.id)
    )
    return [GroupableFace(*row) for row in rows]
