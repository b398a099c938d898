"""Reads and writes facts about faces: person, group, set aside, and whether it is a face at all.

Writers do not update the sizes of clusters; their caller, ``current_state.write``, does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, Update, bindparam, case, delete, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.decisions import Change, Fact, Key, NameOrigin, human_value
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import clusters, face_moves, faces, prepared
from image_search_service.db.queries.batches import BATCH, insert_rows, upsert_rows
from image_search_service.db.queries.conditions import HAS_NO_PERSON_OF_THESE
from image_search_service.db.queries.decisions.current_values import Values, as_text, as_uuid, pairs_exist
from image_search_service.db.queries.suggestion_states import ACCEPTED, PENDING, REJECTED, SUPERSEDED

BY_HAND = "decision"
"""The source of a rejection without an earlier suggestion."""


_these = prepared.among(FaceInstance.id)
_PLACES = (
    select(
        FaceInstance.id,
        FaceInstance.is_face,
        FaceInstance.person_id,
        FaceInstance.assigned_by,
        FaceInstance.name_origin,
        FaceInstance.group_id,
        FaceInstance.set_aside,
        FaceInstance.cluster_id,
    )
    .where(_these)
    .with_for_update()
)


def read_faces(session: Session, keys: Sequence[Key]) -> Values:
    """Facts of at most ``BATCH`` faces, those that exist: one statement, which locks them."""
    rows = prepared.run(session, _PLACES, {"ids": sorted({key.id for key in keys})})
    faces_by_id = {face.id: face for face in rows}
    return {key: FACE_VALUES[key.fact](faces_by_id[key.id]) for key in keys if key.id in faces_by_id}


FACE_VALUES: dict[Fact, Callable[[Row[Any]], Any]] = {
    Fact.FACE_PERSON: lambda face: {
        "person": as_text(face.person_id),
        "by": face.assigned_by,
        "origin": face.name_origin,
        "cluster": as_text(face.cluster_id),
    },
    Fact.FACE_GROUP: lambda face: {
        "group": as_text(face.group_id),
        "cluster": as_text(face.cluster_id),
    },
    Fact.FACE_IS_FACE: lambda face: face.is_face,
    Fact.FACE_SET_ASIDE: lambda face: {"aside": face.set_aside, "cluster": as_text(face.cluster_id)},
}


def write_face_person(session: Session, changes: Sequence[Change]) -> None:
    named: dict[NameOrigin, dict[uuid.UUID, uuid.UUID]] = {origin: {} for origin in NameOrigin}
    guessed: dict[uuid.UUID, uuid.UUID] = {}
    free: dict[uuid.UUID, uuid.UUID | None] = {}
    for change in changes:
        value = change.new or {}
        if value.get("person"):
            is_named = value["by"] == faces.HUMAN
            assigned = named[NameOrigin(value.get("origin") or NameOrigin.HERE)] if is_named else guessed
            assigned[change.key.id] = uuid.UUID(value["person"])
        else:
            free[change.key.id] = as_uuid(value.get("cluster"))
    existing = clusters.existing_clusters(session, set(free.values()))
    free = {face: cluster if cluster in existing else None for face, cluster in free.items()}
    for origin, persons in named.items():
        face_moves.set_persons(session, persons, origin)
    face_moves.set_free(session, free | dict.fromkeys(guessed))
    face_moves.assign_persons(session, guessed)


def write_face_group(session: Session, changes: Sequence[Change]) -> None:
    """Put faces that leave a group back into the cluster that they were taken from, if it exists.

    Faces that join a group move last (``settle_groups``), when all persons are written.
    """
    values = {change.key.id: change.new or {} for change in changes}
    groups = {face: as_uuid(value.get("group")) for face, value in values.items()}
    former = {face: as_uuid(values[face].get("cluster")) for face, group in groups.items() if group is None}
    existing = clusters.existing_clusters(session, set(former.values()))
    face_moves.set_groups(session, groups)
    face_moves.put_back(
        session, {face: cluster if cluster in existing else None for face, cluster in former.items()}
    )


_ASTRAY = (
    select(FaceInstance.id, FaceInstance.group_id)
    .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
    .where(
        _these,
        FaceInstance.group_id.is_not(None),
        FaceInstance.group_id.is_distinct_from(FaceInstance.cluster_id),
        HAS_NO_PERSON_OF_THESE,
        FaceInstance.is_face,
        ~FaceInstance.set_aside,
        ~ImageAsset.replaced,
    )
)


def settle_groups(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Move those of at most ``BATCH`` faces that a human put into a group into that cluster."""
    rows = prepared.run(session, _ASTRAY, {"ids": face_ids})
    astray = {row[0]: row[1] for row in rows}
    clusters.make_clusters(session, astray)
    face_moves.set_clusters(session, astray)


_SAY_IF_FACE = (
    update(FaceInstance)
    .where(_these)
    .values(is_face=bindparam("value"), payload_version=FaceInstance.payload_version + 1)
)


def write_is_face(session: Session, changes: Sequence[Change]) -> None:
    for value in (True, False):
        for part in chunks((change.key.id for change in changes if change.new is value), BATCH):
            prepared.run(session, _SAY_IF_FACE, {"ids": part, "value": value})
    none = [change.key.id for change in changes if change.new is False]
    face_moves.set_clusters(session, dict.fromkeys(none))


