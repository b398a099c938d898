"""Clusters: faces that grouping put together and nobody has named yet."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Executable, bindparam, delete, exists, func, select, update
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import ClusterRow, FaceInstance
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, Row, upsert_rows


def save_clusters(session: Session, rows: Sequence[Row]) -> None:
    """Insert clusters; of existing ones update size, confidence and representative."""
    changed = ["size", "confidence", "representative_face_id"]
    upsert_rows(session, ClusterRow, rows, key=["id"], update=changed)


def make_clusters(session: Session, cluster_of: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Create those clusters of the mapping (face to cluster) that do not exist yet.

    Until the next grouping, the clearest face represents a new cluster, and its confidence is that of the
    clusters that the faces come from.
    """
    missing = set(cluster_of.values()) - existing_clusters(session, cluster_of.values())
    moved = [face for face, cluster in cluster_of.items() if cluster in missing]
    clearest: dict[uuid.UUID, tuple[float, uuid.UUID]] = {}
    confidence: dict[uuid.UUID, float] = {}
    for face, quality, known in _quality_and_confidence(session, moved):
        cluster = cluster_of[face]
        clearest[cluster] = max(clearest.get(cluster, (-1.0, face)), (quality, face))
        confidence[cluster] = min(confidence.get(cluster, 1.0), 1.0 if known is None else known)
    rows = [
        {"id": cluster, "size": 0, "confidence": confidence[cluster], "representative_face_id": face}
        for cluster, (_, face) in clearest.items()
    ]
    save_clusters(session, rows)


def _quality_and_confidence(
    session: Session, face_ids: Sequence[uuid.UUID]
) -> list[tuple[uuid.UUID, float, float | None]]:
    """The quality of each face, and the confidence of the cluster that it is in."""
    statement = select(FaceInstance.id, FaceInstance.quality_score, ClusterRow.confidence).outerjoin(
        ClusterRow, ClusterRow.id == FaceInstance.cluster_id
    )
    return [
        (row[0], row[1], row[2])
        for part in chunks(face_ids, BATCH)
        for row in session.execute(statement.where(FaceInstance.id.in_(part)))
    ]


_MEMBERS = (
    select(FaceInstance.cluster_id, FaceInstance.id)
    .where(prepared.among(FaceInstance.cluster_id))
    .order_by(FaceInstance.id)
)


def members_of(session: Session, cluster_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The faces of each of these clusters that has any, by id: one statement for each ``BATCH``."""
    members: dict[uuid.UUID, list[uuid.UUID]] = {}
    for part in chunks(sorted(set(cluster_ids)), BATCH):
        for cluster, face in prepared.run(session, _MEMBERS, {"ids": part}):
            members.setdefault(cluster, []).append(face)
    return members


def restore_clusters(session: Session, rows: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Recreate clusters that a decision emptied, so that undoing it can put their faces back."""
    upsert_rows(
        session,
        ClusterRow,
        [
            {
                "id": cluster_id,
                "size": 0,
                "confidence": row["confidence"],
                "representative_face_id": uuid.UUID(row["representative_face_id"]),
            }
            for cluster_id, row in rows.items()
        ],
        key=["id"],
        update=["representative_face_id"],
    )


def delete_empty_clusters(session: Session) -> None:
    """Delete clusters that have no faces."""
    held = exists().where(FaceInstance.cluster_id == ClusterRow.id)
    session.execute(delete(ClusterRow).where(~held).execution_options(synchronize_session=False))


_EXISTING = select(ClusterRow.id).where(prepared.among(ClusterRow.id))


def existing_clusters(session: Session, cluster_ids: Iterable[uuid.UUID | None]) -> set[uuid.UUID]:
    """Those of the ids that exist: one statement for each ``BATCH``."""
    wanted = sorted(cluster_id for cluster_id in cluster_ids if cluster_id is not None)
    return set(prepared.scalars(session, _EXISTING, wanted))


def every_cluster(session: Session) -> set[uuid.UUID]:
    """The ids of all clusters."""
    return set(session.scalars(select(ClusterRow.id)))


_OF_FACES = (
    select(FaceInstance.cluster_id)
    .where(FaceInstance.cluster_id.is_not(None), prepared.among(FaceInstance.id))
    .distinct()
)


def clusters_of_faces(session: Session, face_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """The clusters that these faces are in: one statement for each ``BATCH``."""
    return set(prepared.scalars(session, _OF_FACES, face_ids))


def _mending() -> tuple[Executable, ...]:
    """What ``mend_clusters`` does to the clusters ``ids``, in this order: first it deletes empty ones."""
    member = select(FaceInstance.id).where(FaceInstance.cluster_id == ClusterRow.id).correlate(ClusterRow)
    size = member.with_only_columns(func.count(FaceInstance.id)).scalar_subquery()
    clearest = member.order_by(FaceInstance.quality_score.desc(), FaceInstance.id).limit(1).scalar_subquery()
    stays = member.where(FaceInstance.id == ClusterRow.representative_face_id).exists()
    aside = member.where(FaceInstance.set_aside).exists()
    these = prepared.among(ClusterRow.id)
    return (
        delete(ClusterRow).where(these, ~member.exists()),
        update(ClusterRow).where(these, ClusterRow.size != size).values(size=size),
        update(ClusterRow).where(these, ~stays).values(representative_face_id=clearest),
        update(ClusterRow).where(these, ClusterRow.set_aside != aside).values(set_aside=aside),
    )


_DELETE_EMPTY, *_MENDING = _mending()


def mend_clusters(session: Session, cluster_ids: Iterable[uuid.UUID]) -> None:
    """Bring these clusters up to date after faces joined or left them or were set aside.

    Sizes are counted again, the clearest face replaces a representative that left, and clusters without
    faces are deleted.
    """
    for part in chunks(sorted(set(cluster_ids)), BATCH):
        if prepared.run(session, _DELETE_EMPTY, {"ids": part}).rowcount == len(part):
            continue
        for change in _MENDING:
            prepared.run(session, change, {"ids": part})


def clusters_starting_with(session: Session, prefix: str) -> list[ClusterRow]:
    """Clusters whose id, in hexadecimal, starts with ``prefix``: at most two, enough to see an ambiguity."""
    low = uuid.UUID(prefix.ljust(32, "0"))
    high = uuid.UUID(prefix.ljust(32, "f"))
    return list(
        session.scalars(select(ClusterRow).where(ClusterRow.id >= low, ClusterRow.id <= high).limit(2))
    )


_FACES = (
    select(FaceInstance.id).where(FaceInstance.cluster_id == bindparam("cluster")).order_by(FaceInstance.id)
)


def faces_of_cluster(session: Session, cluster_id: uuid.UUID) -> list[uuid.UUID]:
    return list(prepared.run(session, _FACES, {"cluster": cluster_id}).scalars())
