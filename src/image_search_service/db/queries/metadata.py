"""What names in photos' metadata are compared with: pages of photos, their files, and their faces."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, FaceInstance, FaceSuggestion, ImageAsset, Person
from image_search_service.db.queries.exchange import relative
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.suggestions import REJECTED


@dataclass(frozen=True, slots=True)
class PhotoFiles:
    """A photo that can be read, its upright size in pixels, and the files that hold it."""

    asset_id: uuid.UUID
    width: int
    height: int
    paths: list[Path]


@dataclass(frozen=True, slots=True)
class PlacedFace:
    """A face, its box in shares of the upright photo, and whose it is by a human's word."""

    id: uuid.UUID
    asset_id: uuid.UUID
    box: Box
    is_face: bool
    person_id: uuid.UUID | None
    name: str | None


def photos_page(session: Session, after: uuid.UUID | None, limit: int) -> list[PhotoFiles]:
    """The next photos with faces, by id: two statements."""
    statement = (
        select(ImageAsset.id, ImageAsset.width, ImageAsset.height)
        .where(
            ImageAsset.failure.is_(None),
            ~ImageAsset.replaced,
            select(FaceInstance.id).where(FaceInstance.asset_id == ImageAsset.id).exists(),
        )
        .order_by(ImageAsset.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(ImageAsset.id > after)
    found = {row[0]: PhotoFiles(row[0], row[1] or 1, row[2] or 1, []) for row in session.execute(statement)}
    files = select(AssetPath.asset_id, AssetPath.path).where(
        AssetPath.asset_id.in_(list(found)), AssetPath.missing_since.is_(None)
    )
    for asset_id, path in session.execute(files.order_by(AssetPath.path)):
        found[asset_id].paths.append(path)
    return list(found.values())


def placed_faces(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[PlacedFace]]:
    """The faces of at most ``BATCH`` photos, left to right."""
    rows = session.execute(
        select(FaceInstance, ImageAsset.width, ImageAsset.height, Person.name)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .outerjoin(Person, (Person.id == FaceInstance.person_id) & (FaceInstance.assigned_by == HUMAN))
        .where(FaceInstance.asset_id.in_(asset_ids))
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    found: dict[uuid.UUID, list[PlacedFace]] = {}
    for face, width, height, name in rows:
        person = face.person_id if name is not None else None
        box = relative(face.box, width, height)
        placed = PlacedFace(face.id, face.asset_id, box, face.is_face, person, name)
        found.setdefault(face.asset_id, []).append(placed)
    return found


def rejected_names(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, set[str]]:
    """Of the faces of at most ``BATCH`` photos: the names that they were said not to have, as compared."""
    rows = session.execute(
        select(FaceSuggestion.face_instance_id, Person.name_key)
        .join(FaceInstance, FaceInstance.id == FaceSuggestion.face_instance_id)
        .join(Person, Person.id == FaceSuggestion.person_id)
        .where(FaceInstance.asset_id.in_(asset_ids), FaceSuggestion.state == REJECTED)
    )
    found: dict[uuid.UUID, set[str]] = {}
    for face_id, key in rows:
        found.setdefault(face_id, set()).add(key)
    return found
