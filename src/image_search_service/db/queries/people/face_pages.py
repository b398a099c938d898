"""Faces, clusters and photos as they are shown: whole pages with one statement each.

A page follows the last item of the one before by its sort key (keyset), so that pages neither overlap nor
skip while rows come and go.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, DateTime, and_, func, literal, or_, select
from sqlalchemy.orm import Session

from image_search_service.db.models import ClusterRow, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.conditions import existing_file


@dataclass(frozen=True, slots=True)
class ShownFace:
    """A face, its person's name, and the size of its photo in pixels."""

    face: FaceInstance
    person_name: str | None
    photo_width: int
    photo_height: int


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Which clusters are listed; bounds are inclusive, what is None does not matter.

    aside: those that were set aside instead of those that were not. after: size and id of the last one of
    the page before.
    """

    min_size: int | None = None
    max_size: int | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    aside: bool = False
    after: tuple[int, uuid.UUID] | None = None


@dataclass(frozen=True, slots=True)
class ShownPhoto:
    """A photo with one file that is there, if any."""

    asset: ImageAsset
    path: Path | None


UNDATED = datetime(9999, 12, 31)  # noqa: DTZ001 - cameras' dates have no zone
"""Where photos without a date stand among the others: behind them."""


def face_by_id(session: Session, face_id: uuid.UUID) -> ShownFace | None:
    row = session.execute(_shown_faces().where(FaceInstance.id == face_id)).one_or_none()
    return None if row is None else ShownFace(*row)


def faces_of_asset(session: Session, asset_id: uuid.UUID) -> list[ShownFace]:
    """Left to right, without those that were said to be none."""
    rows = session.execute(
        _shown_faces()
        .where(FaceInstance.asset_id == asset_id, FaceInstance.is_face)
        .order_by(FaceInstance.position)
    )
    return [ShownFace(*row) for row in rows]


def faces_of_cluster_page(
    session: Session, cluster_id: uuid.UUID, after: tuple[float, uuid.UUID] | None, limit: int
) -> list[ShownFace]:
    """The best first."""
    statement = _shown_faces().where(FaceInstance.cluster_id == cluster_id)
    if after is not None:
        statement = statement.where(_descending(FaceInstance.quality_score, FaceInstance.id, after))
    rows = session.execute(
        statement.order_by(FaceInstance.quality_score.desc(), FaceInstance.id).limit(limit)
    )
    return [ShownFace(*row) for row in rows]


def _shown_faces() -> Any:
    return (
        select(FaceInstance, PersonRow.name, ImageAsset.width, ImageAsset.height)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(PersonRow, PersonRow.id == FaceInstance.person_id)
    )


def _descending(first: Any, then: Any, after: tuple[Any, Any]) -> ColumnElement[bool]:
    """What stands behind ``after``, ordered by ``first`` downwards and ``then`` upwards."""
    return or_(first < after[0], and_(first == after[0], then > after[1]))


def cluster_by_id(session: Session, cluster_id: uuid.UUID) -> ClusterRow | None:
    return session.get(ClusterRow, cluster_id)


def clusters_page(session: Session, where: ClusterFilter, limit: int) -> list[ClusterRow]:
    """The largest first."""
    statement = select(ClusterRow).where(*_matching(where))
    if where.after is not None:
        statement = statement.where(_descending(ClusterRow.size, ClusterRow.id, where.after))
    return list(session.scalars(statement.order_by(ClusterRow.size.desc(), ClusterRow.id).limit(limit)))


def count_clusters(session: Session, where: ClusterFilter) -> int:
    """How many there are on all pages."""
    return session.scalar(select(func.count()).select_from(ClusterRow).where(*_matching(where))) or 0


def _matching(where: ClusterFilter) -> list[ColumnElement[bool]]:
    bounds = (
        (where.min_size, ClusterRow.size.__ge__),
        (where.max_size, ClusterRow.size.__le__),
        (where.min_confidence, ClusterRow.confidence.__ge__),
        (where.max_confidence, ClusterRow.confidence.__le__),
    )
    within = [compare(bound) for bound, compare in bounds if bound is not None]
    return [ClusterRow.set_aside.is_(where.aside), *within]


def photo_by_id(session: Session, asset_id: uuid.UUID) -> ShownPhoto | None:
    row = session.execute(
        select(ImageAsset, existing_file(ImageAsset.id)).where(ImageAsset.id == asset_id)
    ).one_or_none()
    return None if row is None else ShownPhoto(*row)


def photos_of_person_page(
    session: Session, person_id: uuid.UUID, after: tuple[datetime, uuid.UUID] | None, limit: int
) -> list[ShownPhoto]:
    """Photos that show the person, the oldest first, those without a date last."""
    taken = func.coalesce(ImageAsset.taken_at, literal(UNDATED, DateTime(timezone=False)))
    statement = select(ImageAsset, existing_file(ImageAsset.id)).where(*_showing(person_id))
    if after is not None:
        moment = literal(after[0], DateTime(timezone=False))
        statement = statement.where(or_(taken > moment, and_(taken == moment, ImageAsset.id > after[1])))
    rows = session.execute(statement.order_by(taken, ImageAsset.id).limit(limit))
    return [ShownPhoto(*row) for row in rows]


def count_photos_of_person(session: Session, person_id: uuid.UUID) -> int:
    statement = select(func.count()).select_from(ImageAsset).where(*_showing(person_id))
    return session.scalar(statement) or 0


def _showing(person_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    held = select(FaceInstance.asset_id).where(FaceInstance.person_id == person_id)
    return ImageAsset.id.in_(held), ~ImageAsset.replaced


def faces_of_person_in(
    session: Session, person_id: uuid.UUID, asset_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The person's faces in each of the photos."""
    rows = session.execute(
        select(FaceInstance.asset_id, FaceInstance.id)
        .where(FaceInstance.person_id == person_id, FaceInstance.asset_id.in_(asset_ids))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for asset_id, face_id in rows:
        found.setdefault(asset_id, []).append(face_id)
    return found
