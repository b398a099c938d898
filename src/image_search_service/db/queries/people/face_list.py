"""Faces as the command line lists them: of a person, of a cluster, or in a photo."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.conditions import IS_CURRENT_FACE, existing_file


@dataclass(frozen=True, slots=True)
class ListedFace:
    """A face, its person, who assigned it, and a file that shows it, None when all are missing.

    box: in pixels of the upright photo. quality: 0 to 1.
    """

    id: uuid.UUID
    name: str | None
    assigned_by: str | None
    cluster_id: uuid.UUID | None
    quality: float
    box: Box
    path: Path | None
    by_hand: bool = False


def of_person(person_id: uuid.UUID) -> ColumnElement[bool]:
    return FaceInstance.person_id == person_id


def of_cluster(cluster_id: uuid.UUID) -> ColumnElement[bool]:
    return FaceInstance.cluster_id == cluster_id


def in_file(path: Path) -> ColumnElement[bool]:
    return FaceInstance.asset_id.in_(select(AssetPath.asset_id).where(AssetPath.path == path))


def listed_faces(session: Session, which: ColumnElement[bool], limit: int) -> tuple[list[ListedFace], int]:
    """The clearest ``limit`` faces, best first, and how many there are: two statements. Without faces of
    replaced photos and those marked as not a face."""
    shown = (which, IS_CURRENT_FACE)
    statement = (
        select(FaceInstance, PersonRow.name, existing_file(FaceInstance.asset_id))
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(PersonRow, PersonRow.id == FaceInstance.person_id)
        .where(*shown)
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id)
        .limit(limit)
    )
    rows = [
        ListedFace(
            face.id, name, face.assigned_by, face.cluster_id, face.quality_score, face.box, path, face.by_hand
        )
        for face, name, path in session.execute(statement)
    ]
    counted = select(func.count(FaceInstance.id)).join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
    return rows, session.scalar(counted.where(*shown)) or 0
