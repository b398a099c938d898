"""A decision is an event that changes facts, each from an old value to a new one.

A fact's key names the kind of fact and the face or person. An event holds the old and new value of each fact
that it changed, and nothing else; so the present state follows from the events in order, and an event is
undone by another one with old and new values exchanged.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any


class NameOrigin(StrEnum):
    """Where it comes from that a face is a person's, of faces that a human has named."""

    HERE = "here"
    """Said in this library."""
    METADATA = "metadata"
    """Read from a file, which it follows when that is corrected ."""
    IMPORT = "import"
    """Imported from another library."""
    CARRIED_OVER = "carried_over"
    """Said of the same face in another content of its file."""


class Fact(StrEnum):
    """The kinds of facts that humans decide. Values are JSON; None: never decided."""

    FACE_PERSON = "face_person"
    """Of a face: ``{"person": id or None, "by": "human", "origin": a NameOrigin}``; other keys keep the state
    that undoing restores."""
    FACE_GROUP = "face_group"
    """Of an unnamed face: ``{"group": id or None}``, the cluster that a human put it into; other keys keep
    the state that undoing restores."""
    FACE_IS_FACE = "face_is_face"
    """Of a face: whether it is one."""
    FACE_SET_ASIDE = "face_set_aside"
    """Of a face: ``{"aside": bool}``, true for a stranger's face that nobody is asked about; other keys keep
    the state that undoing restores."""
    REJECTED = "rejected"
    """Of a face and a person: whether the face was rejected for the person."""
    PINNED = "pinned"
    """Of a face and a person: whether it is a prototype of the person that jobs must keep."""
    PERSON_NAME = "person_name"
    PERSON_GONE = "person_gone"
    """Of a person: False if they exist, True if never created (or deleted), an id if merged into that
    person."""
    PERSON_HIDDEN = "person_hidden"
    PERSON_BIRTH = "person_birth"
    """Of a person: date of birth, ISO 8601."""
    PERSON_NOTE = "person_note"
    """Of a person: a few words that tell them from somebody of the same name."""
    PERSON_COVER = "person_cover"
    """Of a person: the face that is shown for them."""
    DIFFERENT = "different"
    """Of two persons, the smaller id first: whether they are marked as different."""
    APART = "apart"
    """Of a face and a difference between two groups: on which side of it the face is, 0 or 1."""
    LOSS_ANSWERED = "loss_answered"
    """Of a face whose photo is in no file any more, and one such loss: whether a human has answered it."""
    PHOTO_FORGOTTEN = "photo_forgotten"
    """Of a photo: whether it is left out as long as no file of it exists."""


PERSON_FACTS = frozenset(
    {
        Fact.PERSON_NAME,
        Fact.PERSON_GONE,
        Fact.PERSON_HIDDEN,
        Fact.PERSON_BIRTH,
        Fact.PERSON_NOTE,
        Fact.PERSON_COVER,
        Fact.DIFFERENT,
    }
)
"""Facts whose first id is a person's."""
PHOTO_FACTS = frozenset({Fact.PHOTO_FORGOTTEN})
"""Facts whose id is a photo's."""
FACE_FACTS = frozenset(Fact) - PERSON_FACTS - PHOTO_FACTS
"""Facts whose first id is a face's."""


MOST_PERSONS = 10
"""The most persons that an event's details name; its changes name all of them."""
FIRST_FACES = 6
"""The most faces that an event's details name, so that a list can show them without reading all changes."""


@dataclass(frozen=True, slots=True)
class Key:
    """One fact. other: the person, second person or difference, of facts about two."""

    fact: Fact
    id: uuid.UUID
    other: uuid.UUID | None = None

    def __hash__(self) -> int:
        """Without ``other``, and without the enum's own hash, a function of Python's: a decision hashes its
        hundreds of keys ten times each."""
        return hash((str.__hash__(self.fact), self.id.int))


@dataclass(frozen=True, slots=True)
class Change:
    """One fact's old and new value, as JSON."""

    key: Key
    old: Any
    new: Any

    @property
    def inverse(self) -> Change:
        return Change(self.key, self.new, self.old)


def different(a: uuid.UUID, b: uuid.UUID) -> Key:
    """The key of the fact that two persons are different."""
    return Key(Fact.DIFFERENT, min(a, b), max(a, b))


