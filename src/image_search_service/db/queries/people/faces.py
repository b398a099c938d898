"""Reads faces for display. A list takes two steps: the ids of the page from an index, then the details of
these faces, so that skipping to a late page costs little."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.decisions import NameOrigin
from image_search_service.core.records.faces import AssignedBy, FaceRecord, FaceState
from image_search_service.core.records.people import FaceOrder
from image_search_service.db.models import FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.conditions import (
    existing_file,
    in_replaced_photo,
    is_face_aside,
    is_unknown,
)
from image_search_service.db.queries.faces import MACHINE

_ORDERS: dict[FaceOrder, tuple[Any, ...]] = {
    FaceOrder.DATE: (FaceInstance.taken_at.asc().nulls_last(), FaceInstance.id),
    FaceOrder.QUALITY: (FaceInstance.quality_score.desc(), FaceInstance.id.desc()),
}


def face_by_id(session: Session, face_id: uuid.UUID) -> FaceRecord | None:
    return next(iter(faces_by_ids(session, [face_id])), None)


def faces_by_ids(session: Session, face_ids: Sequence[uuid.UUID]) -> list[FaceRecord]:
    """The existing ones among at most ``BATCH`` faces, in the order of the ids: one statement."""
    faces = {face.id: face for face in _records(session, FaceInstance.id.in_(face_ids))}
    return [faces[face_id] for face_id in face_ids if face_id in faces]


def faces_of_asset(session: Session, asset_id: uuid.UUID) -> list[FaceRecord]:
    """A photo's faces, left to right, without those marked as not a face."""
    which = and_(FaceInstance.asset_id == asset_id, FaceInstance.is_face)
    return sorted(_records(session, which), key=lambda face: face.position)


def faces_of_cluster(
    session: Session, cluster_id: uuid.UUID, after: tuple[float, uuid.UUID] | None, limit: int
) -> list[FaceRecord]:
    """A cluster's faces, the best first. after: quality and id of the previous page's last face."""
    quality, number = FaceInstance.quality_score, FaceInstance.id
    statement = select(number).where(FaceInstance.cluster_id == cluster_id)
    if after is not None:
        statement = statement.where(or_(quality < after[0], and_(quality == after[0], number < after[1])))
    ids = session.scalars(statement.order_by(quality.desc(), number.desc()).limit(limit)).all()
    return faces_by_ids(session, ids)


def faces_of_person(
    session: Session, person_id: uuid.UUID, order: FaceOrder, offset: int, limit: int
) -> list[FaceRecord]:
    """A page of a person's faces by date or quality: two statements."""
    ids = session.scalars(
        select(FaceInstance.id)
        .where(FaceInstance.person_id == person_id, ~in_replaced_photo())
        .order_by(*_ORDERS[order])
        .offset(offset)
        .limit(limit)
    ).all()
    return faces_by_ids(session, ids)


def count_faces_of_person(session: Session, person_id: uuid.UUID) -> int:
    return session.scalar(select(PersonRow.faces).where(PersonRow.id == person_id)) or 0


def faces_in_state(session: Session, state: FaceState, offset: int, limit: int) -> list[FaceRecord]:
    """A page of the faces in a state, the clearest first: two statements."""
    ids = session.scalars(
        select(FaceInstance.id)
        .where(_in_state(state))
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id.desc())
        .offset(offset)
        .limit(limit)
    ).all()
    return faces_by_ids(session, ids)


def count_in_state(session: Session, state: FaceState) -> int:
    return session.scalar(select(func.count()).select_from(FaceInstance).where(_in_state(state))) or 0


def _in_state(state: FaceState) -> ColumnElement[bool]:
    which = {
        FaceState.ALONE: and_(is_unknown(), FaceInstance.cluster_id.is_(None)),
        FaceState.ASIDE: is_face_aside(),
        FaceState.NOT_A_FACE: ~FaceInstance.is_face,
    }
    return and_(which[state], ~in_replaced_photo())


def _records(session: Session, which: ColumnElement[bool]) -> list[FaceRecord]:
    rows = session.execute(
        select(
            FaceInstance,
            PersonRow.name,
            ImageAsset.width,
            ImageAsset.height,
            existing_file(FaceInstance.asset_id),
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(PersonRow, PersonRow.id == FaceInstance.person_id)
        .where(which)
    )
    return [_record(*row) for row in rows]


def _record(
    face: FaceInstance, name: str | None, width: int | None, height: int | None, path: Path | None
) -> FaceRecord:
    return FaceRecord(
        id=face.id,
        asset_id=face.asset_id,
        position=face.position,
        box=face.box,
        landmarks=face.landmarks,
        photo_width=width or 0,  # a photo with faces has both
        photo_height=height or 0,
        detection_confidence=face.detection_confidence,
        quality_score=face.quality_score,
        quality_parts=face.quality_parts,
        person_id=face.person_id,
        person_name=name,
        assigned_by=_assigned_by(face),
        name_origin=None if face.name_origin is None else NameOrigin(face.name_origin),
        cluster_id=face.cluster_id,
        set_aside=face.set_aside,
        taken_at=face.taken_at,
        path=path,
        by_hand=face.by_hand,
    )


def _assigned_by(face: FaceInstance) -> AssignedBy | None:
    if face.person_id is None:
        return None
    return "machine" if face.assigned_by == MACHINE else "human"
