"""Names that have lost their face: no file holds the photo that showed it, and no other photo shows it.

A row says where the face was when it was lost. The name is missing as long as its photo is away, nobody has
answered, the face still has its name, and the photo that its file holds now shows nobody of that name.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, aliased

from image_search_service.core.decisions import Change, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import AssetPath, FaceInstance, FaceLoss, ImageAsset, PersonRow
from image_search_service.db.queries.batches import BATCH, insert_rows, upsert_rows
from image_search_service.db.queries.faces import HUMAN


@dataclass(frozen=True, slots=True)
class LostName:
    """A name without a face. face_id: the face that had it. asset_id: the photo that showed it.

    path: the file that held that photo. path_id: of the file. current_asset_id: the photo that it holds now.
    """

    id: uuid.UUID
    face_id: uuid.UUID
    asset_id: uuid.UUID
    person_id: uuid.UUID
    name: str
    path_id: int | None
    path: Path | None
    current_asset_id: uuid.UUID | None
    lost_at: datetime


def save_lost_faces(session: Session, lost: Sequence[tuple[uuid.UUID, int]]) -> None:
    """Store faces that are lost, each with the file that showed it: one statement."""
    rows = [
        {"id": uuid.uuid4(), "face_instance_id": face, "path_id": path_id, "answered": False}
        for face, path_id in lost
    ]
    insert_rows(session, FaceLoss, rows)


def forget_lost_faces(session: Session, loss_ids: Sequence[uuid.UUID]) -> None:
    """Delete rows of faces that were found again."""
    for part in chunks(loss_ids, BATCH):
        session.execute(
            delete(FaceLoss).where(FaceLoss.id.in_(part)).execution_options(synchronize_session=False)
        )


def lost_names(
    session: Session, limit: int | None = None, after: tuple[datetime, uuid.UUID] | None = None
) -> list[LostName]:
    """Names that are missing, the latest first, each once for each file: one statement. after: the last of
    the page before."""
    names = _latest(session.execute(_missing()))
    behind = [name for name in names if after is None or (name.lost_at, after[1]) < (after[0], name.id)]
    return behind[:limit]


def lost_at_paths(session: Session, path_ids: Sequence[int]) -> list[LostName]:
    """The names that are missing in these files: a statement for each ``BATCH``."""
    return [
        name
        for part in chunks(sorted(set(path_ids)), BATCH)
        for name in _latest(session.execute(_missing().where(FaceLoss.path_id.in_(part))))
    ]


def lost_name_of(session: Session, face_id: uuid.UUID) -> LostName | None:
    """The missing name of a face, None if it is not lost."""
    names = _latest(session.execute(_missing().where(FaceLoss.face_instance_id == face_id)))
    return names[0] if names else None


def count_lost_names(session: Session) -> int:
    """How many names are missing."""
    return len(lost_names(session))


def _latest(rows: Any) -> list[LostName]:
    """Of a name that one file has lost several times the latest loss."""
    latest: dict[tuple[int | uuid.UUID, uuid.UUID], LostName] = {}
    for row in rows:
        name = LostName(*row)
        latest.setdefault((name.path_id if name.path_id is not None else name.id, name.person_id), name)
    return list(latest.values())


def _missing() -> Any:
    shown = aliased(FaceInstance)
    is_shown = (
        select(shown.id)
        .where(shown.asset_id == AssetPath.asset_id, shown.person_id == FaceInstance.person_id)
        .correlate(AssetPath, FaceInstance)
        .exists()
    )
    missing: Any = (
        select(
            FaceLoss.id,
            FaceInstance.id,
            FaceInstance.asset_id,
            PersonRow.id,
            PersonRow.name,
            AssetPath.id,
            AssetPath.path,
            AssetPath.asset_id,
            FaceLoss.lost_at,
        )
        .join(FaceInstance, FaceInstance.id == FaceLoss.face_instance_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .outerjoin(AssetPath, AssetPath.id == FaceLoss.path_id)
        .where(
            ~FaceLoss.answered,
            ImageAsset.replaced,
            FaceInstance.assigned_by == HUMAN,
            ~PersonRow.deleted,
            ~is_shown,
        )
        .order_by(FaceLoss.lost_at.desc(), FaceLoss.id)
    )
    return missing


def candidates(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """For each of these photos its faces that no human has named, left to right: a statement for each
    ``BATCH``."""
    faces: dict[uuid.UUID, list[uuid.UUID]] = {}
    statement = (
        select(FaceInstance.asset_id, FaceInstance.id)
        .where(FaceInstance.is_face, func.coalesce(FaceInstance.assigned_by, "") != HUMAN)
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    for part in chunks(sorted(set(asset_ids)), BATCH):
        for asset_id, face_id in session.execute(statement.where(FaceInstance.asset_id.in_(part))):
            faces.setdefault(asset_id, []).append(face_id)
    return faces


def read_answered(session: Session, keys: Sequence[Key]) -> dict[Key, bool]:
    """Whether each loss is answered."""
    rows = session.scalars(
        select(FaceLoss.id).where(FaceLoss.id.in_({key.other for key in keys}), FaceLoss.answered)
    )
    answered = set(rows)
    return {key: key.other in answered for key in keys}


def write_answered(session: Session, changes: Sequence[Change]) -> None:
    """Store answers; a loss whose row is gone gets one again, which names no file."""
    rows = [
        {"id": change.key.other, "face_instance_id": change.key.id, "answered": bool(change.new)}
        for change in changes
    ]
    upsert_rows(session, FaceLoss, rows, key=["id"], update=["answered"])
