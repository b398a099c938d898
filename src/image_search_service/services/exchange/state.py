"""Imports the present state of another library as new decisions. Decisions of this library are kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from typing import Any

from image_search_service.core.decisions import Fact, Key, NameOrigin, different, human_value, named_by
from image_search_service.core.parallel import chunks
from image_search_service.db.models import PersonRow
from image_search_service.db.queries import differences, persons, suggestion_states
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.decisions import current_state
from image_search_service.db.queries.differences import Side
from image_search_service.db.session import Session
from image_search_service.services.decisions.differences import clashing
from image_search_service.services.decisions.log import DecisionDraft, decide
from image_search_service.services.exchange.lines import DifferentLine, FaceLine, PersonLine

Facts = dict[Key, Any]


class PresentState:
    """Imports persons, faces and differences as new decisions.

    persons: this library's person for each person of the file. new: persons created. changed: facts changed.
    kept: faces on which this library has another decision. decisions: numbers of the recorded decisions.
    shared_names: names (as compared) that several persons of the file have.
    """

    def __init__(self, actor: str, shared_names: Set[str]) -> None:
        self._actor = actor
        self._shared_names = shared_names
        self.persons: dict[uuid.UUID, uuid.UUID] = {}
        self.new = 0
        self.kept = 0
        self.changed = 0
        self.decisions: list[int] = []
        self._covers: dict[uuid.UUID, uuid.UUID] = {}
        self._faces: dict[uuid.UUID, uuid.UUID] = {}

    def take_persons(self, session: Session, lines: Sequence[PersonLine]) -> None:
        """Match persons by id, or by a name that only one has, there and here, and create new ones; deleted
        and merged persons of the file are not created."""
        lines = [line for line in lines if line.gone is False]
        known = _KnownPersons(session, lines, self._shared_names)
        facts: Facts = {}
        for line in lines:
            person = known.match(line)
            here = known.free_id(line) if person is None else person.id
            self.persons[line.id] = here
            if person is None:
                facts |= {Key(Fact.PERSON_NAME, here): line.name, Key(Fact.PERSON_GONE, here): False}
                self.new += 1
            if line.hidden and person is None:
                facts[Key(Fact.PERSON_HIDDEN, here)] = True
            if line.birth_date and (person is None or person.birth_date is None):
                facts[Key(Fact.PERSON_BIRTH, here)] = line.birth_date.isoformat()
            if line.note and (person is None or person.note is None):
                facts[Key(Fact.PERSON_NOTE, here)] = line.note
            if line.cover and (person is None or person.cover_face_id is None):
                self._covers[line.cover] = here
        self._decide(session, facts)

    def make_faces(self, session: Session, face_ids: Sequence[uuid.UUID]) -> None:
        """Faces by hand, whose rows are there, are faces."""
        self._decide(session, {Key(Fact.FACE_IS_FACE, face): True for face in face_ids})

    def take_faces(self, session: Session, matched: Sequence[tuple[FaceLine, uuid.UUID]]) -> None:
        """Import persons, groups, rejections and pins of matched faces. A few statements for each page."""
        if not matched:
            return
        self._faces |= {line.id: face for line, face in matched if line.id in self._covers and line.id}
        known = _ExistingFacts(session, [face for _, face in matched])
        placed = {
            face: self.persons[line.person]
            for line, face in matched
            if line.person in self.persons and line.person
        }
        free = {face: person for face, person in placed.items() if known.may_be(face, person)}
        sides = self._sides(session, matched, known, free)
        clash = clashing(sides, free)
        free = {face: person for face, person in free.items() if face not in clash}
        self.kept += len(placed) - len(free)
        facts: Facts = {}
        for line, face in matched:
            facts |= self._facts(line, face, free.get(face), known)
        self._decide(session, facts)

    def take_differences(self, session: Session, lines: Sequence[DifferentLine]) -> None:
        """Import pairs of different persons, except pairs that are one person here."""
        pairs = [(self.persons.get(line.persons[0]), self.persons.get(line.persons[1])) for line in lines]
        self._decide(session, {different(a, b): True for a, b in pairs if a and b and a != b})

    def take_covers(self, session: Session) -> None:
        """Import cover faces that exist here and belong to the person."""
        wanted = {self._faces[face]: person for face, person in self._covers.items() if face in self._faces}
        known = _ExistingFacts(session, list(wanted))
        covers = {face: person for face, person in wanted.items() if known.person_of(face) == person}
        self._decide(session, {Key(Fact.PERSON_COVER, person): str(face) for face, person in covers.items()})

    def _facts(
        self, line: FaceLine, face: uuid.UUID, person: uuid.UUID | None, known: _ExistingFacts
    ) -> Facts:
        assigned_to = person or known.person_of(face)
        facts: Facts = {}
        if person is not None:
            facts[Key(Fact.FACE_PERSON, face)] = named_by(person, NameOrigin.IMPORT)
        elif not line.is_face and assigned_to is None:
            facts[Key(Fact.FACE_IS_FACE, face)] = False
        elif line.set_aside and assigned_to is None and known.is_unplaced(face):
            facts[Key(Fact.FACE_SET_ASIDE, face)] = {"aside": True}
        rejected = {
            self.persons[person_id] for person_id in line.rejected_for if person_id in self.persons
        } - {assigned_to}
        facts |= {Key(Fact.REJECTED, face, person_id): True for person_id in rejected}
        pinned = {self.persons[person_id] for person_id in line.pinned_for if person_id in self.persons} & {
            assigned_to
        }
        facts |= {Key(Fact.PINNED, face, person_id): True for person_id in pinned if person_id}
        if line.group is not None and assigned_to is None and known.may_be_grouped(face):
            facts[Key(Fact.FACE_GROUP, face)] = {"group": str(line.group)}
        sides = {key: side for key, side in line.apart.items() if (face, key) not in known.refused}
        return facts | {Key(Fact.APART, face, key): side for key, side in sides.items()}

    def _sides(
        self,
        session: Session,
        matched: Sequence[tuple[FaceLine, uuid.UUID]],
        known: _ExistingFacts,
        placed: Mapping[uuid.UUID, uuid.UUID],
    ) -> list[Side]:
        """All sides that must hold together, with the persons of the faces in this library. A side is refused
        if it contradicts who is one person here already."""
        incoming = [
            Side(key, face, side, known.person_of(face))
            for line, face in matched
            for key, side in line.apart.items()
        ]
        existing = differences.sides_with(session, [face for _, face in matched])
        existing += differences.sides_of(session, sorted({member.difference_id for member in incoming}))
        held = {
            (member.difference_id, member.person_id): member.side
            for member in existing
            if member.person_id and member.face_id not in placed
        }
        for member in incoming:
            if member.person_id and member.face_id not in placed:
                place = (member.difference_id, member.person_id)
                if held.setdefault(place, member.side) != member.side:
                    known.refused.add((member.face_id, member.difference_id))
        kept = [member for member in incoming if (member.face_id, member.difference_id) not in known.refused]
        return list(
            {(member.difference_id, member.face_id): member for member in [*existing, *kept]}.values()
        )

    def _decide(self, session: Session, facts: Facts) -> None:
        if not facts:
            return
        made = decide(session, DecisionDraft("import", self._actor, facts))
        self.changed += made.changes
        self.decisions += [] if made.id is None else [made.id]


class _KnownPersons:
    """Those of this library whom persons of a file may be."""

    def __init__(self, session: Session, lines: Sequence[PersonLine], shared_names: Set[str]) -> None:
        self._shared_names = shared_names
        self._by_name: dict[str, list[PersonRow]] = {}
        for part in chunks(sorted({line.key for line in lines}), BATCH):
            self._by_name |= persons.persons_by_keys(session, part)
        self._by_id = persons.rows_by_ids(session, [line.id for line in lines])

    def match(self, line: PersonLine) -> PersonRow | None:
        """By id, as long as the name is the same. A name that two have, there or here, says nothing without
        the note that tells them apart."""
        same_id, named = self._by_id.get(line.id), self._by_name.get(line.key, [])
        if same_id is not None and same_id in named:
            return same_id
        if len(named) > 1 or line.key in self._shared_names:
            named = [person for person in named if line.note and person.note == line.note]
        return named[0] if len(named) == 1 else None

    def free_id(self, line: PersonLine) -> uuid.UUID:
        """For a new person: the file's, so that another import finds them again by it."""
        return uuid.uuid4() if line.id in self._by_id else line.id


