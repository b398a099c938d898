"""Reads clusters and paths of photos, to compare clusters with folders."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, ClusterRow, FaceInstance, ImageAsset


@dataclass(frozen=True, slots=True)
class FaceInPhoto:
    """A face, its cluster, and where it is in a photo of ``width`` × ``height`` pixels."""

    face_id: uuid.UUID
    cluster_id: uuid.UUID | None
    path: Path
    width: int
    height: int
    box: Box
    recognizable: bool


def located_clusters(session: Session) -> Iterator[FaceInPhoto]:
    """Every face with every file of its photo, in the order of the files' names."""
    rows = session.execute(
        select(
            FaceInstance.id,
            FaceInstance.cluster_id,
            AssetPath.path,
            ImageAsset.width,
            ImageAsset.height,
            FaceInstance.box_x,
            FaceInstance.box_y,
            FaceInstance.box_width,
            FaceInstance.box_height,
            FaceInstance.recognizable,
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .join(AssetPath, AssetPath.asset_id == ImageAsset.id)
        .order_by(AssetPath.path, FaceInstance.position)
    )
    for row in rows:
        face_id, cluster_id, path, width, height, *box, recognizable = row
        yield FaceInPhoto(face_id, cluster_id, path, width or 1, height or 1, Box(*box), recognizable)


def cluster_confidences(session: Session) -> dict[uuid.UUID, float]:
    """Of each cluster how alike its faces are, −1 to 1."""
    rows = session.execute(select(ClusterRow.id, ClusterRow.confidence))
    return {row.id: row.confidence for row in rows}
