"""Photos and the files that hold them."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    exists,
    false,
    func,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from image_search_service.core.files import FileState
from image_search_service.core.parallel import chunks
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset, utc_now
from image_search_service.db.queries.batches import BATCH, Row, insert_rows, upsert_rows
from image_search_service.db.queries.conditions import IS_PRESENT

PATHS = 100
"""Folders in one condition: SQLite takes a tree of 1,000 parts, and PostgreSQL plans each."""


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was when it was last seen. ``failure``: why its content could not be read;
    ``failed_with``: by which decoders."""

    path_id: int
    asset_id: uuid.UUID
    state: FileState
    failure: str | None
    failed_with: str | None


def known_files(session: Session, paths: Sequence[Path]) -> dict[Path, KnownFile]:
    """Those of ``paths`` that the library knows: one statement."""
    rows = session.execute(
        select(
            AssetPath.path,
            AssetPath.id,
            AssetPath.asset_id,
            AssetPath.size,
            AssetPath.modified_ns,
            AssetPath.changed_ns,
            AssetPath.inode,
            ImageAsset.failure,
            ImageAsset.failed_with,
        )
        .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
        .where(AssetPath.path.in_(paths))
    )
    return {
        path: KnownFile(path_id, asset_id, FileState(*state), failure, failed_with)
        for path, path_id, asset_id, *state, failure, failed_with in rows
    }


@dataclass(frozen=True, slots=True)
class KnownContent:
    """A content's photo, and why and with which decoders it could not be read, if so."""

    asset_id: uuid.UUID
    failure: str | None
    failed_with: str | None


def assets_by_hash(session: Session, hashes: Iterable[str]) -> dict[str, KnownContent]:
    """The photo of each content hash that the library knows."""
    rows = session.execute(
        select(ImageAsset.content_hash, ImageAsset.id, ImageAsset.failure, ImageAsset.failed_with).where(
            ImageAsset.content_hash.in_(list(hashes))
        )
    )
    return {row[0]: KnownContent(*row[1:]) for row in rows}


def mark_seen(session: Session, path_ids: Sequence[int], run: int) -> None:
    """Store that this run found these files unchanged."""
    if path_ids:
        session.execute(
            update(AssetPath)
            .where(AssetPath.id.in_(path_ids))
            .values(seen_in_run=run, missing_since=None, excluded=False)
            .execution_options(synchronize_session=False)
        )


def leave_unread(session: Session, unread: Sequence[Path], run: int) -> None:
    """Leave what is stored of these files, and of those below these folders, as it is: this run could not
    look. A statement for each ``PATHS`` paths."""
    for paths in chunks(unread, PATHS):
        session.execute(
            update(AssetPath)
            .where(or_(false(), *(below_folder(path) for path in paths)))
            .values(seen_in_run=run)
            .execution_options(synchronize_session=False)
        )


def mark_missing(session: Session, roots: Sequence[Path], run: int) -> int:
    """Mark files below ``roots`` that this run has not seen as missing; returns how many."""
    missing = 0
    for paths in chunks(roots, PATHS):
        result = session.execute(
            update(AssetPath)
            .where(
                or_(false(), *(below_folder(root) for root in paths)),
                AssetPath.seen_in_run != run,
                IS_PRESENT,
            )
            .values(missing_since=utc_now())
            .execution_options(synchronize_session=False)
        )
        missing += int(getattr(result, "rowcount", 0))
    return missing


def below_folder(folder: Path, column: InstrumentedAttribute[Path] = AssetPath.path) -> ColumnElement[bool]:
    """The path itself or anything below it, as a range that an index can serve ("0" follows "/")."""
    prefix = os.fsencode(folder).rstrip(b"/")
    path = type_coerce(column, LargeBinary)
    return or_(path == prefix, and_(path >= prefix + b"/", path < prefix + b"0"))


def save_assets(session: Session, rows: Sequence[Row]) -> None:
    """Insert photos; overwrite those that could not be read before."""
    changed = ["format", "width", "height", "taken_at", "failure", "failed_with"]
    upsert_rows(session, ImageAsset, rows, key=["content_hash"], update=changed)


def save_faces(session: Session, rows: Sequence[Row]) -> None:
    """Insert faces; existing ones stay as they are."""
    upsert_rows(session, FaceInstance, rows, key=["id"], update=[])