_PLACES = (Fact.FACE_PERSON, Fact.FACE_IS_FACE, Fact.FACE_GROUP, Fact.FACE_SET_ASIDE)


class _ExistingFacts:
    """Decisions of this library about some faces. refused: sides of differences that contradict them. apart:
    faces that are on a side of a difference, so that no import groups them."""

    def __init__(self, session: Session, faces: Sequence[uuid.UUID]) -> None:
        keys = [Key(fact, face) for face in faces for fact in _PLACES]
        self._now = current_state.current(session, keys)
        self._rejected = suggestion_states.rejected_pairs(session, faces)
        self.apart = {side.face_id for side in differences.sides_with(session, faces)}
        self.refused: set[tuple[uuid.UUID, uuid.UUID]] = set()

    def person_of(self, face: uuid.UUID) -> uuid.UUID | None:
        key = Key(Fact.FACE_PERSON, face)
        person = human_value(key, self._now.get(key))
        return None if person is None else uuid.UUID(person)

    def may_be(self, face: uuid.UUID, person: uuid.UUID) -> bool:
        """Whether no decision of this library forbids assigning the face to the person."""
        return (
            self.person_of(face) in (None, person)
            and self._is_shown(face)
            and (face, person) not in self._rejected
        )

    def may_be_grouped(self, face: uuid.UUID) -> bool:
        """Whether no decision of this library forbids putting the face, without a person, into a group."""
        return self._is_shown(face) and face not in self.apart

    def is_unplaced(self, face: uuid.UUID) -> bool:
        """Whether no human has assigned the face to a person, grouped it or set it aside."""
        key = Key(Fact.FACE_GROUP, face)
        return (
            self._is_shown(face)
            and self.person_of(face) is None
            and human_value(key, self._now.get(key)) is None
        )

    def _is_shown(self, face: uuid.UUID) -> bool:
        aside = Key(Fact.FACE_SET_ASIDE, face)
        is_face: bool = self._now[Key(Fact.FACE_IS_FACE, face)]
        return is_face and not human_value(aside, self._now.get(aside))
