"""The present state of what humans have said: read and written fact by fact, many at a time."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Exists, and_, case, delete, select, true, tuple_, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Change, Fact, Key
from image_search_service.core.names import name_key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    Cluster,
    DecisionChange,
    FaceDifference,
    FaceInstance,
    FaceSuggestion,
    Person,
    PersonDifference,
    PersonPrototype,
)
from image_search_service.db.queries import apart, clusters, faces
from image_search_service.db.queries.batches import BATCH, insert_rows, upsert_rows
from image_search_service.db.queries.suggestions import (
    ACCEPTED,
    PENDING,
    REJECTED,
    SUPERSEDED,
    expire_apart,
)

Values = dict[Key, Any]
BY_HAND = "decision"
"""The source of a rejection that no suggestion came before."""


def current(session: Session, keys: Iterable[Key]) -> Values:
    """The value of each fact, as JSON: a few statements for each ``BATCH`` of facts of a kind."""
    values: Values = {}
    for fact, of_kind in _by_fact(keys, lambda key: key.fact).items():
        for part in chunks(of_kind, BATCH):
            values |= _READERS[fact](session, fact, part)
    return values


def write(session: Session, changes: Sequence[Change]) -> None:
    """Give each fact its new value, with what follows: clusters, suggestions, what Qdrant is to be told."""
    for fact, of_kind in _by_fact(changes, lambda change: change.key.fact).items():
        _WRITERS[fact](session, of_kind)
    touched = sorted({change.key.id for change in changes if change.key.fact in _PLACING})
    came_or_went = sorted({one.key.id for one in changes if one.key.fact is Fact.PERSON_GONE})
    for part in chunks(touched, BATCH):
        wrong = _is_rejected() | _is_of_nobody() | ~FaceInstance.is_face
        _free_guesses(session, FaceInstance.id.in_(part) & wrong)
        _settle_suggestions(session, FaceSuggestion.face_instance_id.in_(part))
        _keep_apart(session, apart.faces_with_side(session, part))
    for part in chunks(came_or_went, BATCH):
        _free_guesses(session, FaceInstance.person_id.in_(part) & _is_of_nobody())
        _settle_suggestions(session, FaceSuggestion.person_id.in_(part))
    if any(change.key.fact in _MOVING for change in changes):
        clusters.mend_clusters(session)


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
    """Facts that cannot hold together: of faces that a human gave to a person for whom they are rejected, or
    that are none. A statement for each ``BATCH``."""
    found: set[Key] = set()
    for part in chunks(face_ids, BATCH):
        rows = session.execute(
            select(FaceInstance.id, FaceInstance.person_id).where(
                FaceInstance.id.in_(part),
                FaceInstance.assigned_by == faces.HUMAN,
                _is_rejected() | ~FaceInstance.is_face,
            )
        )
        for face, person in rows:
            found |= {Key(Fact.FACE_PERSON, face), Key(Fact.FACE_IS_FACE, face)}
            found.add(Key(Fact.REJECTED, face, person))
    return found


def _is_of_nobody() -> Exists:
    """Whether a face belongs to somebody who was merged or taken back since."""
    return select(Person.id).where(Person.id == FaceInstance.person_id, Person.gone).exists()


def _keep_apart(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """What the machine put together, or would, of faces that were said to be of different people."""
    if not face_ids:
        return
    apart.leave_clusters(session, face_ids)
    _free_guesses(session, apart.is_with_other_side(face_ids))
    expire_apart(session, face_ids)


def _free_guesses(session: Session, condition: ColumnElement[bool]) -> None:
    """What the machine gave to somebody and a decision contradicts is nobody's again."""
    session.execute(
        update(FaceInstance)
        .where(FaceInstance.assigned_by == faces.MACHINE, condition)
        .values(person_id=None, assigned_by=None, payload_version=FaceInstance.payload_version + 1)
        .execution_options(synchronize_session=False)
    )


# Facts about a face


def _read_face_person(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.person_id, FaceInstance.assigned_by, FaceInstance.cluster_id)
        .where(FaceInstance.id.in_([key.id for key in keys]))
        .with_for_update()
    )
    return {
        Key(Fact.FACE_PERSON, face): {"person": _text(person), "by": by, "cluster": _text(cluster)}
        for face, person, by, cluster in rows
    }


