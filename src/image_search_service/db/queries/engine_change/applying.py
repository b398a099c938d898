"""Statements of the one transaction that binds a library to its new engine."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    NameInFile,
    PersonCentroid,
    PersonPrototype,
    PersonRow,
    StagedFace,
    StagedPhoto,
)
from image_search_service.db.queries import clusters, photos
from image_search_service.db.queries.batches import BATCH, Row
from image_search_service.db.queries.conditions import existing_file, is_hidden_face
from image_search_service.db.queries.suggestion_states import EXPIRED, PENDING

_PLACE = (
    "position",
    "box_x",
    "box_y",
    "box_width",
    "box_height",
    "landmarks",
    "detection_confidence",
    "quality_score",
    "quality_parts",
    "recognizable",
)


@dataclass(frozen=True, slots=True)
class RereadPhotoRow:
    """A photo that the new engine has read. was_read: from a file, not only from its faces' crops. replaced:
    an edited version has taken its place."""

    id: uuid.UUID
    was_read: bool
    replaced: bool


@dataclass(frozen=True, slots=True)
class StagedRow:
    """A face as it will be. values: columns of ``FaceInstance``; only some for one that stays as it is."""

    id: uuid.UUID
    asset_id: uuid.UUID
    origin: str
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UnfoundFace:
    """A face with a decision that the new engine did not find."""

    face_id: uuid.UUID
    path: Path | None
    person: str | None


def staged_photo_page(session: Session, after: uuid.UUID | None) -> list[RereadPhotoRow]:
    """At most ``BATCH`` photos that have been read with the new engine, by id."""
    statement = (
        select(StagedPhoto.asset_id, StagedPhoto.failure.is_(None), ImageAsset.replaced)
        .join(ImageAsset, ImageAsset.id == StagedPhoto.asset_id)
        .order_by(StagedPhoto.asset_id)
        .limit(BATCH)
    )
    if after is not None:
        statement = statement.where(StagedPhoto.asset_id > after)
    return [RereadPhotoRow(*row) for row in session.execute(statement)]


def staged_faces(session: Session, asset_ids: Sequence[uuid.UUID]) -> list[StagedRow]:
    """The faces of at most ``BATCH`` photos as they will be."""
    rows = session.execute(
        select(StagedFace.id, StagedFace.asset_id, StagedFace.origin, StagedFace.values).where(
            StagedFace.asset_id.in_(asset_ids)
        )
    )
    return [StagedRow(*row) for row in rows]


def faces_in(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The faces that at most ``BATCH`` photos have so far, and their photos."""
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.asset_id).where(FaceInstance.asset_id.in_(asset_ids))
    )
    return {row[0]: row[1] for row in rows}


def clear_positions(session: Session, asset_ids: Sequence[uuid.UUID]) -> None:
    """Move the faces of at most ``BATCH`` photos out of the way of the positions that they will have."""
    session.execute(
        update(FaceInstance)
        .where(FaceInstance.asset_id.in_(asset_ids))
        .values(position=-1 - FaceInstance.position)
        .execution_options(synchronize_session=False)
    )


def replace_places(session: Session, faces: Sequence[StagedRow]) -> None:
    """Where faces are and how clear, as the new engine sees it; whose they are stays. One statement."""
    _update(session, faces, _PLACE)


def replace_recognizable(session: Session, faces: Sequence[StagedRow]) -> None:
    """For faces whose photo could not be read: what follows from their new embedding. One statement."""
    _update(session, faces, ("quality_score", "recognizable"))


def _update(session: Session, faces: Sequence[StagedRow], columns: Sequence[str]) -> None:
    if faces:
        session.connection().execute(
            update(FaceInstance)
            .where(FaceInstance.id == bindparam("face"))
            .values({name: bindparam(f"new_{name}") for name in columns}),
            [{"face": face.id} | {f"new_{name}": face.values[name] for name in columns} for face in faces],
        )


def insert_faces(session: Session, faces: Sequence[StagedRow]) -> None:
    """Faces that only the new engine finds, in at most ``BATCH`` photos. Two statements."""
    if not faces:
        return
    photo_ids = {face.asset_id for face in faces}
    moments = session.execute(select(ImageAsset.id, ImageAsset.taken_at).where(ImageAsset.id.in_(photo_ids)))
    taken_at = {row[0]: row[1] for row in moments}
    rows: list[Row] = [
        {
            "id": face.id,
            "asset_id": face.asset_id,
            "qdrant_point_id": face.id,
            "taken_at": taken_at[face.asset_id],
            **{name: face.values[name] for name in _PLACE},
        }
        for face in faces
    ]
    photos.save_faces(session, rows)


def drop_faces(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Forget faces that no decision speaks of, with what jobs have made of them: five statements and four
    for each ``BATCH``."""
    left = clusters.clusters_of_faces(session, face_ids)
    for part in chunks(face_ids, BATCH):
        for change in (
            delete(PersonPrototype).where(PersonPrototype.face_instance_id.in_(part)),
            delete(FaceSuggestion).where(FaceSuggestion.face_instance_id.in_(part)),
            delete(NameInFile).where(NameInFile.face_instance_id.in_(part)),
            delete(FaceInstance).where(FaceInstance.id.in_(part)),
        ):
            session.execute(change.execution_options(synchronize_session=False))
    clusters.mend_clusters(session, left)


def forget_comparisons(session: Session) -> None:
    """Withdraw what was computed from the former embeddings: centroids, and pending suggestions. Marks faces
    with a person or cluster and hidden ones as due, since their points in Qdrant are new."""
    told = or_(FaceInstance.person_id.is_not(None), FaceInstance.cluster_id.is_not(None), is_hidden_face())
    for change in (
        delete(PersonCentroid),
        update(FaceSuggestion).where(FaceSuggestion.state == PENDING).values(state=EXPIRED),
        update(FaceInstance).where(told).values(payload_version=FaceInstance.payload_version + 1),
        update(FaceInstance).where(~told).values(payload_sent=FaceInstance.payload_version),
    ):
        session.execute(change.execution_options(synchronize_session=False))


def unfound_faces(session: Session, face_ids: Sequence[uuid.UUID]) -> list[UnfoundFace]:
    """Where these faces are and whose: one statement for each ``BATCH``."""
    statement = select(FaceInstance.id, existing_file(FaceInstance.asset_id), PersonRow.name).outerjoin(
        PersonRow, PersonRow.id == FaceInstance.person_id
    )
    return [
        UnfoundFace(*row)
        for part in chunks(face_ids, BATCH)
        for row in session.execute(statement.where(FaceInstance.id.in_(part)))
    ]
