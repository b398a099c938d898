"""Clusters to ask about: the largest, some of their faces, and the persons in their photos."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, and_, bindparam, func, select, union
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import ClusterRow, FaceInstance, FaceSuggestion, ImageAsset, PersonRow
from image_search_service.db.queries.conditions import existing_file
from image_search_service.db.queries.differences import barred_by_difference
from image_search_service.db.queries.suggestion_states import REJECTED

_CLUSTERS: Any = bindparam("clusters", expanding=True)
"""Of statements that are made once: making one anew for each question takes longer than some of them."""


@dataclass(frozen=True, slots=True)
class ClusterFace:
    """A face of a cluster, by which the cluster is compared."""

    cluster_id: uuid.UUID
    id: uuid.UUID
    point_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face with its photo's moment (local time) and size in pixels. path: of the photo's first file, None
    if all are missing."""

    face: FaceInstance
    taken_at: datetime | None
    photo_width: int
    photo_height: int
    path: Path | None


@dataclass(frozen=True, slots=True)
class SmallCluster:
    """A cluster of few faces, and how tall they are beside their photos, in the mean."""

    cluster: ClusterRow
    share_of_height: float


def largest_clusters(session: Session, but: Collection[uuid.UUID], limit: int) -> list[ClusterRow]:
    """Clusters that are not set aside, of two faces or more, the largest first."""
    statement = (
        select(ClusterRow)
        .where(~ClusterRow.set_aside, ClusterRow.size > 1)
        .order_by(ClusterRow.size.desc(), ClusterRow.id)
        .limit(limit)
    )
    return list(session.scalars(statement.where(ClusterRow.id.not_in(but)) if but else statement))


def clearest_faces(session: Session, cluster_ids: Sequence[uuid.UUID], each: int) -> list[ClusterFace]:
    """The clearest faces of each of these clusters: ranked in an index, and only these are looked up."""
    rows = session.execute(_clearest_faces_statement(), {"clusters": cluster_ids, "each": each})
    return [ClusterFace(*row) for row in rows]


@cache
def _clearest_faces_statement() -> Select[*tuple[Any, ...]]:
    ranked = (
        select(
            FaceInstance.cluster_id,
            FaceInstance.id,
            func.row_number()
            .over(
                partition_by=FaceInstance.cluster_id,
                order_by=(FaceInstance.quality_score.desc(), FaceInstance.id),
            )
            .label("rank"),
        )
        .where(FaceInstance.cluster_id.in_(_CLUSTERS))
        .subquery()
    )
    return (
        select(ranked.c.cluster_id, ranked.c.id, FaceInstance.qdrant_point_id)
        .join(FaceInstance, FaceInstance.id == ranked.c.id)
        .where(ranked.c.rank <= bindparam("each"))
        .order_by(ranked.c.cluster_id, ranked.c.rank)
    )


def barred_persons(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[uuid.UUID]]:
    """The persons that each of these faces cannot be: rejected for it, in its photo already, or on the other
    side of a difference. One statement."""
    rows: Iterable[Row[uuid.UUID, uuid.UUID]] = session.execute(
        _barred_persons_statement(), {"faces": face_ids}
    )
    barred: dict[uuid.UUID, set[uuid.UUID]] = {}
    for face, person in rows:
        barred.setdefault(face, set()).add(person)
    return barred


@cache
def _barred_persons_statement() -> CompoundSelect[*tuple[Any, ...]]:
    faces: Any = bindparam("faces", expanding=True)
    rejected = select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
        FaceSuggestion.face_instance_id.in_(faces), FaceSuggestion.state == REJECTED
    )
    other = aliased(FaceInstance)
    in_photo = (
        select(FaceInstance.id, other.person_id)
        .join(other, other.asset_id == FaceInstance.asset_id)
        .where(FaceInstance.id.in_(faces), other.person_id.is_not(None))
    )
    return union(rejected, in_photo, barred_by_difference(FaceInstance.id.in_(faces)))


