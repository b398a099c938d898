"""Carries what was said of faces from a photo to the one that its file holds now.

It is done when a run has seen all files. What was said goes to the faces that ``same_faces.py`` found again.
A name whose photo no file holds any more, and whose face was not found, is kept as lost
(``db/queries/lost_faces.py``) until a human answers.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.core.decisions import Fact, Key, NameOrigin, named_by
from image_search_service.db.queries import (
    clusters,
    face_moves,
    faces,
    faces_with_decisions,
    library,
    lost_faces,
    persons,
    photos,
    said_in_files,
)
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.db.queries.faces_with_decisions import DecidedFace
from image_search_service.db.session import Session
from image_search_service.services.decisions.log import DecisionDraft, decide
from image_search_service.services.indexing.drawing import DrawnFaces
from image_search_service.services.indexing.same_faces import ChangedFile, FoundFaces, SameFace

NOTHING_SAID: Mapping[Fact, Any] = {
    Fact.FACE_PERSON: {"person": None, "by": None},
    Fact.FACE_GROUP: {"group": None},
    Fact.FACE_IS_FACE: True,
    Fact.FACE_SET_ASIDE: {"aside": False},
    Fact.REJECTED: False,
    Fact.PINNED: False,
    Fact.APART: None,
}


@dataclass(slots=True)
class Carried:
    """What became of the names of changed files. kept: names that humans gave, carried over. lost: those that
    have no face any more. decision: what carried them over."""

    kept: int = 0
    lost: int = 0
    decision: int | None = None


@dataclass(slots=True)
class _Plan:
    """facts: what is said of present faces. kept: former faces whose names are. sources: the face that each
    present face inherits from. found: losses that are none any more."""

    facts: dict[Key, Any] = field(default_factory=dict)
    kept: set[uuid.UUID] = field(default_factory=set)
    sources: dict[uuid.UUID, DecidedFace] = field(default_factory=dict)
    found: list[uuid.UUID] = field(default_factory=list)


def carry_over(session: Session, changes: Sequence[ChangedFile], found: FoundFaces) -> Carried:
    """Carry over what was said, as one decision. The rows of the files say already what they hold now.

    A former photo that another file still holds keeps what was said of it, too. What was said of a present
    face while it could be seen stands. A fixed number of statements for each 500 photos.
    """
    former, present = ({change.former for change in changes}, {change.present for change in changes})
    returned = faces.replaced_among(session, sorted(present))
    before = faces.replaced_among(session, sorted(former))
    photos.update_replaced(session, [*former, *present])
    gone = faces.replaced_among(session, sorted(former))
    if gone != before or returned:
        library.set_grouping_stale(session)
    unseen = {face.id for of in faces.located_faces(session, sorted(returned)).values() for face in of}
    drawn = _store_drawn(session, found.drawn)
    located = faces.located_faces(session, sorted(former | present))
    plan = _planned(session, found.same, unseen | drawn)
    plan.facts |= {Key(Fact.FACE_IS_FACE, face): True for face in drawn & plan.sources.keys()}
    _take_covers(session, plan, {face.id for photo in gone for face in located.get(photo, [])})
    made = decide(session, DecisionDraft("photo_edited", "index", plan.facts))
    said_in_files.copy_seen(session, {face: source.id for face, source in plan.sources.items()})
    face_moves.assign_persons(session, _guesses(plan, located))
    _leave_clusters(session, [face for photo in gone for face in located.get(photo, [])])
    lost_faces.forget_lost_faces(session, plan.found)
    lost = _lose(session, changes, gone, located, plan.kept)
    return Carried(len(plan.kept), lost, made.id)


def _store_drawn(session: Session, drawn: Sequence[DrawnFaces]) -> set[uuid.UUID]:
    """Store the rows of faces by hand; they are no faces before the decision says that they are."""
    positions = photos.next_positions(session, sorted({each.photo.id for each in drawn}))
    rows = [row for each in drawn for row in each.rows(positions[each.photo.id])]
    photos.save_faces(session, rows)
    return {row["id"] for row in rows}


def _planned(session: Session, same: Sequence[SameFace], returned: set[uuid.UUID]) -> _Plan:
    """returned: present faces whose photo no file held until now."""
    plan = _Plan()
    ids = sorted({id_ for pair in same for id_ in (pair.former, pair.present)})
    decided = {face.id: face for face in faces_with_decisions.decided_faces_by_id(session, ids)}
    for pair in same:
        source, target = decided.get(pair.former), decided.get(pair.present)
        if source is None or target is None:
            continue
        earlier = plan.sources.get(target.id)
        contradicts = source.contradicts(target)
        if earlier is None and (target.id in returned or not contradicts):
            plan.sources[target.id] = source
            if contradicts:  # nobody has seen it since; what was said later was said of its successor
                plan.facts |= {key: NOTHING_SAID[key.fact] for key in _facts(target, target.id)}
            plan.facts |= _facts(source, target.id)
            is_kept = source.person_id is not None
        else:
            standing = target if earlier is None else earlier
            is_kept = source.person_id is not None and standing.person_id == source.person_id
        if is_kept:
            plan.kept.add(source.id)
        if is_kept and pair.loss_id is not None:
            plan.found.append(pair.loss_id)
    return plan


def _facts(decided: DecidedFace, face: uuid.UUID) -> dict[Key, Any]:
    """What was decided about a face, as facts about ``face``."""
    facts: dict[Key, Any] = {}
    if decided.person_id is not None:
        # what was read from a file goes on following it
        is_read = decided.name_origin is NameOrigin.METADATA
        origin = NameOrigin.METADATA if is_read else NameOrigin.CARRIED_OVER
        facts[Key(Fact.FACE_PERSON, face)] = named_by(decided.person_id, origin)
    if decided.group_id is not None:
        facts[Key(Fact.FACE_GROUP, face)] = {"group": str(decided.group_id)}
    if not decided.is_face:
        facts[Key(Fact.FACE_IS_FACE, face)] = False
    if decided.set_aside:
        facts[Key(Fact.FACE_SET_ASIDE, face)] = {"aside": True}
    facts |= {Key(Fact.REJECTED, face, person): True for person in decided.rejected_for}
    facts |= {Key(Fact.PINNED, face, person): True for person in decided.pinned_for}
    return facts | {Key(Fact.APART, face, key): side for key, side in decided.apart.items()}


def _take_covers(session: Session, plan: _Plan, gone: set[uuid.UUID]) -> None:
    """Let persons be shown by the successor of a face that is gone."""
    successor = {source.id: face for face, source in plan.sources.items() if source.id in gone}
    for person_id, cover in persons.persons_shown_by(session, list(successor)).items():
        plan.facts[Key(Fact.PERSON_COVER, person_id)] = str(successor[cover])


def _guesses(plan: _Plan, located: Mapping[uuid.UUID, Sequence[LocatedFace]]) -> dict[uuid.UUID, uuid.UUID]:
    """The persons whom the machine gave to former faces, for their successors."""
    guessed = {
        face.id: face.person_id
        for of_photo in located.values()
        for face in of_photo
        if face.assigned_by == faces.MACHINE and face.person_id is not None
    }
    return {
        face: guessed[source.id]
        for face, source in plan.sources.items()
        if source.id in guessed and Key(Fact.REJECTED, face, guessed[source.id]) not in plan.facts
    }


def _leave_clusters(session: Session, gone: Sequence[LocatedFace]) -> None:
    """Take faces that are gone out of clusters: no grouping would move them, and they would be counted."""
    ids = [face.id for face in gone]
    before = clusters.clusters_of_faces(session, ids)
    face_moves.set_clusters(session, dict.fromkeys(ids))
    clusters.mend_clusters(session, before)


def _lose(
    session: Session,
    changes: Sequence[ChangedFile],
    gone: set[uuid.UUID],
    located: Mapping[uuid.UUID, Sequence[LocatedFace]],
    kept: set[uuid.UUID],
) -> int:
    """Keep the names of photos that are gone and were not carried over; returns how many."""
    path_of = {change.former: change.path for change in reversed(changes) if change.former in gone}
    path_ids = photos.path_ids(session, list(path_of.values()))
    lost = [
        (face.id, path_ids[path])
        for photo, path in path_of.items()
        for face in located.get(photo, [])
        if face.assigned_by == faces.HUMAN and face.id not in kept
    ]
    lost_faces.save_lost_faces(session, lost)
    return len(lost)
