"""What must exist according to SQL, in pages, for the comparison with Qdrant and with the files.

Pages follow one another by the last id of the one before. Ids ascend as their bytes do: SQLite keeps them as
hexadecimal text, PostgreSQL compares them byte by byte, and so does Qdrant.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from image_search_service.db.models import (
    AssetPath,
    FaceInstance,
    ImageAsset,
    IndexRun,
    PersonCentroid,
    StagedFace,
)
from image_search_service.db.queries.conditions import is_hidden_face

S = TypeVar("S", bound=Select[*tuple[Any, ...]])


@dataclass(frozen=True, slots=True)
class FaceTruth:
    """What Qdrant's payload of a face must be. is_due: the last change has not been sent yet."""

    id: uuid.UUID
    asset_id: uuid.UUID
    point_id: uuid.UUID
    person_id: uuid.UUID | None
    cluster_id: uuid.UUID | None
    quality: float
    confidence: float
    recognizable: bool
    hidden: bool
    version: int
    sent: int

    @property
    def is_due(self) -> bool:
        return self.sent < self.version


@dataclass(frozen=True, slots=True)
class CentroidTruth:
    """A centroid's row; its point has the same id."""

    id: uuid.UUID
    person_id: uuid.UUID
    state: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PhotoTruth:
    """A photo; one that cannot be read (``failure``) has neither faces nor a thumbnail."""

    id: uuid.UUID
    content_hash: str
    failure: str | None


_FACE: tuple[Any, ...] = (
    FaceInstance.id,
    FaceInstance.asset_id,
    FaceInstance.qdrant_point_id,
    FaceInstance.person_id,
    FaceInstance.cluster_id,
    FaceInstance.quality_score,
    FaceInstance.detection_confidence,
    FaceInstance.recognizable,
    is_hidden_face(),
    FaceInstance.payload_version,
    FaceInstance.payload_sent,
)
_CENTROID = (PersonCentroid.id, PersonCentroid.person_id, PersonCentroid.state, PersonCentroid.created_at)
_PHOTO = (ImageAsset.id, ImageAsset.content_hash, ImageAsset.failure)


def face_page(session: Session, after: uuid.UUID | None, limit: int) -> list[FaceTruth]:
    """Faces by the id of their point, from the one after ``after``."""
    rows = session.execute(_page(select(*_FACE), FaceInstance.qdrant_point_id, after, limit))
    return [FaceTruth(*row) for row in rows]


def faces_at_points(session: Session, point_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, FaceTruth]:
    """The faces of these points, by point."""
    rows = session.execute(select(*_FACE).where(FaceInstance.qdrant_point_id.in_(point_ids)))
    return {face.point_id: face for face in (FaceTruth(*row) for row in rows)}


def face_id_page(session: Session, after: uuid.UUID | None, limit: int) -> list[uuid.UUID]:
    """Ids of faces, from the one after ``after``."""
    return list(session.scalars(_page(select(FaceInstance.id), FaceInstance.id, after, limit)))


def existing_faces(session: Session, face_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the ids that belong to faces, or will once the library has moved to another engine."""
    return {
        face_id
        for key in (FaceInstance.id, StagedFace.id)
        for face_id in session.scalars(select(key).where(key.in_(face_ids)))
    }


def photo_page(session: Session, after: uuid.UUID | None, limit: int) -> list[PhotoTruth]:
    """Photos by id, from the one after ``after``."""
    rows = session.execute(_page(select(*_PHOTO), ImageAsset.id, after, limit))
    return [PhotoTruth(*row) for row in rows]


def photos_by_id(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PhotoTruth]:
    rows = session.execute(select(*_PHOTO).where(ImageAsset.id.in_(asset_ids)))
    return {photo.id: photo for photo in (PhotoTruth(*row) for row in rows)}


def centroid_page(session: Session, after: uuid.UUID | None, limit: int) -> list[CentroidTruth]:
    """Centroids in every state by id, from the one after ``after``."""
    rows = session.execute(_page(select(*_CENTROID), PersonCentroid.id, after, limit))
    return [CentroidTruth(*row) for row in rows]


def centroids_by_id(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, CentroidTruth]:
    rows = session.execute(select(*_CENTROID).where(PersonCentroid.id.in_(ids)))
    return {row[0]: CentroidTruth(*row) for row in rows}


def faces_of_photos(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[FaceInstance]]:
    """The faces of each photo that has some, left to right."""
    rows = session.scalars(
        select(FaceInstance)
        .where(FaceInstance.asset_id.in_(asset_ids))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    faces: dict[uuid.UUID, list[FaceInstance]] = {}
    for face in rows:
        faces.setdefault(face.asset_id, []).append(face)
    return faces


def files_of_photos(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Path]]:
    """The paths where each photo is or was, the most recently seen first."""
    rows = session.execute(
        select(AssetPath.asset_id, AssetPath.path)
        .where(AssetPath.asset_id.in_(asset_ids))
        .order_by(AssetPath.missing_since.is_not(None), AssetPath.id)
    )
    files: dict[uuid.UUID, list[Path]] = {}
    for asset_id, path in rows:
        files.setdefault(asset_id, []).append(path)
    return files


def has_unfinished_run(session: Session) -> bool:
    """Whether an index run is under way, or was interrupted and no later run has completed its work."""
    return bool(session.scalar(select(func.count()).where(IndexRun.finished_at.is_(None))))


def count_photos(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(ImageAsset)) or 0


def mark_payloads_due(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Mark these faces as due, so that their payload is sent to Qdrant again."""
    statement = (
        update(FaceInstance)
        .where(FaceInstance.id == bindparam("face"))
        .values(payload_version=FaceInstance.payload_version + 1)
    )
    if face_ids:
        session.connection().execute(statement, [{"face": face_id} for face_id in face_ids])


def _page(statement: S, key: InstrumentedAttribute[uuid.UUID], after: uuid.UUID | None, limit: int) -> S:
    if after is not None:
        statement = statement.where(key > after)
    return statement.order_by(key).limit(limit)
