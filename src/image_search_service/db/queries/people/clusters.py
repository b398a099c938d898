"""Reads pages of clusters for display, each with a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnExpressionArgument, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.records.faces import ClusterFilter
from image_search_service.db.models import ClusterRow, FaceInstance


@dataclass(slots=True)
class ClusterMembers:
    """All faces of a cluster, the best first, and when the first and the last of its photos were taken."""

    face_ids: list[uuid.UUID] = field(default_factory=list)
    first: datetime | None = None
    last: datetime | None = None


def cluster_by_id(session: Session, cluster_id: uuid.UUID) -> ClusterRow | None:
    return session.get(ClusterRow, cluster_id)


def clusters_page(session: Session, where: ClusterFilter, limit: int) -> list[ClusterRow]:
    """The largest first; among equals those with the greatest id."""
    statement = select(ClusterRow).where(*_matching(where))
    if where.after is not None:
        size, number = where.after
        statement = statement.where(
            or_(ClusterRow.size < size, and_(ClusterRow.size == size, ClusterRow.id < number))
        )
    statement = statement.order_by(ClusterRow.size.desc(), ClusterRow.id.desc())
    return list(session.scalars(statement.offset(where.offset).limit(limit)))


def count_clusters(session: Session, where: ClusterFilter) -> int:
    """How many there are on all pages."""
    return session.scalar(select(func.count()).select_from(ClusterRow).where(*_matching(where))) or 0


def _matching(where: ClusterFilter) -> list[ColumnExpressionArgument[bool]]:
    bounds = (
        (where.min_size, ClusterRow.size.__ge__),
        (where.max_size, ClusterRow.size.__le__),
        (where.min_confidence, ClusterRow.confidence.__ge__),
        (where.max_confidence, ClusterRow.confidence.__le__),
    )
    return [
        ClusterRow.set_aside if where.aside else ~ClusterRow.set_aside,
        *(compare(bound) for bound, compare in bounds if bound is not None),
    ]


def members_of_clusters(
    session: Session, cluster_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, ClusterMembers]:
    """The faces of each of at most ``BATCH`` clusters that has any: two statements."""
    members: dict[uuid.UUID, ClusterMembers] = {}
    rows = session.execute(
        select(FaceInstance.cluster_id, FaceInstance.id)
        .where(FaceInstance.cluster_id.in_(cluster_ids))
        .order_by(FaceInstance.cluster_id, FaceInstance.quality_score.desc(), FaceInstance.id.desc())
    )
    for cluster_id, face_id in rows:
        members.setdefault(_known(cluster_id), ClusterMembers()).face_ids.append(face_id)
    for cluster_id, first, last in session.execute(_spans(cluster_ids)):
        members[_known(cluster_id)].first, members[_known(cluster_id)].last = first, last
    return members


def _spans(cluster_ids: Sequence[uuid.UUID]) -> Select[Any, Any, Any]:
    return (
        select(FaceInstance.cluster_id, func.min(FaceInstance.taken_at), func.max(FaceInstance.taken_at))
        .where(FaceInstance.cluster_id.in_(cluster_ids))
        .group_by(FaceInstance.cluster_id)
    )


def _known(cluster_id: uuid.UUID | None) -> uuid.UUID:
    assert cluster_id is not None  # noqa: S101 - every row has one of those that were asked for
    return cluster_id
