"""Reads what names in photos' metadata are compared with: pages of photos, their files and faces."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Fact, Key, human_value
from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box
from image_search_service.db.models import (
    AssetPath,
    DecisionChange,
    DecisionRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonRow,
)
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import IS_PRESENT
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.faces_with_decisions import relative
from image_search_service.db.queries.suggestion_states import REJECTED

FROM_METADATA = "names_from_metadata"
"""The kind of the decisions that take names from metadata."""


@dataclass(frozen=True, slots=True)
class PhotoFiles:
    """A photo that can be read, its upright size in pixels, and the files that hold it."""

    asset_id: uuid.UUID
    width: int
    height: int
    paths: list[Path]


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face, its box in shares of the upright photo, and the person that a human assigned it to.

    hidden: whether that person is hidden. origin: where it comes from that it is theirs. point_id: of its
    embedding.
    """

    id: uuid.UUID
    asset_id: uuid.UUID
    box: Box
    is_face: bool
    person_id: uuid.UUID | None
    name: str | None
    hidden: bool = False
    origin: str | None = None
    point_id: uuid.UUID | None = None

    @property
    def name_to_write(self) -> str | None:
        """The person's name, None if they are hidden: their name is not given to other programs."""
        return self.name if self.is_face and not self.hidden else None


def photos_page(session: Session, after: uuid.UUID | None, limit: int) -> list[PhotoFiles]:
    """The next photos, by id, with faces or without: two statements."""
    statement = (
        select(ImageAsset.id, ImageAsset.width, ImageAsset.height)
        .where(
            ImageAsset.failure.is_(None),
            ~ImageAsset.replaced,
        )
        .order_by(ImageAsset.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(ImageAsset.id > after)
    photos = {row[0]: PhotoFiles(row[0], row[1] or 1, row[2] or 1, []) for row in session.execute(statement)}
    files = select(AssetPath.asset_id, AssetPath.path).where(AssetPath.asset_id.in_(list(photos)), IS_PRESENT)
    for asset_id, path in session.execute(files.order_by(AssetPath.path)):
        photos[asset_id].paths.append(path)
    return list(photos.values())


def placed_faces(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[PlacedFace]]:
    """The faces of at most ``BATCH`` photos, left to right."""
    rows = session.execute(
        select(FaceInstance, ImageAsset.width, ImageAsset.height, PersonRow.name, PersonRow.hidden)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(PersonRow, (PersonRow.id == FaceInstance.person_id) & (FaceInstance.assigned_by == HUMAN))
        .where(FaceInstance.asset_id.in_(asset_ids))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    faces: dict[uuid.UUID, list[PlacedFace]] = {}
    for face, width, height, name, hidden in rows:
        person = face.person_id if name is not None else None
        box = relative(face.box, width, height)
        placed = PlacedFace(
            face.id,
            face.asset_id,
            box,
            face.is_face,
            person,
            name,
            bool(hidden),
            face.name_origin,
            face.qdrant_point_id,
        )
        faces.setdefault(face.asset_id, []).append(placed)
    return faces


def rejected_names(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """For the faces of at most ``BATCH`` photos, the name keys of persons that they were rejected for."""
    rows = session.execute(
        select(FaceSuggestion.face_instance_id, PersonRow.name_key)
        .join(FaceInstance, FaceInstance.id == FaceSuggestion.face_instance_id)
        .join(PersonRow, PersonRow.id == FaceSuggestion.person_id)
        .where(FaceInstance.asset_id.in_(asset_ids), FaceSuggestion.state == REJECTED)
    )
    names: dict[uuid.UUID, set[str]] = {}
    for face_id, key in rows:
        names.setdefault(face_id, set()).add(key)
    return names


def taken_back(session: Session, face_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Those of at most ``BATCH`` faces whose person an undo removed and no decision has assigned since."""
    taken = _taken_away(session, DecisionChange.subject_id.in_(face_ids))
    return {row.subject_id for row, decision in taken if decision.undoes is not None}


def names_taken_back(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """For the faces of at most ``BATCH`` photos, the name keys that they had in this library and lost.

    Names that came from metadata and were undone are left out: the face is as it was before.
    """
    faces = select(FaceInstance.id).where(FaceInstance.asset_id.in_(asset_ids))
    taken = [
        (row.subject_id, uuid.UUID(human_value(Key(Fact.FACE_PERSON, row.subject_id), row.old)))
        for row, decision in _taken_away(session, DecisionChange.subject_id.in_(faces))
        if decision.details.get("of") != FROM_METADATA
    ]
    names: dict[uuid.UUID, str] = {}
    for part in chunks(sorted({person for _, person in taken}), BATCH):
        names |= {row[0]: row[1] for row in session.execute(_name_keys.where(PersonRow.id.in_(part)))}
    return {face: {names[person]} for face, person in taken if person in names}


_name_keys = select(PersonRow.id, PersonRow.name_key)


def _taken_away(session: Session, these: ColumnElement[bool]) -> list[tuple[DecisionChange, DecisionRow]]:
    """The last change of each of these faces' persons, where it removed one, with its decision."""
    last = (
        select(func.max(DecisionChange.id))
        .where(these, DecisionChange.fact == Fact.FACE_PERSON.value)
        .group_by(DecisionChange.subject_id)
    )
    rows = session.execute(
        select(DecisionChange, DecisionRow)
        .join(DecisionRow, DecisionRow.id == DecisionChange.decision_id)
        .where(DecisionChange.id.in_(last))
    )
    return [(row[0], row[1]) for row in rows if _took_away(row[0])]


def _took_away(row: DecisionChange) -> bool:
    key = Key(Fact.FACE_PERSON, row.subject_id)
    return human_value(key, row.old) is not None and human_value(key, row.new) is None


def merged_by_keys(session: Session, name_keys: Sequence[str]) -> list[PersonRow]:
    """Persons who had one of at most ``BATCH`` names and were merged into others."""
    return list(
        session.scalars(
            select(PersonRow).where(PersonRow.name_key.in_(name_keys), PersonRow.merged_into.is_not(None))
        )
    )