def human_value(key: Key, value: Any) -> Any:
    """The part of a value that a human decided; None for an assignment by the machine."""
    if key.fact is Fact.FACE_GROUP:
        return value["group"] if isinstance(value, dict) else None
    if key.fact is Fact.FACE_SET_ASIDE:
        return isinstance(value, dict) and value["aside"]
    if key.fact is not Fact.FACE_PERSON:
        return value
    if not isinstance(value, dict) or value.get("by") != "human":
        return None
    return value["person"]


def named_by(person_id: uuid.UUID, origin: NameOrigin) -> dict[str, str]:
    """The value of ``Fact.FACE_PERSON``: that a human has named it."""
    return {"person": str(person_id), "by": "human", "origin": origin.value}


def _is_confirmed(change: Change) -> bool:
    """Whether somebody says here what so far only another source has said."""
    if change.key.fact is not Fact.FACE_PERSON or not (change.old and change.new):
        return False
    origins = (change.old.get("origin"), change.new.get("origin"))
    return change.new.get("by") == "human" and origins == (NameOrigin.METADATA, NameOrigin.HERE)


def persons_of(change: Change) -> set[uuid.UUID]:
    """The persons that a change is about; of a face, its old and new person."""
    key = change.key
    if key.fact in PERSON_FACTS:
        into = {
            uuid.UUID(value)
            for value in (change.old, change.new)
            if key.fact is Fact.PERSON_GONE and isinstance(value, str)
        }
        return into | {key.id} | ({key.other} if key.other else set())
    if key.fact is Fact.FACE_PERSON:
        persons = [value.get("person") for value in (change.old, change.new) if isinstance(value, dict)]
        return {uuid.UUID(person) for person in persons if person}
    return {key.other} if key.other and key.fact in (Fact.REJECTED, Fact.PINNED) else set()


def faces_of(change: Change) -> list[uuid.UUID]:
    """The face that a change is about: its subject, or somebody's new cover."""
    key = change.key
    if key.fact is Fact.PERSON_COVER:
        return [uuid.UUID(change.new)] if change.new else []
    return [key.id] if key.fact in FACE_FACTS else []


def first_faces(changes: Iterable[Change]) -> list[str]:
    """The first faces that changes are about, at most ``FIRST_FACES``, as text."""
    shown = dict.fromkeys(face for change in changes for face in faces_of(change))
    return [str(face) for face in islice(shown, FIRST_FACES)]


def summary_of(changes: Sequence[Change]) -> dict[str, Any]:
    """Details stored with the event, so that a list needs not read all changes: the number of faces, the
    first of them, the persons, most frequent first, and, if there are any, the number of photos, and from
    whom to whom faces have moved."""
    persons = Counter(person for change in changes for person in persons_of(change))
    often = sorted(persons, key=lambda person_id: (-persons[person_id], person_id))
    photos = sum(change.key.fact in PHOTO_FACTS for change in changes)
    summary = {
        "faces": len({change.key.id for change in changes if change.key.fact in FACE_FACTS}),
        "first_faces": first_faces(changes),
        "persons": [str(person_id) for person_id in often[:MOST_PERSONS]],
    }
    moved = _moved(changes)
    return summary | ({"photos": photos} if photos else {}) | ({"moved": moved} if moved else {})


def _moved(changes: Iterable[Change]) -> dict[str, Any] | None:
    """``{"from": [person], "to": person}`` if faces of some persons are one other person's now."""
    owners = [
        tuple(value.get("person") if isinstance(value, dict) else None for value in (change.old, change.new))
        for change in changes
        if change.key.fact is Fact.FACE_PERSON
    ]
    to = {new for _, new in owners if new}
    former = sorted({old for old, _ in owners if old} - to)
    return {"from": former[:MOST_PERSONS], "to": to.pop()} if former and len(to) == 1 else None


def effective(changes: Iterable[Change]) -> list[Change]:
    """Changes that alter a human decision, or confirm what was read from a file; several of one fact become
    one, from the first old value to the last new one."""
    merged: dict[Key, Change] = {}
    for change in changes:
        before = merged.get(change.key)
        merged[change.key] = change if before is None else Change(change.key, before.old, change.new)
    return [
        merged_change
        for merged_change in merged.values()
        if human_value(merged_change.key, merged_change.old)
        != human_value(merged_change.key, merged_change.new)
        or _is_confirmed(merged_change)
    ]
