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
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset, utc_now
from image_search_service.db.queries.batches import BATCH, Row, insert_rows, upsert_rows
from image_search_service.db.queries.conditions import IS_PRESENT


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was when it was last seen. ``failure``: why its content could not be read."""

    path_id: int
    asset_id: uuid.UUID
    size: int
    modified_ns: int
    failure: str | None


def known_files(session: Session, paths: Sequence[Path]) -> dict[Path, KnownFile]:
    """Those of ``paths`` that the library knows: one statement."""
    rows = session.execute(
        select(
            AssetPath.path,
            AssetPath.id,
            AssetPath.asset_id,
            AssetPath.size,
            AssetPath.modified_ns,
            ImageAsset.failure,
        )
        .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
        .where(AssetPath.path.in_(paths))
    )
    return {row[0]: KnownFile(*row[1:]) for row in rows}


def assets_by_hash(session: Session, hashes: Iterable[str]) -> dict[str, tuple[uuid.UUID, str | None]]:
    """For each content hash that the library knows: the photo's id and why it cannot be read, if so."""
    rows = session.execute(
        select(ImageAsset.content_hash, ImageAsset.id, ImageAsset.failure).where(
            ImageAsset.content_hash.in_(list(hashes))
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def mark_seen(session: Session, path_ids: Sequence[int], run: int) -> None:
    """Store that this run found these files unchanged."""
    if path_ids:
        session.execute(
            update(AssetPath)
            .where(AssetPath.id.in_(path_ids))
            .values(seen_in_run=run, missing_since=None)
            .execution_options(synchronize_session=False)
        )


def mark_missing(session: Session, roots: Sequence[Path], unread: Sequence[Path], run: int) -> int:
    """Mark files below ``roots`` that this run has not seen as missing; returns how many.

    Files below ``unread``, folders that could not be read in this run, are left as they are.
    """
    result = session.execute(
        update(AssetPath)
        .where(
            or_(false(), *(below_folder(root) for root in roots)),
            ~or_(false(), *(below_folder(folder) for folder in unread)),
            AssetPath.seen_in_run != run,
            IS_PRESENT,
        )
        .values(missing_since=utc_now())
        .execution_options(synchronize_session=False)
    )
    return int(getattr(result, "rowcount", 0))


def below_folder(folder: Path) -> ColumnElement[bool]:
    """The path itself or anything below it, as a range that an index can serve ("0" follows "/")."""
    prefix = os.fsencode(folder).rstrip(b"/")
    path = type_coerce(AssetPath.path, LargeBinary)
    return or_(path == prefix, and_(path >= prefix + b"/", path < prefix + b"0"))


def save_assets(session: Session, rows: Sequence[Row]) -> None:
    """Insert photos; overwrite those that could not be read before."""
    changed = ["format", "width", "height", "taken_at", "failure"]
    upsert_rows(session, ImageAsset, rows, key=["content_hash"], update=changed)


def save_faces(session: Session, rows: Sequence[Row]) -> None:
    """Insert faces; existing ones stay as they are."""
    upsert_rows(session, FaceInstance, rows, key=["id"], update=[])


def save_paths(session: Session, rows: Sequence[Row]) -> None:
    """Store files with the photos that they hold now."""
    changed = ["asset_id", "size", "modified_ns", "seen_in_run", "missing_since"]
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
    place."""
    held = exists().where(AssetPath.asset_id == ImageAsset.id)
    for part in chunks(sorted(set(asset_ids)), BATCH):
        session.execute(
            update(ImageAsset)
            .where(ImageAsset.id.in_(part), ImageAsset.replaced == held)
            .values(replaced=~held)
            .execution_options(synchronize_session=False)
        )


def hide_unheld(session: Session) -> None:
    """Set ``replaced`` of all photos that no file holds: an interrupted run may have stored them."""
    held = exists().where(AssetPath.asset_id == ImageAsset.id)
    session.execute(
        update(ImageAsset)
        .where(~ImageAsset.replaced, ~held)
        .values(replaced=True)
        .execution_options(synchronize_session=False)
    )


__all__ = [
    "KnownFile",
    "assets_by_hash",
    "hide_unheld",
    "insert_rows",
    "known_files",
    "mark_missing",
    "mark_seen",
    "path_ids",
    "save_assets",
    "save_faces",
    "save_paths",
    "update_replaced",
]