def next_positions(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """For each of these photos the position that one more face has: a statement for each ``BATCH``."""
    taken = {
        asset_id: last
        for part in chunks(asset_ids, BATCH)
        for asset_id, last in session.execute(
            select(FaceInstance.asset_id, func.max(FaceInstance.position))
            .where(FaceInstance.asset_id.in_(part))
            .group_by(FaceInstance.asset_id)
        )
    }
    return {asset_id: taken.get(asset_id, -1) + 1 for asset_id in asset_ids}


@dataclass(frozen=True, slots=True)
class PhotoWithFiles:
    """A photo that can be read, in pixels upright, and its files, present ones first."""

    id: uuid.UUID
    content_hash: str
    width: int
    height: int
    files: Sequence[Path]


def photos_with_files(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PhotoWithFiles]:
    """Those of these photos that could be read: two statements for each ``BATCH``."""
    photos: dict[uuid.UUID, PhotoWithFiles] = {}
    for part in chunks(asset_ids, BATCH):
        files: dict[uuid.UUID, list[Path]] = {}
        held = select(AssetPath.asset_id, AssetPath.path).where(AssetPath.asset_id.in_(part))
        for asset_id, path in session.execute(held.order_by(~IS_PRESENT, AssetPath.path)):
            files.setdefault(asset_id, []).append(path)
        rows = session.execute(
            select(ImageAsset.id, ImageAsset.content_hash, ImageAsset.width, ImageAsset.height).where(
                ImageAsset.id.in_(part), ImageAsset.failure.is_(None)
            )
        )
        for asset_id, content_hash, width, height in rows:
            found = files.get(asset_id, [])
            photos[asset_id] = PhotoWithFiles(asset_id, content_hash, width or 1, height or 1, found)
    return photos


def save_paths(session: Session, rows: Sequence[Row]) -> None:
    """Store files with the photos that they hold now."""
    changed = ["asset_id", *FileState._fields, "seen_in_run", "missing_since", "excluded"]
    upsert_rows(session, AssetPath, rows, key=["path"], update=changed)


def path_ids(session: Session, paths: Sequence[Path]) -> dict[Path, int]:
    """The ids of these files' rows: a statement for each ``BATCH``."""
    return {
        path: path_id
        for part in chunks(paths, BATCH)
        for path, path_id in session.execute(
            select(AssetPath.path, AssetPath.id).where(AssetPath.path.in_(part))
        )
    }


def update_replaced(session: Session, asset_ids: Sequence[uuid.UUID]) -> None:
    """Set ``replaced`` of these photos: true where no file holds them, since another content took their
    place, or since they were forgotten. Should such a photo come back, its faces are grouped as new ones."""
    held = _is_held()
    for part in chunks(sorted(set(asset_ids)), BATCH):
        session.execute(
            update(ImageAsset)
            .where(ImageAsset.id.in_(part), ImageAsset.replaced == held)
            .values(replaced=~held)
            .execution_options(synchronize_session=False)
        )
        replaced = select(ImageAsset.id).where(ImageAsset.id.in_(part), ImageAsset.replaced)
        session.execute(
            update(FaceInstance)
            .where(FaceInstance.asset_id.in_(replaced), FaceInstance.grouped)
            .values(grouped=False)
            .execution_options(synchronize_session=False)
        )


def hide_unheld(session: Session) -> None:
    """Set ``replaced`` of all photos that no file holds: an interrupted run may have stored them."""
    session.execute(
        update(ImageAsset)
        .where(~ImageAsset.replaced, ~_is_held())
        .values(replaced=True)
        .execution_options(synchronize_session=False)
    )


def forgotten_that_changed(session: Session) -> list[uuid.UUID]:
    """Forgotten photos of which a file came back, or whose file is missing again."""
    return list(
        session.scalars(select(ImageAsset.id).where(ImageAsset.forgotten, ImageAsset.replaced == _is_held()))
    )


def _is_held() -> ColumnElement[bool]:
    """Of a photo: a file holds it; of one that was forgotten, a file that exists."""
    return exists().where(
        AssetPath.asset_id == ImageAsset.id, or_(AssetPath.missing_since.is_(None), ~ImageAsset.forgotten)
    )


def mark_vanished(session: Session, path_ids: Sequence[int]) -> None:
    """Mark these files as missing."""
    for part in chunks(path_ids, BATCH):
        session.execute(
            update(AssetPath)
            .where(AssetPath.id.in_(part))
            .values(missing_since=utc_now())
            .execution_options(synchronize_session=False)
        )


def present_files(session: Session, asset_ids: Iterable[uuid.UUID], run: int) -> list[tuple[int, Path]]:
    """The files of these photos that count as present and that this run has not seen: id and path."""
    return [
        (row.id, row.path)
        for part in chunks(sorted(set(asset_ids)), BATCH)
        for row in session.execute(
            select(AssetPath.id, AssetPath.path).where(
                AssetPath.asset_id.in_(part), IS_PRESENT, AssetPath.seen_in_run != run
            )
        )
    ]


__all__ = [
    "KnownContent",
    "KnownFile",
    "PhotoWithFiles",
    "assets_by_hash",
    "forgotten_that_changed",
    "hide_unheld",
    "insert_rows",
    "known_files",
    "leave_unread",
    "mark_missing",
    "mark_seen",
    "mark_vanished",
    "next_positions",
    "path_ids",
    "photos_with_files",
    "present_files",
    "save_assets",
    "save_faces",
    "save_paths",
    "update_replaced",
]
