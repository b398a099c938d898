"""Faces that were said to be of different people: two groups, of which one face each never go together."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.decisions import Change, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceDifference, FaceInstance
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.faces import HUMAN


@dataclass(frozen=True, slots=True)
class Side:
    """On which side, 0 or 1, of a difference a face is, and whose it is."""

    difference_id: uuid.UUID
    face_id: uuid.UUID
    side: int
    person_id: uuid.UUID | None


def read_sides(session: Session, keys: Sequence[Key]) -> dict[Key, int | None]:
    """The side of each fact's face in its difference, None where it is in neither. Nobody else changes these
    faces until the transaction ends."""
    face_ids = sorted({key.id for key in keys})
    session.execute(select(FaceInstance.id).where(FaceInstance.id.in_(face_ids)).with_for_update())
    rows = session.execute(
        select(FaceDifference.face_instance_id, FaceDifference.difference_id, FaceDifference.side).where(
            FaceDifference.face_instance_id.in_(face_ids)
        )
    )
    found = {(row[0], row[1]): row[2] for row in rows}
    return {key: found.get((key.id, key.other)) if key.other else None for key in keys}


def write_sides(session: Session, changes: Sequence[Change]) -> None:
    pair = tuple_(FaceDifference.face_instance_id, FaceDifference.difference_id)
    for part in chunks((change.key for change in changes if change.new is None), BATCH):
        gone = pair.in_([(key.id, key.other) for key in part])
        session.execute(delete(FaceDifference).where(gone).execution_options(synchronize_session=False))
    rows = [
        {"difference_id": change.key.other, "face_instance_id": change.key.id, "side": change.new}
        for change in changes
        if change.new is not None
    ]
    upsert_rows(session, FaceDifference, rows, key=["difference_id", "face_instance_id"], update=["side"])


def sides_where(session: Session, condition: ColumnElement[bool]) -> list[Side]:
    """Of faces for which it holds, in an order that does not change."""
    return [Side(*row) for row in session.execute(_of_faces().where(condition))]


def sides_without_person(session: Session) -> list[Side]:
    return sides_where(session, FaceInstance.person_id.is_(None))


def sides_with(session: Session, face_ids: Iterable[uuid.UUID]) -> list[Side]:
    """All faces of the differences that these faces are in: a statement for each ``BATCH`` of them."""
    found: dict[tuple[uuid.UUID, uuid.UUID], Side] = {}
    for part in chunks(sorted(set(face_ids)), BATCH):
        in_part = select(FaceDifference.difference_id).where(FaceDifference.face_instance_id.in_(part))
        for one in sides_where(session, FaceDifference.difference_id.in_(in_part)):
            found[one.difference_id, one.face_id] = one
    return list(found.values())


def sides_of(session: Session, difference_ids: Sequence[uuid.UUID]) -> list[Side]:
    """All faces of some differences: a statement for each ``BATCH`` of them."""
    return [
        one
        for part in chunks(difference_ids, BATCH)
        for one in sides_where(session, FaceDifference.difference_id.in_(part))
    ]


def _of_faces() -> Select[uuid.UUID, uuid.UUID, int, uuid.UUID | None]:
    return (
        select(
            FaceDifference.difference_id,
            FaceDifference.face_instance_id,
            FaceDifference.side,
            FaceInstance.person_id,
        )
        .join(FaceInstance, FaceInstance.id == FaceDifference.face_instance_id)
        .order_by(FaceDifference.difference_id, FaceDifference.face_instance_id)
    )


def barred_by_difference(condition: ColumnElement[bool]) -> Select[uuid.UUID, uuid.UUID | None]:
    """Faces for which ``condition`` holds, each with every person who has a face of the other side."""
    opposite, other = opposite_faces()
    return (
        select(FaceInstance.id, other.person_id)
        .join(FaceDifference, FaceDifference.face_instance_id == FaceInstance.id)
        .join(opposite, on_opposite_side(opposite))
        .join(other, other.id == opposite.face_instance_id)
        .where(other.person_id.is_not(None), condition)
    )


def apart_pairs(
    session: Session, face_ids: Iterable[uuid.UUID], person_ids: Sequence[uuid.UUID]
) -> set[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs of these faces and persons that cannot be: a statement for each ``BATCH`` of faces."""
    wanted = set(person_ids)
    return {
        (row[0], row[1])
        for part in chunks(sorted(set(face_ids)), BATCH)
        for row in session.execute(barred_by_difference(FaceInstance.id.in_(part)))
        if row[1] is not None and row[1] in wanted
    }