_SET_ASIDE = (
    update(FaceInstance)
    .where(_these)
    .values(set_aside=bindparam("value"), payload_version=FaceInstance.payload_version + 1)
)


def write_set_aside(session: Session, changes: Sequence[Change]) -> None:
    """Set faces aside or take them back, and put them into the cluster that the value names, if it exists:
    so undoing a decision restores it. ``part_set_aside`` then removes those that may not stay."""
    for value in (True, False):
        face_ids = [change.key.id for change in changes if human_value(change.key, change.new) is value]
        for part in chunks(face_ids, BATCH):
            prepared.run(session, _SET_ASIDE, {"ids": part, "value": value})
    former = {
        aside_change.key.id: as_uuid(aside_change.new["cluster"])
        for aside_change in changes
        if (aside_change.new or {}).get("cluster")
    }
    existing = clusters.existing_clusters(session, set(former.values()))
    face_moves.put_back(session, {face: cluster for face, cluster in former.items() if cluster in existing})


def _leaving_mixed(leaving: ColumnElement[bool]) -> Update:
    """Faces for which the condition holds leave clusters that have both, of those that ``ids`` are in."""
    other = aliased(FaceInstance)
    own_clusters = select(other.cluster_id).where(prepared.among(other.id), other.cluster_id.is_not(None))
    among_others = (
        select(other.id)
        .where(other.cluster_id == FaceInstance.cluster_id, other.set_aside != FaceInstance.set_aside)
        .correlate(FaceInstance)
        .exists()
    )
    return (
        update(FaceInstance)
        .where(FaceInstance.cluster_id.in_(own_clusters), leaving, among_others)
        .values(cluster_id=None, payload_version=FaceInstance.payload_version + 1)
    )


_PART_SET_ASIDE = (
    _leaving_mixed(_these & FaceInstance.group_id.is_(None)),
    _leaving_mixed(FaceInstance.set_aside.is_(True)),
)


def part_set_aside(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Keep faces that are set aside and others in different clusters, for at most ``BATCH`` faces.

    From a cluster that has both, the given faces that no human put there leave first; then all that are
    set aside leave what is still mixed.
    """
    for leaving in _PART_SET_ASIDE:
        prepared.run(session, leaving, {"ids": face_ids})


# Facts about a face and a person


_REJECTED = select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
    FaceSuggestion.state == REJECTED,
    prepared.among(FaceSuggestion.face_instance_id),
    prepared.among(FaceSuggestion.person_id, "persons"),
)


def read_rejected(session: Session, keys: Sequence[Key]) -> Values:
    wanted = {"ids": sorted({key.id for key in keys}), "persons": [*{key.other for key in keys}]}
    return pairs_exist(prepared.run(session, _REJECTED, wanted), keys)


def write_rejected(session: Session, changes: Sequence[Change]) -> None:
    """Store a rejection as the suggestion's state; a pair that was never suggested gets a row."""
    rejected_keys = [change.key for change in changes if change.new]
    pair = tuple_(FaceSuggestion.face_instance_id, FaceSuggestion.person_id)
    for part in chunks(rejected_keys, BATCH):
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


def _settling(which: ColumnElement[bool]) -> Update:
    """Suggestions for which the condition holds are accepted, superseded or pending, by the present state of
    their faces and persons: whose the faces are, whether they are faces and not set aside, and whether the
    persons exist."""
    face, person = (
        FaceInstance.id == FaceSuggestion.face_instance_id,
        PersonRow.id == FaceSuggestion.person_id,
    )
    current_person = select(FaceInstance.person_id).where(face).scalar_subquery()
    cannot_be = (
        select(FaceInstance.id).where(face, ~FaceInstance.is_face | FaceInstance.set_aside).exists()
        | select(PersonRow.id).where(person, PersonRow.deleted).exists()
    )
    state = case(
        (current_person == FaceSuggestion.person_id, ACCEPTED),
        (current_person.is_not(None) | cannot_be, SUPERSEDED),
        else_=PENDING,
    )
    return (
        update(FaceSuggestion)
        .where(
            which,
            FaceSuggestion.state.in_((PENDING, ACCEPTED, SUPERSEDED)),
            FaceSuggestion.state != state,
        )
        .values(state=state)
    )


_SETTLE_OF_FACES = _settling(prepared.among(FaceSuggestion.face_instance_id))
_SETTLE_OF_PERSONS = _settling(prepared.among(FaceSuggestion.person_id))


def settle_suggestions_of_faces(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Give the suggestions of at most ``BATCH`` faces the state that follows from faces and persons."""
    prepared.run(session, _SETTLE_OF_FACES, {"ids": face_ids})


def settle_suggestions_of_persons(session: Session, person_ids: Sequence[uuid.UUID]) -> None:
    """The same for those of at most ``BATCH`` persons."""
    prepared.run(session, _SETTLE_OF_PERSONS, {"ids": person_ids})


def read_pinned(session: Session, keys: Sequence[Key]) -> Values:
    pairs = select(PersonPrototype.face_instance_id, PersonPrototype.person_id).where(
        PersonPrototype.pinned,
        PersonPrototype.face_instance_id.in_({key.id for key in keys}),
        PersonPrototype.person_id.in_({key.other for key in keys}),
    )
    return pairs_exist(session.execute(pairs), keys)


def write_pinned(session: Session, changes: Sequence[Change]) -> None:
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
