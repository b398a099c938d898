"""The library's own row, its runs, and its counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, literal_column, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

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
from image_search_service.db.models.kept.columns import OF_LIBRARY
from image_search_service.db.queries.batches import upsert_rows
from image_search_service.db.queries.conditions import (
    HAS_NO_PERSON_OF_THESE,
    IS_PRESENT,
    in_replaced_photo,
    is_listed_photo,
    is_unknown,
)

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
        **{kept.column: literal_column(kept.value) for kept in OF_LIBRARY},
    )
    session.add(row)
    return row


def faces_kept(session: Session) -> int:
    """How many faces there are, as it is kept; 0 without a library's row. To count them would read an index
    from end to end."""
    return session.scalar(select(LibraryRow.faces)) or 0


def as_kept(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """A count of the library's row, within another statement; 0 without a row."""
    return func.coalesce(select(column).scalar_subquery(), 0)


def faces_shown() -> ColumnElement[int]:
    """How many faces there are, named or not: the kept number, less those that are no faces and those of
    photos that were replaced or forgotten, which are few and have indexes."""
    faces = select(func.count()).select_from(FaceInstance)
    no_faces = faces.where(~FaceInstance.is_face, HAS_NO_PERSON_OF_THESE, ~in_replaced_photo())
    return (
        as_kept(LibraryRow.faces)
        - no_faces.scalar_subquery()
        - faces.where(in_replaced_photo()).scalar_subquery()
    )


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
    """All counts in one statement, each a kept number, or from indexes that have what is asked for: no row of
    a photo or a face is read."""
    unknown = and_(is_unknown(), ~in_replaced_photo())
    row = session.execute(
        select(
            as_kept(LibraryRow.photos).label("listed"),
            _count_held().label("photos"),
            _count_held(with_faces=True).label("photos_with_faces"),
            _count_excluded().label("photos_excluded"),
            _count(AssetPath, IS_PRESENT).label("files"),
            as_kept(LibraryRow.named_faces).label("named_faces"),
            _count(FaceInstance, unknown, FaceInstance.cluster_id.is_not(None)).label("clustered_faces"),
            as_kept(LibraryRow.alone_faces).label("noise_faces"),
            _count(
                FaceInstance,
                FaceInstance.person_id.is_(None),
                FaceInstance.is_face,
                FaceInstance.set_aside,
                ~in_replaced_photo(),
            ).label("aside_faces"),
            _count(ClusterRow, ~ClusterRow.set_aside).label("clusters"),
            _count(PersonRow, ~PersonRow.deleted).label("persons"),
        )
    ).one()
    counts = {name: int(value) for name, value in row._asdict().items()}
    missing = counts.pop("listed") - counts["photos"] - counts["photos_excluded"]
    faces = sum(counts[of] for of in ("named_faces", "clustered_faces", "noise_faces", "aside_faces"))
    return Counts(photos_missing=missing, faces=faces, **counts)


def _count(table: Any, *conditions: Any) -> ScalarSelect[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


def _count_held(*, with_faces: bool = False) -> ScalarSelect[int]:
    """Listed photos of which a file is present; those that are not listed are few and have indexes of their
    own."""
    held = select(AssetPath.asset_id).where(IS_PRESENT).distinct().subquery()
    conditions: list[ColumnElement[bool]] = [
        held.c.asset_id.not_in(select(ImageAsset.id).where(ImageAsset.failure.is_not(None))),
        held.c.asset_id.not_in(select(ImageAsset.id).where(ImageAsset.replaced)),
    ]
    if with_faces:
        face = select(FaceInstance.asset_id).where(FaceInstance.asset_id == held.c.asset_id)
        conditions.append(face.exists())
    return _count(held, *conditions)


def _count_excluded() -> ScalarSelect[int]:
    """Listed photos of which no file is present, and one is left out."""
    file = aliased(AssetPath)
    present = select(file.asset_id).where(file.asset_id == AssetPath.asset_id, file.missing_since.is_(None))
    return (
        select(func.count(AssetPath.asset_id.distinct()))
        .join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
        .where(AssetPath.excluded, is_listed_photo(), ~present.exists())
        .scalar_subquery()
    )