def faces_with_side(session: Session, face_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Those of at most ``BATCH`` faces that are in some difference."""
    with_side = FaceDifference.face_instance_id.in_(face_ids)
    return sorted(set(session.scalars(select(FaceDifference.face_instance_id).where(with_side))))


def with_both_sides(session: Session, face_ids: Iterable[uuid.UUID]) -> uuid.UUID | None:
    """A difference of which a human gave faces of both sides to one person, or put them into one group, if
    there is any among those that these faces are in: a statement for each ``BATCH``."""
    placed = (FaceInstance.assigned_by == HUMAN) | FaceInstance.group_id.is_not(None)
    joined = (
        select(FaceDifference.difference_id)
        .join(FaceInstance, FaceInstance.id == FaceDifference.face_instance_id)
        .where(placed)
        .group_by(FaceDifference.difference_id, FaceInstance.person_id, FaceInstance.group_id)
        .having(func.count(FaceDifference.side.distinct()) > 1)
        .limit(1)
    )
    theirs = aliased(FaceDifference)
    for part in chunks(sorted(set(face_ids)), BATCH):
        in_part = select(theirs.difference_id).where(theirs.face_instance_id.in_(part))
        found = session.scalar(joined.where(FaceDifference.difference_id.in_(in_part)))
        if found is not None:
            return found
    return None


def leave_clusters(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Where one of the faces shares a cluster with one of the other side, one of the two leaves it: never one
    that a human put there, and of two others one of the faces given, if both are, the second side."""
    for part in chunks(face_ids, BATCH):
        opposite, other = opposite_faces()
        given = FaceInstance.id.in_(part)
        for goes in (
            other.group_id.is_not(None) & (given | other.id.in_(part)),
            given & (FaceDifference.side == 1),
            given,
        ):
            meets = (
                select(FaceDifference.face_instance_id)
                .join(opposite, on_opposite_side(opposite))
                .join(other, other.id == opposite.face_instance_id)
                .where(
                    FaceDifference.face_instance_id == FaceInstance.id,
                    other.cluster_id == FaceInstance.cluster_id,
                    goes,
                )
                .correlate(FaceInstance)
                .exists()
            )
            session.execute(
                update(FaceInstance)
                .where(
                    FaceInstance.id.in_(faces_in_differences_of(part)),
                    FaceInstance.cluster_id.is_not(None),
                    FaceInstance.group_id.is_(None),
                    meets,
                )
                .values(cluster_id=None, payload_version=FaceInstance.payload_version + 1)
                .execution_options(synchronize_session=False)
            )


def faces_in_differences_of(face_ids: Sequence[uuid.UUID]) -> Select[uuid.UUID]:
    """All faces of the differences that these are in; a database that is told looks at no others."""
    theirs = aliased(FaceDifference)
    differences = select(theirs.difference_id).where(theirs.face_instance_id.in_(face_ids))
    every = aliased(FaceDifference)
    return select(every.face_instance_id).where(every.difference_id.in_(differences))


def is_with_other_side(face_ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    """Of a face: whether its person has one of the other side, and one of the two is among ``face_ids``."""
    opposite, other = opposite_faces()
    together = (
        select(FaceDifference.face_instance_id)
        .join(opposite, on_opposite_side(opposite))
        .join(other, other.id == opposite.face_instance_id)
        .where(
            FaceDifference.face_instance_id == FaceInstance.id,
            other.person_id == FaceInstance.person_id,
            or_(FaceInstance.id.in_(face_ids), other.id.in_(face_ids)),
        )
        .correlate(FaceInstance)
        .exists()
    )
    return FaceInstance.id.in_(faces_in_differences_of(face_ids)) & together


def opposite_faces() -> tuple[type[FaceDifference], type[FaceInstance]]:
    return aliased(FaceDifference), aliased(FaceInstance)


def on_opposite_side(opposite: type[FaceDifference]) -> ColumnElement[bool]:
    """Joined to ``FaceDifference``: the faces of the other side."""
    return (opposite.difference_id == FaceDifference.difference_id) & (opposite.side != FaceDifference.side)
