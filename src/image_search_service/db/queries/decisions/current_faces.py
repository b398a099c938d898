"""What humans have said of faces: whose they are, in which group, whether they are any; read and written.

Writers leave the clusters' sizes to whoever calls them (``decided.write``).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, case, delete, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.decisions import Change, Fact, Key, said
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import clusters, faces
from image_search_service.db.queries.batches import BATCH, insert_rows, upsert_rows
from image_search_service.db.queries.decisions.current_values import Values, are_there, as_text, as_uuid
from image_search_service.db.queries.suggestion_states import ACCEPTED, PENDING, REJECTED, SUPERSEDED

BY_HAND = "decision"
"""The source of a rejection that no suggestion came before."""


def read_face_person(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.person_id, FaceInstance.assigned_by, FaceInstance.cluster_id)
        .where(FaceInstance.id.in_([key.id for key in keys]))
        .with_for_update()
    )
    return {
        Key(Fact.FACE_PERSON, face): {"person": as_text(person), "by": by, "cluster": as_text(cluster)}
        for face, person, by, cluster in rows
    }


def write_face_person(session: Session, changes: Sequence[Change]) -> None:
    given: dict[str, dict[uuid.UUID, uuid.UUID]] = {faces.HUMAN: {}, faces.MACHINE: {}}
    free: dict[uuid.UUID, uuid.UUID | None] = {}
    for change in changes:
        value = change.new or {}
        if value.get("person"):
            given[value["by"]][change.key.id] = uuid.UUID(value["person"])
        else:
            free[change.key.id] = as_uuid(value.get("cluster"))
    there = clusters.existing_clusters(session, set(free.values()))
    free = {face: cluster if cluster in there else None for face, cluster in free.items()}
    faces.set_persons(session, given[faces.HUMAN])
    faces.set_free(session, free | dict.fromkeys(given[faces.MACHINE]))
    faces.assign_persons(session, given[faces.MACHINE])


def read_face_group(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.group_id, FaceInstance.cluster_id).where(
            FaceInstance.id.in_([key.id for key in keys])
        )
    )
    return {
        Key(Fact.FACE_GROUP, face): {"group": as_text(group), "cluster": as_text(cluster)}
        for face, group, cluster in rows
    }


def write_face_group(session: Session, changes: Sequence[Change]) -> None:
    """What is in no group any more is again in the cluster from which it had been taken, if that is there;
    what is in one goes there last of all (``settle_groups``), when it is known who has a person."""
    values = {change.key.id: change.new or {} for change in changes}
    groups = {face: as_uuid(value.get("group")) for face, value in values.items()}
    former = {face: as_uuid(values[face].get("cluster")) for face, group in groups.items() if group is None}
    there = clusters.existing_clusters(session, set(former.values()))
    faces.set_groups(session, groups)
    faces.put_back(session, {face: cluster if cluster in there else None for face, cluster in former.items()})


def settle_groups(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Those of at most ``BATCH`` faces that a human put into a group are in that cluster."""
    is_shown = FaceInstance.is_face & ~FaceInstance.set_aside
    columns = (FaceInstance.group_id, FaceInstance.cluster_id, FaceInstance.person_id, is_shown)
    rows = session.execute(
        select(FaceInstance.id, *columns)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.id.in_(face_ids), FaceInstance.group_id.is_not(None), ~ImageAsset.replaced)
    )
    astray = {
        face: group
        for face, group, cluster, person, shown in rows
        if group not in (None, cluster) and person is None and shown
    }
    clusters.make_clusters(session, astray)
    faces.set_clusters(session, astray)


def read_is_face(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.is_face).where(FaceInstance.id.in_([key.id for key in keys]))
    )
    return {Key(Fact.FACE_IS_FACE, face): is_face for face, is_face in rows}


def write_is_face(session: Session, changes: Sequence[Change]) -> None:
    for value in (True, False):
        for part in chunks((change.key.id for change in changes if change.new is value), BATCH):
            session.execute(update(FaceInstance).where(FaceInstance.id.in_(part)).values(is_face=value))
    none = [change.key.id for change in changes if change.new is False]
    faces.set_clusters(session, dict.fromkeys(none))


