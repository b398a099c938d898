"""Faces by hand: a human draws a box where the detector saw nothing, moves it, or removes it. Each is a
decision."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import ConflictError, InvalidInputError, MediaError, NotFoundError
from image_search_service.core.types import Box
from image_search_service.db.queries import faces_with_decisions, photos
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.queries.people import faces as face_queries
from image_search_service.db.queries.photos import PhotoWithFiles
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.recognition.boxes import SAME_PLACE, overlap
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import (
    Facts,
    facts_assigning,
    facts_unassigning,
    former_clusters,
    require,
)
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.naming import Namesake, Who, named_person
from image_search_service.services.existing import required
from image_search_service.services.indexing.drawing import DrawnFaces, FaceDrawer, box_in_pixels

Numbers = tuple[float, float, float, float]
"""x, y, width and height: pixels of the upright photo, or shares of it if none is above 1."""


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """A face by hand. decision: its number, for undo. landmarks_found: whether the engine found a face in the
    box when it looked there. recognizable: whether it can be told from others; else no job groups it.
    name: of its person."""

    face_id: uuid.UUID
    decision: int | None
    landmarks_found: bool
    recognizable: bool
    quality: float
    person_id: uuid.UUID | None = None
    name: str | None = None


class HandFaceService(DecisionService):
    """Records decisions about faces by hand.

    Embedding and crop are made from the photo's pixels first, so that a decision never names a face without
    them. Raises NotFoundError, InvalidInputError for a box that is none, MediaError if the photo cannot be
    read, UnavailableError.
    """

    def __init__(self, stores: Stores, actor: str) -> None:
        super().__init__(stores.database, actor)
        self._drawer = FaceDrawer(stores)

    def photo_of_file(self, path: Path) -> uuid.UUID:
        """The photo that a file holds. Raises NotFoundError for a file that is not in the library."""
        with self._database.read() as session:
            known = photos.known_files(session, [path])
        if not known:
            raise NotFoundError(f"{path} is not in the library.", hint="Index it: image-search index FILE.")
        return known[path].asset_id

    def add(
        self,
        asset_id: uuid.UUID,
        box: Numbers,
        whose: str | uuid.UUID | None = None,
        *,
        who: Who = Namesake.ASK,
        based_on: int | None = None,
    ) -> DrawnFace:
        """Make a face of a box in a photo. whose: the person's name or id, if it is known.

        Raises ConflictError if a face is there already, NameTakenError.
        """
        with self._database.read() as session:
            photo = _photo(session, asset_id)
            place = box_in_pixels(box, photo)
            _refuse_occupied(session, asset_id, place)
            _whose(session, whose, who)
        drawn = self._draw(photo, place)
        with self._deciding() as session:
            (face_id,) = drawn.ids
            person_id, name, facts = _whose(session, whose, who)
            facts |= {Key(Fact.FACE_IS_FACE, face_id): True}
            if person_id is not None:
                facts |= facts_assigning([face_id], person_id)
            made = self._record(session, "add_face", drawn, facts, based_on=based_on)
        return replace(_result(drawn, made), person_id=person_id, name=name)

    def move(self, face_id: uuid.UUID, box: Numbers, based_on: int | None = None) -> DrawnFace:
        """Put a face elsewhere in its photo: a new face takes over what was said of it, and it is none itself
        any more, so that undo brings it back as it was."""
        with self._database.read() as session:
            face = required(face_queries.face_by_id(session, face_id), "face", face_id)
            photo = _photo(session, face.asset_id)
            place = box_in_pixels(box, photo)
            _refuse_occupied(session, face.asset_id, place, but=face_id)
        drawn = self._draw(photo, place)
        with self._deciding() as session:
            facts = _facts_moving(session, face_id, drawn.ids[0])
            made = self._record(session, "move_face", drawn, facts, based_on=based_on, of=[face_id])
        moved = _result(drawn, made)
        if Key(Fact.FACE_PERSON, moved.face_id) not in facts:
            return moved
        return replace(moved, person_id=face.person_id, name=face.person_name)

    def remove(self, face_id: uuid.UUID, based_on: int | None = None) -> RecordedDecision:
        """Say that there is no face; undo brings it back."""
        facts = facts_unassigning([face_id]) | {Key(Fact.FACE_IS_FACE, face_id): False}
        with self._deciding() as session:
            return self._decide(session, "remove_face", facts, based_on, former_clusters(session, [face_id]))

    def _draw(self, photo: PhotoWithFiles, place: Box) -> DrawnFaces:
        (drawn,) = self._drawer.draw([(photo, [place])])
        if drawn.failure is not None:
            raise MediaError(f"The photo cannot be read: {drawn.failure}.")
        return drawn

    def _record(
        self,
        session: Session,
        kind: str,
        drawn: DrawnFaces,
        facts: Facts,
        *,
        based_on: int | None,
        of: Sequence[uuid.UUID] = (),
    ) -> RecordedDecision:
        position = photos.next_positions(session, [drawn.photo.id])[drawn.photo.id]
        photos.save_faces(session, drawn.rows(position))
        return self._decide(session, kind, facts, based_on, former_clusters(session, of))


def _photo(session: Session, asset_id: uuid.UUID) -> PhotoWithFiles:
    found = photos.photos_with_files(session, [asset_id]).get(asset_id)
    if found is None:
        raise NotFoundError(f"There is no photo {asset_id}.")
    return found


def _whose(
    session: Session, whose: str | uuid.UUID | None, who: Who
) -> tuple[uuid.UUID | None, str | None, dict[Key, Any]]:
    if whose is None:
        return None, None, {}
    if isinstance(whose, str):
        return named_person(session, whose, who)
    require(session, [whose])
    return whose, before_decision.person_rows(session, [whose])[whose].name, {}


def _refuse_occupied(session: Session, asset_id: uuid.UUID, place: Box, but: uuid.UUID | None = None) -> None:
    for face in face_queries.faces_of_asset(session, asset_id):
        if face.id != but and overlap(face.box, place) >= SAME_PLACE:
            raise ConflictError(
                f"There is a face already: {face.id}.",
                hint="Name that one (image-search give), or move it: image-search face move FACE x y w h.",
            )


def _facts_moving(session: Session, old: uuid.UUID, new: uuid.UUID) -> Facts:
    """The new face is a face with all that humans said of the old one, which is none any more."""
    (said,) = faces_with_decisions.decided_faces_by_id(session, [old])
    if not said.is_face:
        raise InvalidInputError(f"The face {old} was said to be none.", hint="Add a new one.")
    facts: Facts = facts_unassigning([old]) | {Key(Fact.FACE_IS_FACE, old): False}
    facts[Key(Fact.FACE_IS_FACE, new)] = True
    facts |= {Key(Fact.REJECTED, new, person): True for person in said.rejected_for}
    facts |= {Key(Fact.APART, new, difference): side for difference, side in said.apart.items()}
    facts |= {Key(Fact.APART, old, difference): None for difference in said.apart}
    facts |= {Key(Fact.PINNED, old, person): False for person in said.pinned_for}
    facts |= {Key(Fact.PINNED, new, person): True for person in said.pinned_for}
    if said.person_id is not None:
        facts[Key(Fact.FACE_PERSON, new)] = {"person": str(said.person_id), "by": "human"}
        person = before_decision.person_rows(session, [said.person_id]).get(said.person_id)
        if person is not None and person.cover_face_id == old:
            facts[Key(Fact.PERSON_COVER, said.person_id)] = str(new)
    if said.group_id is not None:
        facts[Key(Fact.FACE_GROUP, new)] = {"group": str(said.group_id)}
    if said.set_aside:
        facts[Key(Fact.FACE_SET_ASIDE, new)] = {"aside": True}
    return facts


def _result(drawn: DrawnFaces, made: RecordedDecision) -> DrawnFace:
    assert drawn.read is not None  # noqa: S101 - _draw raises without it
    (face,) = drawn.read.faces
    return DrawnFace(face.id, made.id, face.detection.confidence > 0, face.recognizable, face.quality.score)
