"""The present value of facts in the tables: read and written for many facts at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Exists, Update, select, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import FACE_FACTS, Change, Fact, Key, human_value
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries import clusters, differences, faces, forgotten, lost_faces, prepared
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.decisions import current_faces, current_persons
from image_search_service.db.queries.decisions.current_values import Values
from image_search_service.db.queries.suggestion_states import REJECTED, expire_apart


def current(session: Session, keys: Iterable[Key]) -> Values:
    """The value of each fact, as JSON: a few statements for each ``BATCH`` of faces or persons."""
    values: Values = {}
    by_reader: dict[_Reader, list[Key]] = {}
    for key in keys:
        by_reader.setdefault(_READERS[key.fact], []).append(key)
    for read, of_reader in by_reader.items():
        for part in _by_subject(of_reader):
            values |= read(session, part)
    return values


def _by_subject(keys: Sequence[Key]) -> Iterator[list[Key]]:
    """The facts of at most ``BATCH`` faces or persons at a time."""
    of_subject: dict[uuid.UUID, list[Key]] = {}
    for key in keys:
        of_subject.setdefault(key.id, []).append(key)
    for part in chunks(of_subject.values(), BATCH):
        yield [key for of_one in part for key in of_one]


def write(session: Session, changes: Sequence[Change]) -> None:
    """Give each fact its new value, and update what depends on it: clusters, suggestions and the outbox."""
    created = current_persons.create(session, changes)
    changes = [change for change in changes if not _is_created(change, created)]
    of_faces = sorted({change.key.id for change in changes if change.key.fact in FACE_FACTS})
    before = clusters.clusters_of_faces(session, of_faces)
    for fact, of_kind in _by_fact(changes, lambda change: change.key.fact).items():
        _WRITERS[fact](session, of_kind)
    touched = sorted({change.key.id for change in changes if change.key.fact in _PLACING})
    named = _named(changes)
    for part in chunks(touched, BATCH):
        _settle(session, part, named)
    came_or_went = {deletion.key.id for deletion in changes if deletion.key.fact is Fact.PERSON_GONE}
    for part in chunks(sorted(came_or_went), BATCH):
        prepared.run(session, _FREE_OF_NOBODY, {"ids": part})
        current_faces.settle_suggestions_of_persons(session, part)
    unnamed = [face for face in of_faces if face not in named]
    clusters.mend_clusters(session, before | clusters.clusters_of_faces(session, unnamed))


def _is_created(change: Change, persons: Container[uuid.UUID]) -> bool:
    """Whether it is written with the rows of persons who are new, of whom nothing can be settled yet."""
    return change.key.fact in current_persons.CREATING and change.key.id in persons


def _named(changes: Sequence[Change]) -> set[uuid.UUID]:
    """Faces that a human has just given to somebody: they are in no cluster, and no guess is left of them."""
    return {
        change.key.id
        for change in changes
        if change.key.fact is Fact.FACE_PERSON and human_value(change.key, change.new)
    }


def _settle(session: Session, face_ids: Sequence[uuid.UUID], named: Container[uuid.UUID]) -> None:
    """Update what depends on the persons of at most ``BATCH`` faces."""
    unnamed = [face for face in face_ids if face not in named]
    if unnamed:
        prepared.run(session, _FREE_CONTRADICTED, {"ids": unnamed})
    current_faces.settle_suggestions_of_faces(session, face_ids)
    if unnamed:
        current_faces.settle_groups(session, unnamed)
        current_faces.part_set_aside(session, unnamed)
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
    prepared.among(FaceInstance.id)
    & (
        _is_rejected()
        | _is_of_nobody()
        | FaceInstance.group_id.is_not(None)
        | ~FaceInstance.is_face
        | FaceInstance.set_aside
    )
)
_FREE_OF_NOBODY = _freeing(prepared.among(FaceInstance.person_id) & _is_of_nobody())


_Reader = Callable[[Session, Sequence[Key]], Values]
_READERS: dict[Fact, _Reader] = {
    **dict.fromkeys(current_persons.PERSON_VALUES, current_persons.read_persons),
    Fact.DIFFERENT: current_persons.read_different,
    **dict.fromkeys(current_faces.FACE_VALUES, current_faces.read_faces),
    Fact.REJECTED: current_faces.read_rejected,
    Fact.PINNED: current_faces.read_pinned,
    Fact.APART: differences.read_sides,
    Fact.LOSS_ANSWERED: lost_faces.read_answered,
    Fact.PHOTO_FORGOTTEN: forgotten.read_forgotten,
}
"""What reads each kind of fact; facts of one row are read together."""
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
