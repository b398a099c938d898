"""The present value of facts in the tables: read and written for many facts at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Exists, Update, select, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import FACE_FACTS, Change, Fact, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries import clusters, differences, faces, forgotten, lost_faces, prepared
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
    """Give each fact its new value, and update what depends on it: clusters, suggestions and the outbox."""
    of_faces = sorted({change.key.id for change in changes if change.key.fact in FACE_FACTS})
    before = clusters.clusters_of_faces(session, of_faces)
    for fact, of_kind in _by_fact(changes, lambda change: change.key.fact).items():
        _WRITERS[fact](session, of_kind)
    touched = sorted({change.key.id for change in changes if change.key.fact in _PLACING})
    for part in chunks(touched, BATCH):
        _settle(session, part)
    came_or_went = {deletion.key.id for deletion in changes if deletion.key.fact is Fact.PERSON_GONE}
    for part in chunks(sorted(came_or_went), BATCH):
        prepared.run(session, _FREE_OF_NOBODY, {"ids": part})
        current_faces.settle_suggestions_of_persons(session, part)
    clusters.mend_clusters(session, before | clusters.clusters_of_faces(session, of_faces))


def _settle(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Update what depends on the persons of at most ``BATCH`` faces."""
    prepared.run(session, _FREE_CONTRADICTED, {"ids": face_ids})
    current_faces.settle_suggestions_of_faces(session, face_ids)
    current_faces.settle_groups(session, face_ids)
    current_faces.part_set_aside(session, face_ids)
    _keep_apart(session, differences.faces_with_side(session, face_ids))


def _by_fact(items: Iterable[Any], fact_of: Callable[[Any], Fact]) -> dict[Fact, list[Any]]:
    """Items by fact, in the order of the writers: a person must exist before a face is assigned to them."""
    grouped: dict[Fact, list[Any]] = {}
    for item in items:
        grouped.setdefault(fact_of(item), []).append(item)
    return {fact: grouped[fact] for fact in _WRITERS if fact in grouped}


def _is_rejected() -> Exists:
    """Whether a face is rejected for the person it is assigned to."""
    return (
        select(FaceSuggestion.id)
        .where(
            FaceSuggestion.face_instance_id == FaceInstance.id,
            FaceSuggestion.person_id == FaceInstance.person_id,
            FaceSuggestion.state == REJECTED,
        )
        .exists()
    )


def contradicting_facts(session: Session, face_ids: Sequence[uuid.UUID]) -> set[Key]:
    """Facts that contradict each other: a face that a human assigned to a person and also put into a group,
    rejected for that person, marked as not a face, or set aside. One statement for each ``BATCH``."""
    keys: set[Key] = set()
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
            keys |= {Key(fact, face) for fact in _EXCLUSIVE}
            keys.add(Key(Fact.REJECTED, face, person))
    return keys


def _is_of_nobody() -> Exists:
    """Whether a face belongs to a person who was since merged or deleted."""
    return select(PersonRow.id).where(PersonRow.id == FaceInstance.person_id, PersonRow.deleted).exists()


def _keep_apart(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Separate faces marked as of different people where a job has put, or would put, them together."""
    if not face_ids:
        return
    differences.leave_clusters(session, face_ids)
    session.execute(_freeing(differences.is_with_other_side(face_ids)))
    expire_apart(session, face_ids)


def _freeing(condition: ColumnElement[bool]) -> Update:
    """Faces that the machine assigned and that a decision contradicts have no person any more."""
    return (
        update(FaceInstance)
        .where(FaceInstance.assigned_by == faces.MACHINE, condition)
        .values(person_id=None, assigned_by=None, payload_version=FaceInstance.payload_version + 1)
        .execution_options(synchronize_session=False)
    )


_FREE_CONTRADICTED = _freeing(
    FaceInstance.id.in_(prepared.ids())
    & (
        _is_rejected()
        | _is_of_nobody()
        | FaceInstance.group_id.is_not(None)
        | ~FaceInstance.is_face
        | FaceInstance.set_aside
    )
)
_FREE_OF_NOBODY = _freeing(FaceInstance.person_id.in_(prepared.ids()) & _is_of_nobody())


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
    Fact.LOSS_ANSWERED: lambda session, _fact, keys: lost_faces.read_answered(session, keys),
    Fact.PHOTO_FORGOTTEN: lambda session, _fact, keys: forgotten.read_forgotten(session, keys),
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
    Fact.LOSS_ANSWERED: lost_faces.write_answered,
    Fact.PHOTO_FORGOTTEN: forgotten.write_forgotten,
}
"""In this order: a person must exist before a face is assigned to them."""


_EXCLUSIVE = (Fact.FACE_PERSON, Fact.FACE_GROUP, Fact.FACE_IS_FACE, Fact.FACE_SET_ASIDE)
"""Facts that exclude each other: at most one of them says where a face is."""
_PLACING = (*_EXCLUSIVE, Fact.REJECTED, Fact.APART)
"""Facts that say with which person or group a face belongs."""