def _write_face_person(session: Session, changes: Sequence[Change]) -> None:
    given: dict[str, dict[uuid.UUID, uuid.UUID]] = {faces.HUMAN: {}, faces.MACHINE: {}}
    free: dict[uuid.UUID, uuid.UUID | None] = {}
    for change in changes:
        value = change.new or {}
        if value.get("person"):
            given[value["by"]][change.key.id] = uuid.UUID(value["person"])
        else:
            free[change.key.id] = _uuid(value.get("cluster"))
    there = clusters.existing_clusters(session, set(free.values()))
    free = {face: cluster if cluster in there else None for face, cluster in free.items()}
    faces.set_persons(session, given[faces.HUMAN])
    faces.set_free(session, free | dict.fromkeys(given[faces.MACHINE]))
    faces.assign_persons(session, given[faces.MACHINE])


def restore_clusters(session: Session, rows: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    """Clusters that an undone decision had taken faces out of; these come back to them after this."""
    upsert_rows(
        session,
        Cluster,
        [
            {
                "id": cluster_id,
                "size": 0,
                "confidence": row["confidence"],
                "representative_face_id": uuid.UUID(row["representative_face_id"]),
            }
            for cluster_id, row in rows.items()
        ],
        key=["id"],
        update=["representative_face_id"],
    )


def _read_is_face(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.is_face).where(FaceInstance.id.in_([key.id for key in keys]))
    )
    return {Key(Fact.FACE_IS_FACE, face): is_face for face, is_face in rows}


def _write_is_face(session: Session, changes: Sequence[Change]) -> None:
    for value in (True, False):
        for part in chunks((change.key.id for change in changes if change.new is value), BATCH):
            session.execute(update(FaceInstance).where(FaceInstance.id.in_(part)).values(is_face=value))
    none = [change.key.id for change in changes if change.new is False]
    faces.set_clusters(session, dict.fromkeys(none))


# Facts about a face and a person


def _read_rejected(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    there = select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
        FaceSuggestion.state == REJECTED,
        FaceSuggestion.face_instance_id.in_({key.id for key in keys}),
        FaceSuggestion.person_id.in_({key.other for key in keys}),
    )
    return _are_there(session.execute(there), keys)


def _write_rejected(session: Session, changes: Sequence[Change]) -> None:
    """A rejection is the suggestion's state; where nothing had been suggested a row is made for it."""
    said = [change.key for change in changes if change.new]
    pair = tuple_(FaceSuggestion.face_instance_id, FaceSuggestion.person_id)
    for part in chunks(said, BATCH):
        pairs = [(key.id, key.other) for key in part]
        open_rows = FaceSuggestion.state.in_((PENDING, ACCEPTED, SUPERSEDED))
        changed = session.execute(
            update(FaceSuggestion)
            .where(pair.in_(pairs), open_rows)
            .values(state=REJECTED)
            .returning(FaceSuggestion.face_instance_id, FaceSuggestion.person_id)
            .execution_options(synchronize_session=False)
        )
        had = {(row[0], row[1]) for row in changed}
        insert_rows(
            session, FaceSuggestion, [_rejection(key) for key in part if (key.id, key.other) not in had]
        )
    taken_back = [change.key for change in changes if not change.new]
    for part in chunks(taken_back, BATCH):
        pairs = [(key.id, key.other) for key in part]
        rejected = (pair.in_(pairs), FaceSuggestion.state == REJECTED)
        session.execute(
            delete(FaceSuggestion)
            .where(*rejected, FaceSuggestion.source == BY_HAND)
            .execution_options(synchronize_session=False)
        )
        session.execute(
            update(FaceSuggestion)
            .where(*rejected)
            .values(state=PENDING)
            .execution_options(synchronize_session=False)
        )


def _rejection(key: Key) -> dict[str, Any]:
    return {
        "id": uuid.uuid4(),
        "face_instance_id": key.id,
        "person_id": key.other,
        "state": REJECTED,
        "confidence": 0.0,
        "source": BY_HAND,
        "evidence": [],
    }


