"""A photo edited in place is a new photo at an old path; whom its faces show is still known.

Another program that writes a tag or crops a border changes every byte of a file. The names that a human
gave move on to the faces of the new content that lie where the named faces lay.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.types import Box
from image_search_service.db.queries import faces
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.db.session import Session
from image_search_service.services.decision_log import Wish, decide

SAME_PLACE = 0.5
"""Intersection over union from which two boxes are the same face, as in PASCAL VOC's evaluation."""


def hand_on_names(session: Session, successors: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """For each replaced photo, give its named faces' persons to the faces of its successor.

    ``successors`` maps the photo that a file held before to the one it holds now; those that still have
    another file keep their faces, and nothing is handed on.
    """
    replaced = faces.replaced_among(session, list(successors))
    pairs = {old: new for old, new in successors.items() if old in replaced}
    if not pairs:
        return
    located = faces.located_faces(session, [*pairs.keys(), *pairs.values()])
    origins: dict[uuid.UUID, LocatedFace] = {}
    for old, new in pairs.items():
        origins |= successor_faces(located.get(old, []), located.get(new, []))
    said = _persons(origins, faces.HUMAN)
    owners = {face: {"person": str(person), "by": faces.HUMAN} for face, person in said.items()}
    facts = {Key(Fact.FACE_PERSON, face): owner for face, owner in owners.items()}
    decide(session, Wish("photo_edited", "index", facts))
    faces.assign_persons(session, _persons(origins, faces.MACHINE))


def _persons(origins: Mapping[uuid.UUID, LocatedFace], by: str) -> dict[uuid.UUID, uuid.UUID]:
    return {
        new: old.person_id
        for new, old in origins.items()
        if old.person_id is not None and old.assigned_by == by
    }


def successor_faces(old: Sequence[LocatedFace], new: Sequence[LocatedFace]) -> dict[uuid.UUID, LocatedFace]:
    """For faces of the new photo without a person: the named face of the old one in the same place."""
    named = [face for face in old if face.person_id is not None]
    pairs = sorted(
        ((overlap(a.box, b.box), a, b) for a in named for b in new if b.person_id is None),
        key=lambda pair: -pair[0],
    )
    origins: dict[uuid.UUID, LocatedFace] = {}
    taken: set[uuid.UUID] = set()
    for share, a, b in pairs:
        if share >= SAME_PLACE and a.id not in taken and b.id not in origins:
            origins[b.id] = a
            taken.add(a.id)
    return origins


def overlap(a: Box, b: Box) -> float:
    """Intersection over union of two boxes, 0 to 1."""
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (a.width * a.height + b.width * b.height - common)
