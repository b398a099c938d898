"""Keeps names when a photo is edited in place, which makes it a new photo at an old path.

A program that writes a tag or crops a border changes the file's content. Decisions about its faces (names,
rejections, pins, not a face) are transferred to the new content's faces at the same places.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from image_search_service.core.decisions import Fact, Key
from image_search_service.db.queries import clusters, faces, faces_with_decisions
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.db.session import Session
from image_search_service.recognition.boxes import SAME_PLACE, overlap
from image_search_service.services.decisions.log import DecisionDraft, decide


def transfer_names(session: Session, successors: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Transfer the decisions about the faces of each replaced photo to the faces of its successor.

    successors: the photo that a file held before, and the one it holds now. Photos that still have another
    file keep their faces, and nothing is transferred.
    """
    replaced = faces.replaced_among(session, list(successors))
    pairs = {old: new for old, new in successors.items() if old in replaced}
    if not pairs:
        return
    located = faces.located_faces(session, [*pairs.keys(), *pairs.values()])
    origins: dict[uuid.UUID, LocatedFace] = {}
    for old, new in pairs.items():
        origins |= successor_faces(located.get(old, []), located.get(new, []))
    decide(session, DecisionDraft("photo_edited", "index", _transferred_facts(session, origins)))
    faces.assign_persons(session, _persons(origins, faces.MACHINE))
    _leave_clusters(session, [face for old in pairs for face in located.get(old, [])])


def _leave_clusters(session: Session, replaced: Sequence[LocatedFace]) -> None:
    """Take faces of replaced photos out of clusters: no grouping would move them, and they would be
    counted."""
    ids = [face.id for face in replaced]
    before = clusters.clusters_of_faces(session, ids)
    faces.set_clusters(session, dict.fromkeys(ids))
    clusters.mend_clusters(session, before)


def _transferred_facts(session: Session, origins: Mapping[uuid.UUID, LocatedFace]) -> dict[Key, Any]:
    """The decided facts of the former faces, for the new faces at their places."""
    successor = {old.id: new for new, old in origins.items()}
    facts: dict[Key, Any] = {}
    for decided in faces_with_decisions.decided_faces_by_id(session, list(successor)):
        face = successor[decided.id]
        if decided.person_id is not None:
            facts[Key(Fact.FACE_PERSON, face)] = {"person": str(decided.person_id), "by": faces.HUMAN}
        if decided.group_id is not None:
            facts[Key(Fact.FACE_GROUP, face)] = {"group": str(decided.group_id)}
        if not decided.is_face:
            facts[Key(Fact.FACE_IS_FACE, face)] = False
        if decided.set_aside:
            facts[Key(Fact.FACE_SET_ASIDE, face)] = {"aside": True}
        facts |= {Key(Fact.REJECTED, face, person): True for person in decided.rejected_for}
        facts |= {Key(Fact.PINNED, face, person): True for person in decided.pinned_for}
        facts |= {Key(Fact.APART, face, key): side for key, side in decided.apart.items()}
    return facts


def _persons(origins: Mapping[uuid.UUID, LocatedFace], by: str) -> dict[uuid.UUID, uuid.UUID]:
    return {
        new: old.person_id
        for new, old in origins.items()
        if old.person_id is not None and old.assigned_by == by
    }


def successor_faces(old: Sequence[LocatedFace], new: Sequence[LocatedFace]) -> dict[uuid.UUID, LocatedFace]:
    """For faces of the new photo without a person: the face of the old one in the same place."""
    pairs = sorted(
        ((overlap(a.box, b.box), a, b) for a in old for b in new if b.person_id is None),
        key=lambda pair: -pair[0],
    )
    origins: dict[uuid.UUID, LocatedFace] = {}
    taken: set[uuid.UUID] = set()
    for share, a, b in pairs:
        if share >= SAME_PLACE and a.id not in taken and b.id not in origins:
            origins[b.id] = a
            taken.add(a.id)
    return origins