def _settle_suggestions(session: Session, condition: ColumnElement[bool]) -> None:
    """What was suggested is accepted, superseded or waits, by whose the faces are now, whether they are any,
    and whether the persons are there."""
    face, person = FaceInstance.id == FaceSuggestion.face_instance_id, Person.id == FaceSuggestion.person_id
    owner = select(FaceInstance.person_id).where(face).scalar_subquery()
    cannot_be = (
        select(FaceInstance.id).where(face, ~FaceInstance.is_face).exists()
        | select(Person.id).where(person, Person.gone).exists()
    )
    settled = case(
        (owner == FaceSuggestion.person_id, ACCEPTED),
        (owner.is_not(None) | cannot_be, SUPERSEDED),
        else_=PENDING,
    )
    session.execute(
        update(FaceSuggestion)
        .where(
            condition,
            FaceSuggestion.state.in_((PENDING, ACCEPTED, SUPERSEDED)),
            FaceSuggestion.state != settled,
        )
        .values(state=settled)
        .execution_options(synchronize_session=False)
    )


def _read_pinned(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    there = select(PersonPrototype.face_instance_id, PersonPrototype.person_id).where(
        PersonPrototype.pinned,
        PersonPrototype.face_instance_id.in_({key.id for key in keys}),
        PersonPrototype.person_id.in_({key.other for key in keys}),
    )
    return _are_there(session.execute(there), keys)


def _write_pinned(session: Session, changes: Sequence[Change]) -> None:
    rows = [
        {
            "id": uuid.uuid4(),
            "person_id": change.key.other,
            "face_instance_id": change.key.id,
            "role": "exemplar",
            "pinned": bool(change.new),
        }
        for change in changes
    ]
    upsert_rows(session, PersonPrototype, rows, key=["person_id", "face_instance_id"], update=["pinned"])


# Facts about persons


def _read_person(session: Session, fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.scalars(select(Person).where(Person.id.in_([key.id for key in keys])))
    there = {person.id: person for person in rows}
    missing = True if fact is Fact.PERSON_GONE else None
    return {key: _PERSON_VALUES[fact](there[key.id]) if key.id in there else missing for key in keys}


_PERSON_VALUES: dict[Fact, Callable[[Person], Any]] = {
    Fact.PERSON_NAME: lambda person: None if person.gone and not person.merged_into else person.name,
    Fact.PERSON_GONE: lambda person: _text(person.merged_into) or person.gone,
    Fact.PERSON_HIDDEN: lambda person: person.hidden,
    Fact.PERSON_BIRTH: lambda person: None if person.birth_date is None else person.birth_date.isoformat(),
    Fact.PERSON_COVER: lambda person: _text(person.cover_face_id),
}


def _write_person(columns_of: Callable[[Any], dict[str, Any]]) -> Callable[[Session, Sequence[Change]], None]:
    def write_columns(session: Session, changes: Sequence[Change]) -> None:
        rows = [{"id": change.key.id, **columns_of(change.new)} for change in changes]
        session.execute(update(Person), rows)

    return write_columns


def _gone(value: Any) -> dict[str, Any]:
    return {"gone": value is not False, "merged_into": _uuid(value) if isinstance(value, str) else None}


def _write_names(session: Session, changes: Sequence[Change]) -> None:
    """A name that is new makes the person's row; until it is said that they are there, it is not seen."""
    named = [change for change in changes if change.new is not None]
    rows = [
        {
            "id": change.key.id,
            "name": change.new,
            "name_key": name_key(change.new),
            "gone": True,
            "hidden": False,
        }
        for change in named
    ]
    upsert_rows(session, Person, rows, key=["id"], update=["name", "name_key"])


# Facts about two persons


def _read_different(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    there = select(PersonDifference.person_id, PersonDifference.other_id).where(
        PersonDifference.person_id.in_({key.id for key in keys}),
        PersonDifference.other_id.in_({key.other for key in keys}),
    )
    return _are_there(session.execute(there), keys)


def _write_different(session: Session, changes: Sequence[Change]) -> None:
    pair = tuple_(PersonDifference.person_id, PersonDifference.other_id)
    for part in chunks((change.key for change in changes if not change.new), BATCH):
        gone = pair.in_([(key.id, key.other) for key in part])
        session.execute(delete(PersonDifference).where(gone).execution_options(synchronize_session=False))
    rows = [{"person_id": change.key.id, "other_id": change.key.other} for change in changes if change.new]
    upsert_rows(session, PersonDifference, rows, key=["person_id", "other_id"], update=[])


def _are_there(rows: Iterable[Any], keys: Sequence[Key]) -> Values:
    there = {(row[0], row[1]) for row in rows}
    return {key: (key.id, key.other) in there for key in keys}


def _text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)


def _uuid(value: str | None) -> uuid.UUID | None:
    return None if value is None else uuid.UUID(value)


_READERS: dict[Fact, Callable[[Session, Fact, Sequence[Key]], Values]] = {
    **dict.fromkeys(_PERSON_VALUES, _read_person),
    Fact.FACE_PERSON: _read_face_person,
    Fact.FACE_IS_FACE: _read_is_face,
    Fact.REJECTED: _read_rejected,
    Fact.PINNED: _read_pinned,
    Fact.DIFFERENT: _read_different,
    Fact.APART: lambda session, _fact, keys: apart.read_sides(session, keys),
}
_WRITERS: dict[Fact, Callable[[Session, Sequence[Change]], None]] = {
    Fact.PERSON_NAME: _write_names,
    Fact.PERSON_GONE: _write_person(_gone),
    Fact.PERSON_HIDDEN: _write_person(lambda value: {"hidden": bool(value)}),
    Fact.PERSON_BIRTH: _write_person(
        lambda value: {"birth_date": None if value is None else date.fromisoformat(value)}
    ),
    Fact.PERSON_COVER: _write_person(lambda value: {"cover_face_id": _uuid(value)}),
    Fact.DIFFERENT: _write_different,
    Fact.FACE_IS_FACE: _write_is_face,
    Fact.FACE_PERSON: _write_face_person,
    Fact.REJECTED: _write_rejected,
    Fact.PINNED: _write_pinned,
    Fact.APART: apart.write_sides,
}
"""In this order: a person is there before a face is theirs."""


_PLACING = (Fact.FACE_PERSON, Fact.FACE_IS_FACE, Fact.REJECTED, Fact.APART)
"""Facts about with whom a face belongs."""

_MOVING = (Fact.FACE_PERSON, Fact.FACE_IS_FACE, Fact.APART)
"""Facts that take faces out of clusters, or put them back."""

UNSAID: dict[Fact, Any] = {
    Fact.PERSON_NAME: None,
    Fact.PERSON_GONE: True,
    Fact.FACE_PERSON: None,
    Fact.FACE_IS_FACE: True,
    Fact.REJECTED: False,
    Fact.PINNED: False,
    Fact.DIFFERENT: False,
    Fact.APART: None,
}
"""What holds of a fact that no event was ever about."""


def unaccounted(session: Session) -> Iterator[Key]:
    """Facts that the tables have as a human's word and no event was ever about."""
    for fact, subject, other, condition in (
        (Fact.PERSON_GONE, Person.id, None, ~Person.gone),
        (Fact.FACE_PERSON, FaceInstance.id, None, FaceInstance.assigned_by == faces.HUMAN),
        (Fact.FACE_IS_FACE, FaceInstance.id, None, ~FaceInstance.is_face),
        (
            Fact.REJECTED,
            FaceSuggestion.face_instance_id,
            FaceSuggestion.person_id,
            FaceSuggestion.state == REJECTED,
        ),
        (
            Fact.PINNED,
            PersonPrototype.face_instance_id,
            PersonPrototype.person_id,
            PersonPrototype.pinned.is_(True),
        ),
        (Fact.DIFFERENT, PersonDifference.person_id, PersonDifference.other_id, true()),
        (Fact.APART, FaceDifference.face_instance_id, FaceDifference.difference_id, true()),
    ):
        about = and_(
            DecisionChange.fact == fact.value,
            DecisionChange.subject_id == subject,
            true() if other is None else DecisionChange.other_id == other,
        )
        columns = [subject] if other is None else [subject, other]
        found: Any = select(*columns).where(condition, ~select(DecisionChange.id).where(about).exists())
        for row in session.execute(found):
            yield Key(fact, *row)
