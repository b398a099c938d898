"""Folders that are not there, and photos of which no file exists."""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, LargeBinary, and_, delete, func, or_, select, type_coerce, update
from sqlalchemy.orm import Session

from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.records.photos import AbsentFolderRecord, AbsentState
from image_search_service.db.models import (
    AbsentFolder,
    AssetPath,
    FaceInstance,
    ImageAsset,
    IndexRoot,
    utc_now,
)
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.conditions import IS_PRESENT
from image_search_service.db.queries.photos import PATHS, below_folder

PAGE = 1_000
IS_READABLE = ImageAsset.failure.is_(None)


def is_known(session: Session, path: Path) -> bool:
    """Whether the library knows a file at or below ``path``."""
    return session.scalar(select(AssetPath.id).where(below_folder(path)).limit(1)) is not None


def files_below(session: Session, path: Path) -> Iterator[Path]:
    """The known files at or below ``path``, a page at a time."""

    def read_page(after: int | None) -> list[tuple[int, Path]]:
        statement = select(AssetPath.id, AssetPath.path).where(
            below_folder(path), AssetPath.id > (after or 0)
        )
        return [(row[0], row[1]) for row in session.execute(statement.order_by(AssetPath.id).limit(PAGE))]

    for page in keyset_pages(read_page, lambda row: row[0], PAGE):
        yield from (file for _, file in page)


def photos_below(session: Session, path: Path) -> set[uuid.UUID]:
    """The photos of which a file is, or was, at or below ``path``."""
    return set(session.scalars(select(AssetPath.asset_id).where(below_folder(path))))


def index_roots(session: Session) -> list[Path]:
    """What was asked to be indexed, by path."""
    return list(session.scalars(select(IndexRoot.path).order_by(IndexRoot.path)))


def mark_absent(session: Session, path: Path, state: AbsentState | None = None) -> int:
    """Store that nothing is at ``path``: the files below it are missing. Returns how many were not already.

    state: None for one that nobody has said: ``away``, unless another one is stored. Files that are missing
    already, as all are of a drive that is away for long, are not looked at.
    """
    row = {"path": path, "state": (state or AbsentState.AWAY).value, "since": utc_now()}
    upsert_rows(session, AbsentFolder, [row], key=["path"], update=[] if state is None else ["state"])
    missing = 0
    for files in (AssetPath.path == path, _in_folder(path)):
        result = session.execute(
            update(AssetPath)
            .where(files, IS_PRESENT)
            .values(missing_since=utc_now())
            .execution_options(synchronize_session=False)
        )
        missing += int(getattr(result, "rowcount", 0))
    return missing


def _in_folder(folder: Path) -> ColumnElement[bool]:
    """Of a file: it is in the folder or in one below it, as one range of ``ix_asset_paths_folder``, which has
    the present files only. What else is in the range, as ``folder-2`` is, does not count."""
    prefix = os.fsencode(folder).rstrip(b"/")
    within = type_coerce(AssetPath.folder, LargeBinary)
    return and_(within >= prefix, within < prefix + b"0", ~and_(within > prefix, within < prefix + b"/"))


def clear_absent(session: Session, paths: Sequence[Path]) -> None:
    """Delete what is stored of these paths: they are there again."""
    for part in chunks(paths, BATCH):
        session.execute(delete(AbsentFolder).where(AbsentFolder.path.in_(part)))


def absent_states(session: Session) -> dict[Path, AbsentState]:
    """All folders that are not there, by path."""
    rows = session.execute(select(AbsentFolder.path, AbsentFolder.state).order_by(AbsentFolder.path))
    return {path: AbsentState(state) for path, state in rows}


def absent_folders(session: Session) -> list[AbsentFolderRecord]:
    """All of them by path, each with the number of photos that are nowhere else: a statement for each."""
    rows = session.execute(
        select(AbsentFolder.path, AbsentFolder.state, AbsentFolder.since).order_by(AbsentFolder.path)
    ).all()
    counted = select(func.count()).select_from(ImageAsset).where(*_missing(), IS_READABLE)
    photos = [session.scalar(counted.where(_below([row.path]))) or 0 for row in rows]
    return [
        AbsentFolderRecord(row.path, AbsentState(row.state), row.since, count)
        for row, count in zip(rows, photos, strict=True)
    ]


def missing_photos(session: Session) -> set[uuid.UUID]:
    """Photos of which no file exists, without those that were forgotten; unreadable ones are among them."""
    return set(session.scalars(select(ImageAsset.id).where(*_missing())))


def missing_below(session: Session, paths: Sequence[Path]) -> set[uuid.UUID]:
    """Those of which a file was at or below one of ``paths``."""
    return {
        photo
        for part in chunks(paths, PATHS)
        for photo in session.scalars(select(ImageAsset.id).where(*_missing(), _below(part)))
    }


def count_readable(session: Session, asset_ids: Collection[uuid.UUID]) -> int:
    """How many of these photos can be read: only those are counted anywhere."""
    counted = select(func.count()).select_from(ImageAsset).where(IS_READABLE)
    return sum(
        session.scalar(counted.where(ImageAsset.id.in_(part))) or 0 for part in chunks(asset_ids, BATCH)
    )


def count_faces(session: Session, asset_ids: Collection[uuid.UUID]) -> int:
    """Faces in these photos."""
    return sum(
        session.scalar(select(func.count()).where(FaceInstance.asset_id.in_(part), FaceInstance.is_face)) or 0
        for part in chunks(asset_ids, BATCH)
    )


def _missing() -> tuple[ColumnElement[bool], ...]:
    present = select(AssetPath.id).where(AssetPath.asset_id == ImageAsset.id, IS_PRESENT)
    return ~ImageAsset.replaced, ~present.exists()


def _below(paths: Sequence[Path]) -> ColumnElement[bool]:
    inside = or_(*(below_folder(path) for path in paths))
    return select(AssetPath.id).where(AssetPath.asset_id == ImageAsset.id, inside).exists()
