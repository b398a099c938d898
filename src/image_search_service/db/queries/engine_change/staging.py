"""Photos that the new engine must still read, and the faces that it has found so far."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Fact
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    DecisionChange,
    FaceInstance,
    ImageAsset,
    PersonRow,
    StagedFace,
    StagedPhoto,
)
from image_search_service.db.queries.batches import BATCH, Row, upsert_rows
from image_search_service.db.queries.doctor.expected import faces_of_photos, files_of_photos
from image_search_service.db.queries.faces_with_decisions import FACE_FACT_VALUES


@dataclass(frozen=True, slots=True)
class PhotoToRead:
    """A photo, its path and its faces, left to right. width, height: in pixels."""

    asset_id: uuid.UUID
    content_hash: str
    width: int
    height: int
    files: Sequence[Path]
    faces: Sequence[FaceInstance]


def count_unstaged(session: Session) -> int:
    """How many photos have still to be read."""
    return session.scalar(select(func.count()).select_from(_unstaged().subquery())) or 0


def unstaged_photos(session: Session, after: uuid.UUID | None, limit: int) -> list[PhotoToRead]:
    """The next photos to read, by id: three statements."""
    statement = _unstaged().order_by(ImageAsset.id).limit(limit)
    if after is not None:
        statement = statement.where(ImageAsset.id > after)
    rows = session.execute(statement).all()
    ids = [row[0] for row in rows]
    files, faces = files_of_photos(session, ids), faces_of_photos(session, ids)
    return [
        PhotoToRead(
            asset_id, content_hash, width or 1, height or 1, files.get(asset_id, []), faces.get(asset_id, [])
        )
        for asset_id, content_hash, width, height in rows
    ]


def _unstaged() -> Any:
    """Photos that can be read and have not been read with the new engine."""
    staged = select(StagedPhoto.asset_id).where(StagedPhoto.asset_id == ImageAsset.id)
    return select(ImageAsset.id, ImageAsset.content_hash, ImageAsset.width, ImageAsset.height).where(
        ImageAsset.failure.is_(None), ~staged.exists()
    )


def save_staged(session: Session, photos: Sequence[Row], faces: Sequence[Row]) -> None:
    """Photos that have been read, and their faces: two statements."""
    upsert_rows(session, StagedPhoto, photos, key=["asset_id"], update=["failure"])
    upsert_rows(session, StagedFace, faces, key=["id"], update=["origin", "values"])


def forget_staged(session: Session, asset_ids: Sequence[uuid.UUID]) -> None:
    """Let these photos be read once more."""
    for part in chunks(asset_ids, BATCH):
        session.execute(delete(StagedFace).where(StagedFace.asset_id.in_(part)))
        session.execute(delete(StagedPhoto).where(StagedPhoto.asset_id.in_(part)))


def unread_photos(session: Session) -> list[uuid.UUID]:
    """Photos of which no file could be read."""
    return list(session.scalars(select(StagedPhoto.asset_id).where(StagedPhoto.failure.is_not(None))))


def staged_face_page(
    session: Session, after: uuid.UUID | None, limit: int
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Faces that have been found, with their photos, by id."""
    statement = select(StagedFace.id, StagedFace.asset_id).order_by(StagedFace.id).limit(limit)
    if after is not None:
        statement = statement.where(StagedFace.id > after)
    return [(row[0], row[1]) for row in session.execute(statement)]


def spoken_of(session: Session, face_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of the faces that a decision speaks of, or that are a person's cover: these are never dropped."""
    decided_faces: set[uuid.UUID] = set()
    for part in chunks(sorted(face_ids), BATCH):
        decided = select(DecisionChange.subject_id).where(
            DecisionChange.subject_id.in_(part), DecisionChange.fact.in_(FACE_FACT_VALUES)
        )
        decided_faces |= set(session.scalars(decided.distinct()))
        covers = select(PersonRow.cover_face_id).where(PersonRow.cover_face_id.in_(part))
        decided_faces |= {face for face in session.scalars(covers) if face is not None}
    return decided_faces | (_former_covers(session) & set(face_ids))


def _former_covers(session: Session) -> set[uuid.UUID]:
    """Faces that were chosen as a cover at some time: undoing a later choice brings them back."""
    rows = session.execute(
        select(DecisionChange.old, DecisionChange.new).where(DecisionChange.fact == Fact.PERSON_COVER.value)
    )
    return {uuid.UUID(face) for row in rows for face in row if isinstance(face, str)}
