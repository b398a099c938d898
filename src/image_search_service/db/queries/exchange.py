"""What is carried from one library to another: persons, and faces about which something was said."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset, Person, PersonPrototype
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.suggestions import REJECTED


@dataclass(slots=True)
class SaidFace:
    """A face with what humans said of it. box: relative to the upright photo, 0 to 1."""

    id: uuid.UUID
    content_hash: str
    box: Box
    person_id: uuid.UUID | None
    is_face: bool
    rejected_for: list[uuid.UUID] = field(default_factory=list)
    pinned_for: list[uuid.UUID] = field(default_factory=list)


def persons_there(session: Session) -> list[Person]:
    """Everybody who is neither merged nor taken back, by name."""
    return list(session.scalars(select(Person).where(~Person.gone).order_by(Person.name_key)))


def said_faces(session: Session, after: uuid.UUID | None, limit: int) -> list[SaidFace]:
    """The next faces, by id, that were named, rejected for somebody, pinned, or said to be none: three
    statements."""
    rejected = select(FaceSuggestion.id).where(
        FaceSuggestion.face_instance_id == FaceInstance.id, FaceSuggestion.state == REJECTED
    )
    pinned = select(PersonPrototype.id).where(
        PersonPrototype.face_instance_id == FaceInstance.id, PersonPrototype.pinned
    )
    statement = (
        select(FaceInstance, ImageAsset.content_hash, ImageAsset.width, ImageAsset.height)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(
            or_(FaceInstance.assigned_by == HUMAN, ~FaceInstance.is_face, rejected.exists(), pinned.exists()),
            ~ImageAsset.replaced,
        )
        .order_by(FaceInstance.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(FaceInstance.id > after)
    found = {
        face.id: SaidFace(
            face.id,
            content_hash,
            relative(face.box, width, height),
            face.person_id if face.assigned_by == HUMAN else None,
            face.is_face,
        )
        for face, content_hash, width, height in session.execute(statement)
    }
    for one, pairs in (("rejected_for", _rejections(session, found)), ("pinned_for", _pins(session, found))):
        for face_id, person_id in pairs:
            getattr(found[face_id], one).append(person_id)
    return list(found.values())


def _rejections(session: Session, face_ids: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    rows = session.execute(
        select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id)
        .where(FaceSuggestion.face_instance_id.in_(list(face_ids)), FaceSuggestion.state == REJECTED)
        .order_by(FaceSuggestion.person_id)
    )
    return [(row[0], row[1]) for row in rows]


def _pins(session: Session, face_ids: Iterable[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    rows = session.execute(
        select(PersonPrototype.face_instance_id, PersonPrototype.person_id)
        .where(PersonPrototype.face_instance_id.in_(list(face_ids)), PersonPrototype.pinned)
        .order_by(PersonPrototype.person_id)
    )
    return [(row[0], row[1]) for row in rows]


def faces_by_content(
    session: Session, content_hashes: Sequence[str]
) -> dict[str, list[tuple[uuid.UUID, Box]]]:
    """The faces of the photos with these contents, with their boxes relative to the upright photo."""
    statement = (
        select(ImageAsset.content_hash, ImageAsset.width, ImageAsset.height, FaceInstance)
        .join(FaceInstance, FaceInstance.asset_id == ImageAsset.id)
        .order_by(FaceInstance.asset_id, FaceInstance.position)
    )
    found: dict[str, list[tuple[uuid.UUID, Box]]] = {}
    for part in chunks(sorted(set(content_hashes)), BATCH):
        for content_hash, width, height, face in session.execute(
            statement.where(ImageAsset.content_hash.in_(part))
        ):
            found.setdefault(content_hash, []).append((face.id, relative(face.box, width, height)))
    return found


def relative(box: Box, width: int | None, height: int | None) -> Box:
    across, down = width or 1, height or 1  # a photo with faces has both
    return Box(box.x / across, box.y / down, box.width / across, box.height / down)
