"""Deletes photos and all that was ever said of them, the events among it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    AssetPath,
    DecisionChange,
    FaceDifference,
    FaceInstance,
    FaceLoss,
    FaceSuggestion,
    ImageAsset,
    PersonPrototype,
    PersonRow,
    StagedFace,
    StagedPhoto,
)
from image_search_service.db.queries import events
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_PRESENT
from image_search_service.db.queries.photos import PATHS, below_folder


@dataclass(frozen=True, slots=True)
class ErasedPhotos:
    """The ids of photos, of their faces, and of these faces' points in Qdrant."""

    assets: Sequence[uuid.UUID]
    faces: Sequence[uuid.UUID]
    points: Sequence[uuid.UUID]

    def __bool__(self) -> bool:
        return bool(self.assets)


def forgotten_photos(session: Session, paths: Sequence[Path] = ()) -> ErasedPhotos:
    """Photos that were forgotten and of which no file exists; with ``paths`` those of which a file was at or
    below one of these."""
    present = exists().where(AssetPath.asset_id == ImageAsset.id, IS_PRESENT)
    conditions = (ImageAsset.forgotten.is_(True), ImageAsset.replaced.is_(True), ~present)
    assets: set[uuid.UUID] = set()
    for part in chunks(paths, PATHS) if paths else [[]]:
        below = or_(*(below_folder(path) for path in part)) if part else None
        where = [] if below is None else [exists().where(AssetPath.asset_id == ImageAsset.id, below)]
        assets |= set(session.scalars(select(ImageAsset.id).where(*conditions, *where)))
    rows = [
        (row.id, row.qdrant_point_id)
        for part in chunks(sorted(assets), BATCH)
        for row in session.execute(
            select(FaceInstance.id, FaceInstance.qdrant_point_id).where(FaceInstance.asset_id.in_(part))
        )
    ]
    return ErasedPhotos(sorted(assets), [row[0] for row in rows], [row[1] for row in rows])


def erase(session: Session, photos: ErasedPhotos) -> int:
    """Delete the rows and the events' facts about them; returns how many facts. A fixed number of statements
    for each ``BATCH`` of photos and faces."""
    with _erasable_events(session):
        facts = _delete(session, DecisionChange.subject_id, [*photos.assets, *photos.faces])
        _erase_covers(session, photos.faces)
    for column in (
        FaceSuggestion.face_instance_id,
        PersonPrototype.face_instance_id,
        FaceDifference.face_instance_id,
        FaceLoss.face_instance_id,
        FaceInstance.id,
    ):
        _delete(session, column, photos.faces)
    for part in chunks(photos.assets, BATCH):
        lost_here = select(AssetPath.id).where(AssetPath.asset_id.in_(part))
        _run(session, update(FaceLoss).where(FaceLoss.path_id.in_(lost_here)).values(path_id=None))
    for column in (StagedFace.asset_id, StagedPhoto.asset_id, AssetPath.asset_id, ImageAsset.id):
        _delete(session, column, photos.assets)
    return facts


def _delete(session: Session, column: InstrumentedAttribute[uuid.UUID], ids: Sequence[uuid.UUID]) -> int:
    return sum(_run(session, delete(column.class_).where(column.in_(part))) for part in chunks(ids, BATCH))


def _run(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(getattr(result, "rowcount", 0))


def _erase_covers(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Erase that these faces were shown for a person, who is shown by the cover before, if there was one."""
    erased = {str(face) for face in face_ids}
    rows = session.execute(
        select(DecisionChange.id, DecisionChange.subject_id, DecisionChange.old, DecisionChange.new).where(
            DecisionChange.fact == Fact.PERSON_COVER.value
        )
    ).all()
    of_old = [row.id for row in rows if row.old in erased and row.new not in erased]
    for part in chunks(of_old, BATCH):
        _run(session, update(DecisionChange).where(DecisionChange.id.in_(part)).values(old=None))
    _delete_changes(session, [row.id for row in rows if row.new in erased])
    persons = sorted({row.subject_id for row in rows if row.new in erased})
    last = events.last_values_of(session, [Key(Fact.PERSON_COVER, person) for person in persons])
    for person in persons:
        cover = last.get(Key(Fact.PERSON_COVER, person))
        face = None if cover is None else uuid.UUID(cover)
        _run(session, update(PersonRow).where(PersonRow.id == person).values(cover_face_id=face))


def _delete_changes(session: Session, ids: Sequence[int]) -> None:
    for part in chunks(ids, BATCH):
        _run(session, delete(DecisionChange).where(DecisionChange.id.in_(part)))


@contextmanager
def _erasable_events(session: Session) -> Iterator[None]:
    """Lift, within this transaction, that events are never changed (``db/models/decisions.py``): the one
    exception, which the user has asked for. A rollback restores it, too."""
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ALTER TABLE decision_changes DISABLE TRIGGER decision_changes_are_kept")
        yield
        session.flush()
        connection.exec_driver_sql("ALTER TABLE decision_changes ENABLE TRIGGER decision_changes_are_kept")
        return
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decision_changes'"
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    session.flush()
    for _, definition in triggers:
        connection.exec_driver_sql(definition)
