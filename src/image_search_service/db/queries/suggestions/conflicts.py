"""Reads contradictions between faces, photos and persons; changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    AssetPath,
    FaceInstance,
    ImageAsset,
    NameInFile,
    PersonDifference,
    PersonRow,
)
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_COMPARABLE_FACE, IS_PRESENT
from image_search_service.db.queries.faces import HUMAN


@dataclass(frozen=True, slots=True)
class PersonInPhoto:
    """A person, a photo, and their faces in it."""

    person_id: uuid.UUID
    name: str
    asset_id: uuid.UUID
    face_ids: list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class NamedFacePoint:
    """A face of an existing person, and its point."""

    person_id: uuid.UUID
    face_id: uuid.UUID
    asset_id: uuid.UUID
    point_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class OtherNameInFile:
    """A face of a person for which a file has another name."""

    person_id: uuid.UUID
    name: str
    face_id: uuid.UUID
    asset_id: uuid.UUID
    name_in_file: str
    path: Path


def other_names_in_files(session: Session, limit: int) -> list[OtherNameInFile]:
    """Faces for which a file was last found to have another name than this library: two statements.

    A file that has the former name of a person who was renamed or merged since has no other name.
    """
    former = aliased(PersonRow)
    is_same = func.coalesce(former.merged_into, former.id) == PersonRow.id
    rows = session.execute(
        select(
            PersonRow.id,
            PersonRow.name,
            FaceInstance.id,
            FaceInstance.asset_id,
            NameInFile.name,
            NameInFile.path,
        )
        .join(FaceInstance, FaceInstance.id == NameInFile.face_instance_id)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(former, former.id == NameInFile.person_id)
        .where(
            FaceInstance.assigned_by == HUMAN,
            NameInFile.name_key != PersonRow.name_key,
            former.id.is_(None) | ~is_same,
            ~ImageAsset.replaced,
            ~PersonRow.deleted,
        )
        .order_by(PersonRow.name, FaceInstance.id, NameInFile.path)
        .limit(limit)
    )
    others = [OtherNameInFile(*row) for row in rows]
    beside = _folders_with_sidecar(session, [other.face_id for other in others])
    return [
        other
        for other in others
        if _is_sidecar(other.path) or (other.face_id, other.path.parent) not in beside
    ]


def _folders_with_sidecar(session: Session, face_ids: Sequence[uuid.UUID]) -> set[tuple[uuid.UUID, Path]]:
    """Faces and folders in which a sidecar names the face: what the photo itself has counts no more."""
    statement = select(NameInFile.face_instance_id, NameInFile.path)
    return {
        (face_id, path.parent)
        for part in chunks(sorted(set(face_ids)), BATCH)
        for face_id, path in session.execute(statement.where(NameInFile.face_instance_id.in_(part)))
        if _is_sidecar(path)
    }


def _is_sidecar(path: Path) -> bool:
    return path.suffix.casefold() == ".xmp"


def twice_in_a_photo(session: Session, limit: int) -> list[PersonInPhoto]:
    """Persons with more than one face in one photo: two statements."""
    rows = session.execute(
        select(FaceInstance.asset_id, PersonRow.id, PersonRow.name)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(~ImageAsset.replaced, ~PersonRow.deleted)
        .group_by(FaceInstance.asset_id, PersonRow.id, PersonRow.name)
        .having(func.count(FaceInstance.id) > 1)
        .order_by(PersonRow.name, FaceInstance.asset_id)
        .limit(limit)
    ).all()
    faces = _faces_in(session, [row[0] for row in rows])
    return [PersonInPhoto(row[1], row[2], row[0], faces.get((row[0], row[1]), [])) for row in rows]


def before_birth(session: Session, limit: int) -> list[PersonInPhoto]:
    """Persons in photos that were taken before they were born: two statements."""
    rows = session.execute(
        select(FaceInstance.asset_id, PersonRow.id, PersonRow.name)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(
            ~ImageAsset.replaced,
            ~PersonRow.deleted,
            PersonRow.birth_date.is_not(None),
            func.date(ImageAsset.taken_at) < PersonRow.birth_date,
        )
        .group_by(FaceInstance.asset_id, PersonRow.id, PersonRow.name)
        .order_by(PersonRow.name, FaceInstance.asset_id)
        .limit(limit)
    ).all()
    faces = _faces_in(session, [row[0] for row in rows])
    return [PersonInPhoto(row[1], row[2], row[0], faces.get((row[0], row[1]), [])) for row in rows]


def _faces_in(
    session: Session, asset_ids: Sequence[uuid.UUID]
) -> dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]]:
    faces: dict[tuple[uuid.UUID, uuid.UUID], list[uuid.UUID]] = {}
    statement = (
        select(FaceInstance.asset_id, FaceInstance.person_id, FaceInstance.id)
        .where(FaceInstance.person_id.is_not(None))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    for part in chunks(sorted(set(asset_ids)), BATCH):
        for asset_id, person_id, face_id in session.execute(statement.where(FaceInstance.asset_id.in_(part))):
            if person_id is not None:
                faces.setdefault((asset_id, person_id), []).append(face_id)
    return faces


def named_faces(session: Session, after: uuid.UUID | None, limit: int) -> list[NamedFacePoint]:
    """The next faces of existing persons, by id."""
    statement = (
        select(PersonRow.id, FaceInstance.id, FaceInstance.asset_id, FaceInstance.qdrant_point_id)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(~PersonRow.deleted, IS_COMPARABLE_FACE)
        .order_by(FaceInstance.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(FaceInstance.id > after)
    return [NamedFacePoint(*row) for row in session.execute(statement)]


def files(session: Session, asset_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Path]:
    """A file of each photo that has one: a statement for each ``BATCH``."""
    paths: dict[uuid.UUID, Path] = {}
    statement = select(AssetPath.asset_id, AssetPath.path).where(IS_PRESENT).order_by(AssetPath.path)
    for part in chunks(sorted(set(asset_ids)), BATCH):
        for asset_id, path in session.execute(statement.where(AssetPath.asset_id.in_(part))):
            paths.setdefault(asset_id, path)
    return paths


def different_pairs(session: Session) -> set[frozenset[uuid.UUID]]:
    """Pairs of persons that a human marked as different."""
    rows = session.execute(select(PersonDifference.person_id, PersonDifference.other_id))
    return {frozenset((row[0], row[1])) for row in rows}