def read_set_aside(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    rows = session.execute(
        select(FaceInstance.id, FaceInstance.set_aside, FaceInstance.cluster_id).where(
            FaceInstance.id.in_([key.id for key in keys])
        )
    )
    return {
        Key(Fact.FACE_SET_ASIDE, face): {"aside": aside, "cluster": as_text(cluster)}
        for face, aside, cluster in rows
    }


def write_set_aside(session: Session, changes: Sequence[Change]) -> None:
    """Faces go where the value says that they were, if that cluster is there: so an undone decision brings
    them back. Who may stay there is settled when all is written (``part_set_aside``)."""
    for value in (True, False):
        these = [change.key.id for change in changes if said(change.key, change.new) is value]
        for part in chunks(these, BATCH):
            session.execute(update(FaceInstance).where(FaceInstance.id.in_(part)).values(set_aside=value))
    former = {one.key.id: as_uuid(one.new["cluster"]) for one in changes if (one.new or {}).get("cluster")}
    there = clusters.existing_clusters(session, set(former.values()))
    faces.put_back(session, {face: cluster for face, cluster in former.items() if cluster in there})


def part_set_aside(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """A cluster's faces are all set aside, or none: of at most ``BATCH`` faces those that a human did not put
    into their cluster leave one where it is otherwise, and then whatever is set aside among others."""
    other = aliased(FaceInstance)
    theirs = select(other.cluster_id).where(other.id.in_(face_ids), other.cluster_id.is_not(None))
    among_others = (
        select(other.id)
        .where(other.cluster_id == FaceInstance.cluster_id, other.set_aside != FaceInstance.set_aside)
        .correlate(FaceInstance)
        .exists()
    )
    for leaving in (FaceInstance.id.in_(face_ids) & FaceInstance.group_id.is_(None), FaceInstance.set_aside):
        session.execute(
            update(FaceInstance)
            .where(FaceInstance.cluster_id.in_(theirs), leaving, among_others)
            .values(cluster_id=None, payload_version=FaceInstance.payload_version + 1)
            .execution_options(synchronize_session=False)
        )


# Facts about a face and a person


def read_rejected(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    there = select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
        FaceSuggestion.state == REJECTED,
        FaceSuggestion.face_instance_id.in_({key.id for key in keys}),
        FaceSuggestion.person_id.in_({key.other for key in keys}),
    )
    return are_there(session.execute(there), keys)


def write_rejected(session: Session, changes: Sequence[Change]) -> None:
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


def settle_suggestions(session: Session, which: ColumnElement[bool]) -> None:
    """What was suggested is accepted, superseded or waits, by whose the faces are now, whether they are any
    and not set aside, and whether the persons are there."""
    face, person = (
        FaceInstance.id == FaceSuggestion.face_instance_id,
        PersonRow.id == FaceSuggestion.person_id,
    )
    owner = select(FaceInstance.person_id).where(face).scalar_subquery()
    cannot_be = (
        select(FaceInstance.id).where(face, ~FaceInstance.is_face | FaceInstance.set_aside).exists()
        | select(PersonRow.id).where(person, PersonRow.deleted).exists()
    )
    state = case(
        (owner == FaceSuggestion.person_id, ACCEPTED),
        (owner.is_not(None) | cannot_be, SUPERSEDED),
        else_=PENDING,
    )
    session.execute(
        update(FaceSuggestion)
        .where(
            which,
            FaceSuggestion.state.in_((PENDING, ACCEPTED, SUPERSEDED)),
            FaceSuggestion.state != state,
        )
        .values(state=state)
        .execution_options(synchronize_session=False)
    )


def read_pinned(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    there = select(PersonPrototype.face_instance_id, PersonPrototype.person_id).where(
        PersonPrototype.pinned,
        PersonPrototype.face_instance_id.in_({key.id for key in keys}),
        PersonPrototype.person_id.in_({key.other for key in keys}),
    )
    return are_there(session.execute(there), keys)


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
