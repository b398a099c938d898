"""Reads what an export holds: persons, decisions, and faces that a decision was about."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from image_search_service.core.decisions import FACE_FACTS, Change, Fact, NameOrigin
from image_search_service.core.names import name_key
from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.types import Box
from image_search_service.db.models import (
    DecisionChange,
    DecisionRow,
    FaceDifference,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonDifference,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries.batches import BATCH, insert_rows
from image_search_service.db.queries.differences import sides_where
from image_search_service.db.queries.events import change
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.suggestion_states import REJECTED

FACE_FACT_VALUES = [fact.value for fact in Fact if fact in FACE_FACTS]


@dataclass(slots=True)
class DecidedFace:
    """A face with what humans decided about it. box: relative to the upright photo, 0 to 1."""

    id: uuid.UUID
    content_hash: str
    box: Box
    person_id: uuid.UUID | None
    group_id: uuid.UUID | None
    is_face: bool
    set_aside: bool
    name_origin: NameOrigin | None = None
    by_hand: bool = False
    rejected_for: list[uuid.UUID] = field(default_factory=list)
    pinned_for: list[uuid.UUID] = field(default_factory=list)
    apart: dict[uuid.UUID, int] = field(default_factory=dict)

    @property
    def is_decided(self) -> bool:
        """Whether anything was decided about it."""
        is_placed = self.person_id is not None or self.group_id is not None
        is_hidden = not self.is_face or self.set_aside
        return is_placed or is_hidden or bool(self.rejected_for or self.pinned_for or self.apart)

    def contradicts(self, other: DecidedFace) -> bool:
        """Whether what was decided about two faces cannot be true of one face."""
        if not (self.is_decided and other.is_decided):
            return False
        places = {place for place in (self._place, other._place) if place is not None}
        is_rejected = self.person_id in other.rejected_for or other.person_id in self.rejected_for
        return len(places) > 1 or is_rejected or self.apart != other.apart

    @property
    def _place(self) -> tuple[object, ...] | None:
        """Where it was put: with a person, into a group, aside, or among what is no face."""
        if self.person_id is None and self.group_id is None and self.is_face and not self.set_aside:
            return None
        return self.person_id, self.group_id, self.is_face, self.set_aside


@dataclass(frozen=True, slots=True)
class DecisionWithChanges:
    """A decision with what it changed."""

    decision: DecisionRow
    changes: list[Change]


def every_person(session: Session) -> list[PersonRow]:
    """All persons by name, existing ones first; deleted and merged ones follow, since decisions name them."""
    return list(
        session.scalars(select(PersonRow).order_by(PersonRow.deleted, PersonRow.name_key, PersonRow.id))
    )


def insert_gone(session: Session, names: Mapping[uuid.UUID, str]) -> None:
    """Insert persons as deleted; the decisions that follow say which of them exist."""
    insert_rows(
        session,
        PersonRow,
        [
            {"id": person_id, "name": name, "name_key": name_key(name), "deleted": True, "hidden": False}
            for person_id, name in names.items()
        ],
    )


def differences(session: Session) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs of persons who were marked as different."""
    pair = select(PersonDifference.person_id, PersonDifference.other_id)
    return [
        (row[0], row[1])
        for row in session.execute(pair.order_by(PersonDifference.person_id, PersonDifference.other_id))
    ]


def events(session: Session, limit: int) -> Iterator[DecisionWithChanges]:
    """All decisions in their order: two statements for each ``limit``."""
    statement = select(DecisionRow).order_by(DecisionRow.id).limit(limit)

    def read_page(after: int | None) -> list[DecisionRow]:
        return list(session.scalars(statement.where(DecisionRow.id > (after or 0))))

    for page in keyset_pages(read_page, lambda decision: decision.id, limit):
        between = DecisionChange.decision_id.between(page[0].id, page[-1].id)
        changes: dict[int, list[Change]] = {}
        for row in session.scalars(select(DecisionChange).where(between).order_by(DecisionChange.id)):
            changes.setdefault(row.decision_id, []).append(change(row))
        for decision in page:
            yield DecisionWithChanges(decision, changes.get(decision.id, []))
        session.expunge_all()


def decided_faces_by_id(session: Session, face_ids: Sequence[uuid.UUID]) -> list[DecidedFace]:
    """What was decided about these faces: four statements for each ``BATCH``."""
    statement = select(FaceInstance, ImageAsset.content_hash, ImageAsset.width, ImageAsset.height).join(
        ImageAsset, ImageAsset.id == FaceInstance.asset_id
    )
    return [
        face
        for part in chunks(face_ids, BATCH)
        for face in _said(session, session.execute(statement.where(FaceInstance.id.in_(part))).all())
    ]


def decided_faces(session: Session, limit: int) -> Iterator[DecidedFace]:
    """All faces that any decision was about, photo by photo: four statements for each ``limit``."""
    decided = select(DecisionChange.id).where(
        DecisionChange.subject_id == FaceInstance.id, DecisionChange.fact.in_(FACE_FACT_VALUES)
    )
    statement = (
        select(FaceInstance, ImageAsset.content_hash, ImageAsset.width, ImageAsset.height)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(decided.exists(), ~ImageAsset.replaced)
        .order_by(FaceInstance.asset_id, FaceInstance.position)
        .limit(limit)
    )
    place = tuple_(FaceInstance.asset_id, FaceInstance.position)

    def read_page(after: tuple[uuid.UUID, int] | None) -> list[Any]:
        return list(session.execute(statement if after is None else statement.where(place > after)))

    for rows in keyset_pages(read_page, lambda row: (row[0].asset_id, row[0].position), limit):
        yield from _said(session, rows)
        session.expunge_all()


def _said(session: Session, rows: Sequence[Any]) -> list[DecidedFace]:
    decided = {
        face.id: DecidedFace(
            face.id,
            content_hash,
            relative(face.box, width, height),
            face.person_id if face.assigned_by == HUMAN else None,
            face.group_id,
            face.is_face,
            face.set_aside,
            None if face.name_origin is None else NameOrigin(face.name_origin),
            face.by_hand,
        )
        for face, content_hash, width, height in rows
    }
    for face_id, person_id in _rejections(session, decided):
        decided[face_id].rejected_for.append(person_id)
    for face_id, person_id in _pins(session, decided):
        decided[face_id].pinned_for.append(person_id)
    for side in sides_where(session, FaceDifference.face_instance_id.in_(list(decided))):
        decided[side.face_id].apart[side.difference_id] = side.side
    return list(decided.values())


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
    faces: dict[str, list[tuple[uuid.UUID, Box]]] = {}
    for part in chunks(sorted(set(content_hashes)), BATCH):
        for content_hash, width, height, face in session.execute(
            statement.where(ImageAsset.content_hash.in_(part))
        ):
            faces.setdefault(content_hash, []).append((face.id, relative(face.box, width, height)))
    return faces


def relative(box: Box, width: int | None, height: int | None) -> Box:
    across, down = width or 1, height or 1  # a photo with faces has both
    return Box(box.x / across, box.y / down, box.width / across, box.height / down)
