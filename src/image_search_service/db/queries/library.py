"""The library's own row, its runs, and its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from image_search_service.core.types import EngineIdentity
from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    FaceInstance,
    ImageAsset,
    IndexRoot,
    IndexRun,
    LibraryRow,
    PersonRow,
    utc_now,
)
from image_search_service.db.queries.batches import upsert_rows
from image_search_service.db.queries.conditions import IS_CURRENT_FACE, IS_PRESENT

LIBRARY_ID = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """What a library holds.

    ``photos``: those of which a file exists. The faces of ``photos_missing``, and of ``photos_excluded``,
    which are missing by choice, count until these are forgotten. ``clustered_faces`` and ``noise_faces`` are
    the faces that nobody has named; ``aside_faces``, and their clusters, count as neither.
    """

    photos: int
    photos_with_faces: int
    photos_missing: int
    photos_excluded: int
    files: int
    faces: int
    named_faces: int
    clustered_faces: int
    noise_faces: int
    aside_faces: int
    clusters: int
    persons: int


def get_library(session: Session) -> LibraryRow | None:
    return session.get(LibraryRow, LIBRARY_ID)


def bind_engine(session: Session, identity: EngineIdentity, files: dict[str, str]) -> LibraryRow:
    """Create the library's row, which binds it to this engine."""
    row = LibraryRow(
        id=LIBRARY_ID,
        engine_name=identity.name,
        engine_checksum=identity.checksum,
        dimension=identity.dimension,
        engine_files=files,
    )
    session.add(row)
    return row


def set_engine_files(session: Session, files: dict[str, str]) -> None:
    session.execute(update(LibraryRow).values(engine_files=files))


def set_calibration(session: Session, calibration: dict[str, Any]) -> None:
    """Other thresholds group otherwise, so all faces are to be grouped again."""
    session.execute(
        update(LibraryRow).values(calibration=calibration, grouping_stale=True, faces_at_full_grouping=0)
    )


def set_grouping_stale(session: Session) -> None:
    session.execute(update(LibraryRow).values(grouping_stale=True))


@dataclass(frozen=True, slots=True)
class FullGrouping:
    """A grouping that compares all unnamed faces, so many. choice: what the user chose."""

    choice: dict[str, Any]
    faces: int


def set_grouped(session: Session, full: FullGrouping | None, *, grown: bool = False) -> None:
    """One more grouping was made, and no face waits to be grouped.

    full: None if not all were compared. grown: whether new faces were put to what they resemble.
    """
    change = update(LibraryRow).values(grouping_stale=False, groupings=LibraryRow.groupings + 1)
    if full is not None:
        change = change.values(grouping=full.choice, faces_at_full_grouping=full.faces, grown=False)
    elif grown:
        change = change.values(grown=True)
    session.execute(change)


def start_run(session: Session, roots: Sequence[Path] = ()) -> tuple[int, bool]:
    """A new run's id, and whether the run before it was interrupted. roots: what is indexed."""
    rows = [{"path": root, "indexed_at": utc_now(), "excludes": []} for root in roots]
    upsert_rows(session, IndexRoot, rows, key=["path"], update=["indexed_at"])
    unfinished = session.scalar(select(func.count()).where(IndexRun.finished_at.is_(None)))
    run = IndexRun()
    session.add(run)
    session.flush()
    return run.id, bool(unfinished)


def finish_runs(session: Session) -> None:
    """Close this run and the interrupted ones before it, whose work it has completed."""
    session.execute(update(IndexRun).where(IndexRun.finished_at.is_(None)).values(finished_at=utc_now()))


def library_counts(session: Session) -> Counts:
    present = select(AssetPath.id).where(AssetPath.asset_id == ImageAsset.id, IS_PRESENT)
    excluded = select(AssetPath.id).where(AssetPath.asset_id == ImageAsset.id, AssetPath.excluded)
    shown = select(func.count()).where(ImageAsset.failure.is_(None), ~ImageAsset.replaced)
    readable = shown.where(present.exists())
    has_face = select(FaceInstance.id).where(FaceInstance.asset_id == ImageAsset.id)
    face = current_faces()
    unnamed = face.where(FaceInstance.person_id.is_(None), ~FaceInstance.set_aside)
    row = session.execute(
        select(
            readable.scalar_subquery(),
            readable.where(has_face.exists()).scalar_subquery(),
            shown.where(~present.exists(), ~excluded.exists()).scalar_subquery(),
            shown.where(~present.exists(), excluded.exists()).scalar_subquery(),
            select(func.count()).select_from(AssetPath).where(IS_PRESENT).scalar_subquery(),
            face.scalar_subquery(),
            face.where(FaceInstance.person_id.is_not(None)).scalar_subquery(),
            unnamed.where(FaceInstance.cluster_id.is_not(None)).scalar_subquery(),
            unnamed.where(FaceInstance.cluster_id.is_(None)).scalar_subquery(),
            face.where(FaceInstance.set_aside).scalar_subquery(),
            select(func.count()).select_from(ClusterRow).where(~ClusterRow.set_aside).scalar_subquery(),
            select(func.count(PersonRow.id)).where(~PersonRow.deleted).scalar_subquery(),
        )
    ).one()
    return Counts(*(int(value or 0) for value in row))


def current_faces() -> Any:
    """``SELECT count(*)`` of faces that were not marked as not a face, without those of replaced photos."""
    return (
        select(func.count(FaceInstance.id))
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(IS_CURRENT_FACE)
    )
