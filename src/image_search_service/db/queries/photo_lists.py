"""Reads lists of photos: filtered, sorted by date, in pages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, DateTime, String, and_, func, literal, literal_column, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.records.photos import (
    UNDATED,
    CountedPhoto,
    FailedPhotoRecord,
    FolderCount,
    PhotoFilter,
    PhotoOrder,
    PhotoRecord,
)
from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset
from image_search_service.db.queries.conditions import (
    IS_PRESENT,
    existing_file,
    is_listed_photo,
)
from image_search_service.db.queries.photos import below_folder

_ORDERS: dict[PhotoOrder, tuple[Any, ...]] = {
    PhotoOrder.OLDEST_FIRST: (ImageAsset.taken_at.asc().nulls_last(), ImageAsset.id.asc()),
    PhotoOrder.NEWEST_FIRST: (ImageAsset.taken_at.desc().nulls_last(), ImageAsset.id.desc()),
}


def photo_by_id(session: Session, asset_id: uuid.UUID) -> PhotoRecord | None:
    return next(iter(photos_by_ids(session, [asset_id])), None)


def photos_by_ids(session: Session, asset_ids: Sequence[uuid.UUID]) -> list[PhotoRecord]:
    """The existing ones among at most ``BATCH`` photos, in the order of the ids: one statement."""
    rows = session.execute(
        select(
            ImageAsset.id,
            existing_file(ImageAsset.id),
            ImageAsset.width,
            ImageAsset.height,
            ImageAsset.taken_at,
        ).where(ImageAsset.id.in_(asset_ids))
    )
    photos = {row[0]: PhotoRecord(*row) for row in rows}
    return [photos[asset_id] for asset_id in asset_ids if asset_id in photos]


def photos_page(
    session: Session, where: PhotoFilter, order: PhotoOrder, offset: int, limit: int
) -> list[CountedPhoto]:
    """A page of photos, each with its number of faces: three statements."""
    ids = session.scalars(
        select(ImageAsset.id).where(*_matching(where)).order_by(*_ORDERS[order]).offset(offset).limit(limit)
    ).all()
    faces = _faces_in(session, ids)
    return [CountedPhoto(photo, faces.get(photo.id, 0)) for photo in photos_by_ids(session, ids)]


def count_photos(session: Session, where: PhotoFilter) -> int:
    return session.scalar(select(func.count()).select_from(ImageAsset).where(*_matching(where))) or 0


def month_counts(session: Session, where: PhotoFilter, order: PhotoOrder) -> list[tuple[str | None, int]]:
    """Months such as ``2015-05`` in this order, each with its photos; those without a date last."""
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    month = (
        func.to_char(ImageAsset.taken_at, "YYYY-MM")
        if is_postgresql
        else func.substr(ImageAsset.taken_at, 1, 7, type_=String())
    ).label("month")
    rows = session.execute(select(month, func.count()).where(*_matching(where)).group_by(month))
    counts = {row[0]: row[1] for row in rows}
    months = sorted(dated for dated in counts if dated is not None)
    if order is PhotoOrder.NEWEST_FIRST:
        months.reverse()
    undated = [(None, counts[None])] if None in counts else []
    return [*((dated, counts[dated]) for dated in months), *undated]


def folder_counts(session: Session) -> list[FolderCount]:
    """Every folder that directly holds a readable photo, by name."""
    unlisted = select(ImageAsset.id).where(or_(ImageAsset.failure.is_not(None), ImageAsset.replaced))
    rows = session.execute(
        select(AssetPath.folder, func.count(AssetPath.asset_id.distinct()))
        .where(IS_PRESENT, AssetPath.asset_id.not_in(unlisted))
        .group_by(AssetPath.folder)
        .order_by(AssetPath.folder)
    )
    return [FolderCount(*row) for row in rows]


def failed_photos(session: Session, after: int, limit: int) -> list[FailedPhotoRecord]:
    """Unreadable files after the number ``after``, in the order in which they were found: two statements."""
    rows = session.execute(
        select(AssetPath.id, AssetPath.path, AssetPath.asset_id)
        .where(_is_failed(), AssetPath.id > after)
        .order_by(AssetPath.id)
        .limit(limit)
    ).all()
    asset_ids = {row[2] for row in rows}
    reasons = session.execute(select(ImageAsset.id, ImageAsset.failure).where(ImageAsset.id.in_(asset_ids)))
    reason = {row[0]: row[1] or "" for row in reasons}
    return [FailedPhotoRecord(number, path, reason[asset_id]) for number, path, asset_id in rows]


def count_failed(session: Session) -> int:
    return session.scalar(select(func.count(AssetPath.id)).where(_is_failed())) or 0


def _is_failed() -> ColumnElement[bool]:
    """Of a file: it exists and is unreadable. Unreadable photos are few and have an index of their own."""
    failed = select(ImageAsset.id).where(ImageAsset.failure.is_not(None))
    return and_(IS_PRESENT, AssetPath.asset_id.in_(failed))


def files_of(session: Session, asset_id: uuid.UUID) -> list[Path]:
    """The files of a photo that existed at the last index run, by name."""
    statement = select(AssetPath.path).where(AssetPath.asset_id == asset_id, IS_PRESENT)
    return list(session.scalars(statement.order_by(AssetPath.path)))


def photos_of_person_page(
    session: Session, person_id: uuid.UUID, after: tuple[datetime, uuid.UUID] | None, limit: int
) -> list[PhotoRecord]:
    """Photos that show the person, the oldest first, those without a date last: two statements."""
    taken = func.coalesce(ImageAsset.taken_at, literal(UNDATED, DateTime(timezone=False)))
    statement = select(ImageAsset.id).where(*_showing(person_id))
    if after is not None:
        moment = literal(after[0], DateTime(timezone=False))
        statement = statement.where(or_(taken > moment, and_(taken == moment, ImageAsset.id > after[1])))
    ids = session.scalars(statement.order_by(taken, ImageAsset.id).limit(limit)).all()
    return photos_by_ids(session, ids)


def count_photos_of_person(session: Session, person_id: uuid.UUID) -> int:
    statement = select(func.count()).select_from(ImageAsset).where(*_showing(person_id))
    return session.scalar(statement) or 0


def _showing(person_id: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    return ImageAsset.id.in_(_assets_with(person_id)), ~ImageAsset.replaced


def faces_of_person_in(
    session: Session, person_id: uuid.UUID, asset_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The person's faces in each of the photos, left to right."""
    rows = session.execute(
        select(FaceInstance.asset_id, FaceInstance.id)
        .where(FaceInstance.person_id == person_id, FaceInstance.asset_id.in_(asset_ids))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    faces: dict[uuid.UUID, list[uuid.UUID]] = {}
    for asset_id, face_id in rows:
        faces.setdefault(asset_id, []).append(face_id)
    return faces


def _matching(where: PhotoFilter) -> list[ColumnElement[bool]]:
    conditions = [is_listed_photo()]
    conditions += [ImageAsset.id.in_(_assets_with(person_id)) for person_id in where.with_persons]
    conditions += [ImageAsset.id.not_in(_assets_with(person_id)) for person_id in where.without]
    if where.unknown:
        conditions.append(ImageAsset.unknown_faces > literal_column("0"))  # a literal: then its index serves
    if where.folder is not None:
        below = select(AssetPath.asset_id).where(below_folder(where.folder), IS_PRESENT)
        conditions.append(ImageAsset.id.in_(below))
    return conditions


def _assets_with(person_id: uuid.UUID) -> Any:
    return select(FaceInstance.asset_id).where(FaceInstance.person_id == person_id)


def _faces_in(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = session.execute(
        select(FaceInstance.asset_id, func.count())
        .where(FaceInstance.asset_id.in_(asset_ids), FaceInstance.is_face)
        .group_by(FaceInstance.asset_id)
    )
    return {row[0]: row[1] for row in rows}


def place_of_face(session: Session, face_id: uuid.UUID) -> tuple[uuid.UUID, Box] | None:
    """The photo of a face, and the face's box in it."""
    face = session.get(FaceInstance, face_id)
    return None if face is None else (face.asset_id, face.box)