def shown_faces(session: Session, where: ColumnElement[bool]) -> list[ShownFace]:
    """The faces for which it holds, the clearest first; not those of replaced photos."""
    rows = session.execute(
        select(
            FaceInstance,
            ImageAsset.taken_at,
            ImageAsset.width,
            ImageAsset.height,
            existing_file(FaceInstance.asset_id),
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(where, ~ImageAsset.replaced)
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id)
    )
    return [ShownFace(row[0], row[1], row[2] or 1, row[3] or 1, row[4]) for row in rows]


def of_clusters(cluster_ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    return FaceInstance.cluster_id.in_(cluster_ids)


def among(face_ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    return FaceInstance.id.in_(face_ids)


def years_of(session: Session, cluster_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, tuple[int, int]]:
    """The first and the last year of each cluster's photos, of those with a date."""
    rows = session.execute(
        select(FaceInstance.cluster_id, func.min(ImageAsset.taken_at), func.max(ImageAsset.taken_at))
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.cluster_id.in_(cluster_ids), ImageAsset.taken_at.is_not(None))
        .group_by(FaceInstance.cluster_id)
    )
    return {row[0]: (row[1].year, row[2].year) for row in rows if row[0] and row[1] and row[2]}


def persons_beside(
    session: Session, cluster_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[tuple[uuid.UUID, int]]]:
    """Who is in the photos of each cluster's faces, in how many of them, most often first."""
    rows = session.execute(_persons_beside_statement(), {"clusters": cluster_ids})
    persons: dict[uuid.UUID, list[tuple[uuid.UUID, int]]] = {}
    for cluster, person, count in rows:
        if cluster is not None:
            persons.setdefault(cluster, []).append((person, count))
    return persons


@cache
def _persons_beside_statement() -> Select[*tuple[Any, ...]]:
    other = aliased(FaceInstance)
    photos = func.count(other.asset_id.distinct())
    return (
        select(FaceInstance.cluster_id, PersonRow.id, photos)
        .join(other, and_(other.asset_id == FaceInstance.asset_id, other.id != FaceInstance.id))
        .join(PersonRow, PersonRow.id == other.person_id)
        .where(FaceInstance.cluster_id.in_(_CLUSTERS), ~PersonRow.hidden)
        .group_by(FaceInstance.cluster_id, PersonRow.id)
        .order_by(photos.desc(), PersonRow.id)
    )


def small_clusters(session: Session, most_faces: int, crowd: float, limit: int) -> list[SmallCluster]:
    """Of some clusters of few faces those whose photos show at least ``crowd`` faces in the mean."""
    values = {"most_faces": most_faces, "crowd": crowd, "most_clusters": limit}
    rows = session.execute(_small_clusters_statement(), values)
    return [SmallCluster(row[0], float(row[1])) for row in rows]


@cache
def _small_clusters_statement() -> Select[*tuple[Any, ...]]:
    chosen = (
        select(ClusterRow.id)
        .where(~ClusterRow.set_aside, ClusterRow.size.between(2, bindparam("most_faces")))
        .order_by(ClusterRow.size, ClusterRow.id)
        .limit(bindparam("most_clusters"))
    )
    other = aliased(FaceInstance)
    in_photo = (
        select(func.count())  # of no column: so the index has all that is asked for
        .select_from(other)
        .where(other.asset_id == FaceInstance.asset_id, other.is_face)
        .correlate(FaceInstance)
        .scalar_subquery()
    )
    measured = (
        select(
            FaceInstance.cluster_id,
            func.avg(in_photo).label("faces"),
            func.avg(FaceInstance.box_height / ImageAsset.height).label("share"),
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.cluster_id.in_(chosen), ImageAsset.height > 0)
        .group_by(FaceInstance.cluster_id)
        .subquery()
    )
    return (
        select(ClusterRow, measured.c.share)
        .join(measured, measured.c.cluster_id == ClusterRow.id)
        .where(measured.c.faces >= bindparam("crowd"))
        .order_by(ClusterRow.id)
    )
