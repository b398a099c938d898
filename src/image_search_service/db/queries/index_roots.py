"""The library's folders, and the files in them that excludes leave out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, delete, distinct, exists, false, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.core.records.photos import RootRecord
from image_search_service.db.models import AssetPath, ImageAsset, IndexRoot, utc_now
from image_search_service.db.queries.absent_folders import absent_states
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.conditions import IS_PRESENT
from image_search_service.db.queries.photos import PATHS, below_folder


def excludes(session: Session) -> dict[Path, list[str]]:
    """What each of the library's folders leaves out, by path."""
    rows = session.execute(select(IndexRoot.path, IndexRoot.excludes).order_by(IndexRoot.path))
    return {row.path: row.excludes for row in rows}


def indexed_at(session: Session) -> dict[Path, datetime | None]:
    """When indexing each of them was last begun."""
    rows = session.execute(select(IndexRoot.path, IndexRoot.indexed_at).order_by(IndexRoot.path))
    return {row.path: row.indexed_at for row in rows}


def save_root(session: Session, path: Path, lines: Sequence[str] | None) -> None:
    """Add a folder, or change what it leaves out. lines: None leaves that as it is."""
    row = {"path": path, "indexed_at": None, "excludes": list(lines or ())}
    upsert_rows(session, IndexRoot, [row], key=["path"], update=[] if lines is None else ["excludes"])


def remove_roots(session: Session, path: Path) -> int:
    """Remove a folder and those below it; returns how many there were."""
    result = session.execute(delete(IndexRoot).where(below_folder(path, IndexRoot.path)))
    return int(getattr(result, "rowcount", 0))


def roots(session: Session) -> list[RootRecord]:
    """All of them by path, with counts: two statements for each."""
    rows = session.execute(
        select(IndexRoot.path, IndexRoot.excludes, IndexRoot.indexed_at).order_by(IndexRoot.path)
    ).all()
    states = absent_states(session)
    return [
        RootRecord(
            path=row.path,
            excludes=row.excludes,
            indexed_at=row.indexed_at,
            state=states.get(row.path),
            photos=_count_photos(session, row.path, IS_PRESENT),
            excluded=_count_photos(session, row.path, AssetPath.excluded.is_(True), is_excluded_photo()),
        )
        for row in rows
    ]


def _count_photos(session: Session, root: Path, *conditions: ColumnElement[bool]) -> int:
    counted = (
        select(func.count(distinct(AssetPath.asset_id)))
        .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
        .where(below_folder(root), ImageAsset.failure.is_(None), ~ImageAsset.replaced, *conditions)
    )
    return session.scalar(counted) or 0


def is_excluded_photo() -> ColumnElement[bool]:
    """Of a photo: no file of it counts as present, and one does not because it is left out."""
    file = aliased(AssetPath)
    files = exists().where(file.asset_id == ImageAsset.id)
    return files.where(file.excluded) & ~files.where(file.missing_since.is_(None))


def excluded_photos(session: Session) -> set[uuid.UUID]:
    """Photos that are missing by choice, without those that were forgotten."""
    return set(session.scalars(select(ImageAsset.id).where(is_excluded_photo(), ~ImageAsset.replaced)))


def note_excluded(
    session: Session, roots: Sequence[Path], run: int, is_left_out: Callable[[Path], bool]
) -> int:
    """Store which files below ``roots`` that this run has not seen are left out: they count as missing.

    Returns how many are. A statement for each ``PATHS`` roots and for each ``BATCH`` files that change.
    """
    unseen = [row for part in chunks(roots, PATHS) for row in session.execute(_unseen(part, run))]
    left_out = {row.id for row in unseen if is_left_out(row.path)}
    newly = [row.id for row in unseen if row.id in left_out and not row.excluded]
    no_more = [row.id for row in unseen if row.id not in left_out and row.excluded]
    now = utc_now()
    _update(session, newly, excluded=True, missing_since=func.coalesce(AssetPath.missing_since, now))
    _update(session, no_more, excluded=False)
    return len(left_out)


def _unseen(roots: Sequence[Path], run: int) -> Any:
    below = or_(false(), *(below_folder(root) for root in roots))
    return select(AssetPath.id, AssetPath.path, AssetPath.excluded).where(below, AssetPath.seen_in_run != run)


def _update(session: Session, path_ids: Sequence[int], **values: Any) -> None:
    for part in chunks(path_ids, BATCH):
        session.execute(
            update(AssetPath)
            .where(AssetPath.id.in_(part))
            .values(**values)
            .execution_options(synchronize_session=False)
        )
