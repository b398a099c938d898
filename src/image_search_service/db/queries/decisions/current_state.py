"""The present state of what humans have said: read and written fact by fact, many at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Exists, select, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import PERSON_FACTS, Change, Fact, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries import clusters, differences, faces
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.decisions import current_faces, current_persons
from image_search_service.db.queries.decisions.current_values import Values
from image_search_service.db.queries.suggestion_states import REJECTED, expire_apart


def current(session: Session, keys: Iterable[Key]) -> Values:
    """The value of each fact, as JSON: a few statements for each ``BATCH`` of facts of a kind."""
    values: Values = {}
    for fact, of_kind in _by_fact(keys, lambda key: key.fact).items():
        for part in chunks(of_kind, BATCH):
            values |= _READERS[fact](session, fact, part)
    return values


def write(session: Session, changes: Sequence[Change]) -> None:
    """Give each fact its new value, with what follows: clusters, suggestions, what Qdrant is to be told."""
    of_faces = sorted({change.key.id for change in changes if change.key.fact not in PERSON_FACTS})
    before = clusters.clusters_of_faces(session, of_faces)
    for fact, of_kind in _by_fact(changes, lambda change: change.key.fact).items():
        _WRITERS[fact](session, of_kind)
    touched = sorted({change.key.id for change in changes if change.key.fact in _PLACING})
    for part in chunks(touched, BATCH):
        _settle(session, part)
    came_or_went = {one.key.id for one in changes if one.key.fact is Fact.PERSON_GONE}
    for part in chunks(sorted(came_or_went), BATCH):
        _free_guesses(session, FaceInstance.person_id.in_(part) & _is_of_nobody())
        current_faces.settle_suggestions(session, FaceSuggestion.person_id.in_(part))
    clusters.mend_clusters(session, before | clusters.clusters_of_faces(session, of_faces))


def _settle(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """What follows for at most ``BATCH`` faces when it is known whose they are."""
    elsewhere = FaceInstance.group_id.is_not(None) | ~FaceInstance.is_face | FaceInstance.set_aside
    contradicted = _is_rejected() | _is_of_nobody() | elsewhere
    _free_guesses(session, FaceInstance.id.in_(face_ids) & contradicted)
    current_faces.settle_suggestions(session, FaceSuggestion.face_instance_id.in_(face_ids))
    current_faces.settle_groups(session, face_ids)
    current_faces.part_set_aside(session, face_ids)
    _keep_apart(session, differences.faces_with_side(session, face_ids))


def _by_fact(items: Iterable[Any], fact_of: Callable[[Any], Fact]) -> dict[Fact, list[Any]]:
    """In the order of ``Fact``'s writers: a person has to be there before a face is theirs."""
    grouped: dict[Fact, list[Any]] = {}
    for item in items:
        grouped.setdefault(fact_of(item), []).append(item)
    return {fact: grouped[fact] for fact in _WRITERS if fact in grouped}


def _is_rejected() -> Exists:
    """Whether a face is rejected for whom it belongs to."""
    return (
        select(FaceSuggestion.id)
        .where(
            FaceSuggestion.face_instance_id == FaceInstance.id,
            FaceSuggestion.person_id == FaceInstance.person_id,
            FaceSuggestion.state == REJECTED,
        )
        .exists()
    )


def at_odds(session: Session, face_ids: Sequence[uuid.UUID]) -> set[Key]:
    """Facts that cannot hold together: of faces that a human gave to a person and put into a group, or for
    whom they are rejected, or that are none or set aside and placed all the same. A statement for each
    ``BATCH``."""
    found: set[Key] = set()
    named = FaceInstance.assigned_by == faces.HUMAN
    grouped = FaceInstance.group_id.is_not(None)
    for part in chunks(face_ids, BATCH):
        rows = session.execute(
            select(FaceInstance.id, FaceInstance.person_id).where(
                FaceInstance.id.in_(part),
                (named & (_is_rejected() | grouped))
                | ((~FaceInstance.is_face | FaceInstance.set_aside) & (named | grouped))
                | (~FaceInstance.is_face & FaceInstance.set_aside),
            )
        )
        for face, person in rows:
            found |= {Key(fact, face) for fact in _EXCLUSIVE}
            found.add(Key(Fact.REJECTED, face, person))
    return found


def _is_of_nobody() -> Exists:
    """Whether a face belongs to somebody who was merged or taken back since."""
    return select(PersonRow.id).where(PersonRow.id == FaceInstance.person_id, PersonRow.deleted).exists()


def _keep_apart(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """What the machine put together, or would, of faces that were said to be of different people."""
    if not face_ids:
        return
    differences.leave_clusters(session, face_ids)
    _free_guesses(session, differences.is_with_other_side(face_ids))
    expire_apart(session, face_ids)


def _free_guesses(session: Session, condition: ColumnElement[bool]) -> None:
    """What the machine gave to somebody and a decision contradicts is nobody's again."""
    session.execute(
        update(FaceInstance)
        .where(FaceInstance.assigned_by == faces.MACHINE, condition)
        .values(person_id=None, assigned_by=None, payload_version=FaceInstance.payload_version + 1)
        .execution_options(synchronize_session=False)
    )


_READERS: dict[Fact, Callable[[Session, Fact, Sequence[Key]], Values]] = {
    **dict.fromkeys(current_persons.PERSON_VALUES, current_persons.read_person),
    Fact.DIFFERENT: current_persons.read_different,
    Fact.FACE_PERSON: current_faces.read_face_person,
    Fact.FACE_GROUP: current_faces.read_face_group,
    Fact.FACE_IS_FACE: current_faces.read_is_face,
    Fact.FACE_SET_ASIDE: current_faces.read_set_aside,
    Fact.REJECTED: current_faces.read_rejected,
    Fact.PINNED: current_faces.read_pinned,
    Fact.APART: lambda session, _fact, keys: differences.read_sides(session, keys),
}
_WRITERS: dict[Fact, Callable[[Session, Sequence[Change]], None]] = {
    **current_persons.WRITERS,
    Fact.DIFFERENT: current_persons.write_different,
    Fact.FACE_IS_FACE: current_faces.write_is_face,
    Fact.FACE_PERSON: current_faces.write_face_person,
    Fact.FACE_GROUP: current_faces.write_face_group,
    Fact.FACE_SET_ASIDE: current_faces.write_set_aside,
    Fact.REJECTED: current_faces.write_rejected,
    Fact.PINNED: current_faces.write_pinned,
    Fact.APART: differences.write_sides,
}
"""In this order: a person is there before a face is theirs."""


_EXCLUSIVE = (Fact.FACE_PERSON, Fact.FACE_GROUP, Fact.FACE_IS_FACE, Fact.FACE_SET_ASIDE)
"""Facts of which one says where a face is, and the others then say nothing."""
_PLACING = (*_EXCLUSIVE, Fact.REJECTED, Fact.APART)
"""Facts about with whom a face belongs."""
