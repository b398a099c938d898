"""Which of the unnamed faces a grouping looks at: those that none has compared yet, and those near them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, ImageAsset
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_UNNAMED_FACE, IS_UNNAMED_OF_THESE, ON_PHOTO
from image_search_service.db.queries.faces import GroupableFace, groupable_where


def ungrouped_faces(session: Session) -> list[GroupableFace]:
    """The unnamed faces that no grouping has compared yet, in the order of their ids."""
    return groupable_where(session, ~FaceInstance.grouped)


def has_ungrouped(session: Session) -> bool:
    """Whether there are any such faces."""
    waiting = select(FaceInstance.id).join(ImageAsset, ON_PHOTO).where(IS_UNNAMED_FACE, ~FaceInstance.grouped)
    return session.scalar(waiting.limit(1)) is not None


def groupable_among(session: Session, face_ids: Iterable[uuid.UUID]) -> list[GroupableFace]:
    """Those of these faces that are to be grouped, in the order of their ids: a statement a ``BATCH``."""
    return [
        face
        for part in chunks(sorted(set(face_ids)), BATCH)
        for face in groupable_where(session, FaceInstance.id.in_(part), IS_UNNAMED_OF_THESE)
    ]


def groupable_in_clusters(session: Session, cluster_ids: Iterable[uuid.UUID]) -> list[GroupableFace]:
    """The faces of these clusters: a statement a ``BATCH`` of clusters."""
    return [
        face
        for part in chunks(sorted(set(cluster_ids)), BATCH)
        for face in groupable_where(session, FaceInstance.cluster_id.in_(part))
    ]


def mark_grouped(session: Session, face_ids: Iterable[uuid.UUID]) -> None:
    """These faces have been compared: a statement a ``BATCH``."""
    for part in chunks(sorted(set(face_ids)), BATCH):
        session.execute(
            update(FaceInstance)
            .where(FaceInstance.id.in_(part), ~FaceInstance.grouped)
            .values(grouped=True)
            .execution_options(synchronize_session=False)
        )
