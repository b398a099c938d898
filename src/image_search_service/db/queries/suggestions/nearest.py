"""Reads the points of faces that are compared, and the other persons in their photos."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import in_replaced_photo


def points_of_person(session: Session, person_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    """The point of each of a person's faces, by face."""
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.qdrant_point_id).where(
            FaceInstance.person_id == person_id, ~in_replaced_photo()
        )
    )
    return {row[0]: row[1] for row in rows}


def points_of_cluster(session: Session, cluster_id: uuid.UUID, most: int) -> dict[uuid.UUID, uuid.UUID]:
    """The points of a cluster's clearest faces, by face."""
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.qdrant_point_id)
        .where(FaceInstance.cluster_id == cluster_id)
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id.desc())
        .limit(most)
    )
    return {row[0]: row[1] for row in rows}


def persons_beside(session: Session, face_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """The persons in the photos of these faces: one statement for each ``BATCH``."""
    other = aliased(FaceInstance)
    statement = select(other.person_id).where(other.person_id.is_not(None)).distinct()
    return {
        person_id
        for part in chunks(face_ids, BATCH)
        for person_id in session.scalars(
            statement.where(
                other.asset_id.in_(select(FaceInstance.asset_id).where(FaceInstance.id.in_(part)))
            )
        )
        if person_id is not None
    }
