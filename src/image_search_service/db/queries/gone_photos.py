"""Photos whose files a run has not found any more, and those that came while it ran."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, exists, false, func, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset, IndexRun
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.photos import PATHS, below_folder


@dataclass(frozen=True, slots=True)
class KnownPlace:
    """A file, and the photo that it held. is_seen: whether the run has seen it."""

    asset_id: uuid.UUID
    path: Path
    is_seen: bool


def places_of_unseen(session: Session, roots: Sequence[Path], run: int) -> list[KnownPlace]:
    """All files of the photos of which a human said something, and of which the run has not seen some file
    below ``roots``, those that are missing since long among them: a statement for each ``PATHS`` roots, and
    one for each ``BATCH`` photos."""
    unseen: set[uuid.UUID] = set()
    for part in chunks(roots, PATHS):
        unseen.update(
            session.scalars(
                select(AssetPath.asset_id)
                .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
                .where(
                    or_(false(), *(below_folder(root) for root in part)),
                    AssetPath.seen_in_run != run,
                    ~ImageAsset.replaced,
                    _has_face(AssetPath.asset_id, _IS_SAID),
                )
                .distinct()
            )
        )
    return [
        KnownPlace(row.asset_id, row.path, row.seen_in_run == run)
        for ids in chunks(sorted(unseen), BATCH)
        for row in session.execute(
            select(AssetPath.asset_id, AssetPath.path, AssetPath.seen_in_run).where(
                AssetPath.asset_id.in_(ids)
            )
        )
    ]


def new_photos(session: Session) -> list[uuid.UUID]:
    """The photos with faces that were stored by this run, and by those before it that were interrupted."""
    began = select(func.min(IndexRun.started_at)).where(IndexRun.finished_at.is_(None)).scalar_subquery()
    statement = (
        select(ImageAsset.id)
        .where(ImageAsset.created_at >= began, _has_face(ImageAsset.id))
        .order_by(ImageAsset.id)
    )
    return list(session.scalars(statement))


_IS_SAID = or_(
    FaceInstance.person_id.is_not(None),
    FaceInstance.group_id.is_not(None),
    FaceInstance.set_aside,
    ~FaceInstance.is_face,
)


def _has_face(asset_id: object, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(FaceInstance.asset_id == asset_id, *conditions)
