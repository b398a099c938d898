"""Reads contradictions between faces, photos and persons; changes nothing."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, ColumnExpressionArgument, func, literal, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    AssetPath,
    FaceInstance,
    ImageAsset,
    NameInFile,
    PersonRow,
)
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_COMPARABLE_FACE, IS_PRESENT, in_replaced_photo
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


def other_names_in_files(
    session: Session, after: tuple[str, uuid.UUID] | None, limit: int
) -> list[OtherNameInFile]:
    """Faces for which a file was last found to have another name than this library, by name, each once: two
    statements. after: the name and the face that the page before ended with.

    A file that has the former name of a person who was renamed or merged since has no other name.
    """
    former = aliased(PersonRow)
    is_same = func.coalesce(former.merged_into, former.id) == PersonRow.id
    statement = (
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
        .outerjoin(former, former.id == NameInFile.person_id)
        .where(
            # Said twice: so SQLite begins with the names in files, which are fewer than the faces.
            FaceInstance.id.in_(select(NameInFile.face_instance_id)),
            FaceInstance.assigned_by == HUMAN,
            NameInFile.name_key != PersonRow.name_key,
            former.id.is_(None) | ~is_same,
            ~in_replaced_photo(),
            ~PersonRow.deleted,
        )
        .order_by(PersonRow.name, FaceInstance.id, NameInFile.path)
    )
    if after is not None:
        statement = statement.where(_is_behind(after, PersonRow.name, FaceInstance.id))
    others = [OtherNameInFile(*row) for row in session.execute(statement)]
    beside = _folders_with_sidecar(session, [other.face_id for other in others])
    first: dict[uuid.UUID, OtherNameInFile] = {}
    for other in others:
        if _is_sidecar(other.path) or (other.face_id, other.path.parent) not in beside:
            first.setdefault(other.face_id, other)
    return list(first.values())[:limit]


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


Place = tuple[str, uuid.UUID, uuid.UUID]
"""Where a page ended: name and id of its last person, and the photo."""


def twice_in_a_photo(session: Session, after: Place | None, limit: int) -> list[PersonInPhoto]:
    """Persons with more than one face in one photo, by name: two statements. Such faces are few, and have an
    index of their own."""
    return _in_photos(session, FaceInstance.repeats, after, limit)


def before_birth(session: Session, after: Place | None, limit: int) -> list[PersonInPhoto]:
    """Persons in photos that were taken before they were born, by name: two statements.

    Only the faces are read of those whose date of birth is known; SQLite would look for everybody's else.
    """
    is_known = PersonRow.birth_date.is_not(None)
    return _in_photos(session, is_known & (FaceInstance.taken_at < PersonRow.birth_date), after, limit)


def _in_photos(
    session: Session, which: ColumnExpressionArgument[bool], after: Place | None, limit: int
) -> list[PersonInPhoto]:
    statement = (
        select(PersonRow.id, PersonRow.name, FaceInstance.asset_id)
        .join(PersonRow, PersonRow.id == FaceInstance.person_id)
        .where(which, ~in_replaced_photo(), ~PersonRow.deleted)
        .distinct()
        .order_by(PersonRow.name, PersonRow.id, FaceInstance.asset_id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_is_behind(after, PersonRow.name, PersonRow.id, FaceInstance.asset_id))
    rows = session.execute(statement).all()
    faces = _faces_in(session, [row[2] for row in rows])
    return [PersonInPhoto(*row, faces.get((row[2], row[0]), [])) for row in rows]


def _is_behind(after: tuple[Any, ...], *columns: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
    """Of a row: it comes after these values of the columns that the rows are sorted by."""
    values = (literal(value, column.type) for value, column in zip(after, columns, strict=True))
    return tuple_(*columns) > tuple_(*values)


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


def comparable_faces(session: Session, person_ids: Sequence[uuid.UUID]) -> list[NamedFacePoint]:
    """The faces of at most ``BATCH`` persons that may be compared, by id."""
    rows = session.execute(
        select(FaceInstance.person_id, FaceInstance.id, FaceInstance.asset_id, FaceInstance.qdrant_point_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.person_id.in_(person_ids), IS_COMPARABLE_FACE)
        .order_by(FaceInstance.id)
    )
    return [NamedFacePoint(person, *rest) for person, *rest in rows if person is not None]


def files(session: Session, asset_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Path]:
    """A file of each photo that has one: a statement for each ``BATCH``."""
    paths: dict[uuid.UUID, Path] = {}
    statement = select(AssetPath.asset_id, AssetPath.path).where(IS_PRESENT).order_by(AssetPath.path)
    for part in chunks(sorted(set(asset_ids)), BATCH):
        for asset_id, path in session.execute(statement.where(AssetPath.asset_id.in_(part))):
            paths.setdefault(asset_id, path)
    return paths
