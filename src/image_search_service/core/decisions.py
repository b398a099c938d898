"""What a decision is: changes of single facts, each from an old value to a new one.

A fact has a key: what it is about, and of which face or person. Since an event holds old and new values of
the facts that it changed, and nothing else, the present state follows from the events in their order, and an
event is undone by another one with the two exchanged.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Fact(StrEnum):
    """What a human can say something about. The value is JSON; None, where nobody has said anything."""

    FACE_PERSON = "face_person"
    """Of a face: ``{"person": id or None, "by": "human"}``; other keys say what was there besides."""
    FACE_GROUP = "face_group"
    """Of a face that nobody has named: ``{"group": id or None}``, the cluster that a human put it into; other
    keys say what was there besides."""
    FACE_IS_FACE = "face_is_face"
    """Of a face: whether it is one."""
    FACE_SET_ASIDE = "face_set_aside"
    """Of a face: ``{"aside": whether it is a stranger's, not to be asked about}``; other keys say what was
    there besides."""
    REJECTED = "rejected"
    """Of a face and a person: whether it was said that they do not belong together."""
    PINNED = "pinned"
    """Of a face and a person: whether it stands for the person whatever a job would choose."""
    PERSON_NAME = "person_name"
    PERSON_GONE = "person_gone"
    """Of a person: False if there, True if never made (or taken back), an id if merged into that person."""
    PERSON_HIDDEN = "person_hidden"
    PERSON_BIRTH = "person_birth"
    """Of a person: date of birth, ISO 8601."""
    PERSON_COVER = "person_cover"
    """Of a person: the face that is shown for them."""
    DIFFERENT = "different"
    """Of two persons, the smaller id first: whether they are said to be two."""
    APART = "apart"
    """Of a face and a difference between two groups: on which side of it the face is, 0 or 1."""


PERSON_FACTS = frozenset(
    {
        Fact.PERSON_NAME,
        Fact.PERSON_GONE,
        Fact.PERSON_HIDDEN,
        Fact.PERSON_BIRTH,
        Fact.PERSON_COVER,
        Fact.DIFFERENT,
    }
)
"""Facts of which the first id is a person's; of all others it is a face's."""


@dataclass(frozen=True, slots=True)
class Key:
    """One fact. other: the person, second person or difference, of facts about two."""

    fact: Fact
    id: uuid.UUID
    other: uuid.UUID | None = None


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
    """The fact that two persons are two."""
    return Key(Fact.DIFFERENT, min(a, b), max(a, b))


def said(key: Key, value: Any) -> Any:
    """What of a value is a human's word; the machine's guess is as good as nothing."""
    if key.fact is Fact.FACE_GROUP:
        return value["group"] if isinstance(value, dict) else None
    if key.fact is Fact.FACE_SET_ASIDE:
        return isinstance(value, dict) and value["aside"]
    if key.fact is not Fact.FACE_PERSON:
        return value
    if not isinstance(value, dict) or value.get("by") != "human":
        return None
    return value["person"]


def persons_of(change: Change) -> set[uuid.UUID]:
    """Whom a change is about; of a face, to whom it went and from whom."""
    key = change.key
    if key.fact in PERSON_FACTS:
        into = {
            uuid.UUID(value)
            for value in (change.old, change.new)
            if key.fact is Fact.PERSON_GONE and isinstance(value, str)
        }
        return into | {key.id} | ({key.other} if key.other else set())
    if key.fact is Fact.FACE_PERSON:
        owners = [value.get("person") for value in (change.old, change.new) if isinstance(value, dict)]
        return {uuid.UUID(owner) for owner in owners if owner}
    return {key.other} if key.other and key.fact in (Fact.REJECTED, Fact.PINNED) else set()


def effective(changes: Iterable[Change]) -> list[Change]:
    """Those that change what was said; of several for one fact, one, from the first old to the last new."""
    merged: dict[Key, Change] = {}
    for change in changes:
        before = merged.get(change.key)
        merged[change.key] = change if before is None else Change(change.key, before.old, change.new)
    return [one for one in merged.values() if said(one.key, one.old) != said(one.key, one.new)]
