"""Differences: two groups of faces that were marked as of different people.

A face of one side is never put together with a face of the other.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, delete, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.decisions import Change, Key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import Base, FaceDifference, FaceInstance
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.faces import HUMAN


@dataclass(frozen=True, slots=True)
class Side:
    """A face's side, 0 or 1, of a difference, and the person of the face."""

    difference_id: uuid.UUID
    face_id: uuid.UUID
    side: int
    person_id: uuid.UUID | None


def read_sides(session: Session, keys: Sequence[Key]) -> dict[Key, int | None]:
    """The side of each fact's face in its difference, None where it is on neither side. Locks these faces
    until the transaction ends."""
    face_ids = sorted({key.id for key in keys})
    session.execute(select(FaceInstance.id).where(FaceInstance.id.in_(face_ids)).with_for_update())
    rows = session.execute(
        select(FaceDifference.face_instance_id, FaceDifference.difference_id, FaceDifference.side).where(
            FaceDifference.face_instance_id.in_(face_ids)
        )
    )
    sides = {(row[0], row[1]): row[2] for row in rows}
    return {key: sides.get((key.id, key.other)) if key.other else None for key in keys}


def write_sides(session: Session, changes: Sequence[Change]) -> None:
    pair = tuple_(FaceDifference.face_instance_id, FaceDifference.difference_id)
    for part in chunks((change.key for change in changes if change.new is None), BATCH):
        is_taken_back = pair.in_([(key.id, key.other) for key in part])
        session.execute(
            delete(FaceDifference).where(is_taken_back).execution_options(synchronize_session=False)
        )
    rows = [
        {"difference_id": change.key.other, "face_instance_id": change.key.id, "side": change.new}
        for change in changes
        if change.new is not None
    ]
    upsert_rows(session, FaceDifference, rows, key=["difference_id", "face_instance_id"], update=["side"])


def sides_where(session: Session, condition: ColumnElement[bool]) -> list[Side]:
    """The sides for which the condition holds, in a fixed order."""
    return [Side(*row) for row in session.execute(select_sides(condition))]


def sides_without_person(session: Session) -> list[Side]:
    return sides_where(session, FaceInstance.person_id.is_(None))


def sides_with(session: Session, face_ids: Iterable[uuid.UUID]) -> list[Side]:
    """All faces of the differences that these faces are in: a statement for each ``BATCH`` of them."""
    sides: dict[tuple[uuid.UUID, uuid.UUID], Side] = {}
    for part in chunks(sorted(set(face_ids)), BATCH):
        in_part = select(FaceDifference.difference_id).where(FaceDifference.face_instance_id.in_(part))
        for side in sides_where(session, FaceDifference.difference_id.in_(in_part)):
            sides[side.difference_id, side.face_id] = side
    return list(sides.values())


def sides_of(session: Session, difference_ids: Sequence[uuid.UUID]) -> list[Side]:
    """All faces of some differences: a statement for each ``BATCH`` of them."""
    return [
        side
        for part in chunks(difference_ids, BATCH)
        for side in sides_where(session, FaceDifference.difference_id.in_(part))
    ]


def select_sides(condition: ColumnElement[bool]) -> Select[uuid.UUID, uuid.UUID, int, uuid.UUID | None]:
    """The columns of ``Side``, of the sides for which the condition holds, in a fixed order."""
    return (
        select(
            FaceDifference.difference_id,
            FaceDifference.face_instance_id,
            FaceDifference.side,
            FaceInstance.person_id,
        )
        .join(FaceInstance, FaceInstance.id == FaceDifference.face_instance_id)
        .where(condition)
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
    """Pairs of these faces and persons that a difference forbids: a statement for each ``BATCH`` of faces."""
    wanted = set(person_ids)
    return {
        (row[0], row[1])
        for part in chunks(sorted(set(face_ids)), BATCH)
        for row in session.execute(barred_by_difference(FaceInstance.id.in_(part)))
        if row[1] is not None and row[1] in wanted
    }


_WITH_SIDE = (
    select(FaceDifference.face_instance_id).where(prepared.among(FaceDifference.face_instance_id)).distinct()
)


def faces_with_side(session: Session, face_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Those of at most ``BATCH`` faces that belong to any difference."""
    return sorted(prepared.run(session, _WITH_SIDE, {"ids": face_ids}).scalars())


_own = aliased(FaceDifference)
_JOINED = (
    select(FaceDifference.difference_id)
    .join(FaceInstance, FaceInstance.id == FaceDifference.face_instance_id)
    .where(
        (FaceInstance.assigned_by == HUMAN) | FaceInstance.group_id.is_not(None),
        FaceDifference.difference_id.in_(
            select(_own.difference_id).where(prepared.among(_own.face_instance_id))
        ),
    )
    .group_by(FaceDifference.difference_id, FaceInstance.person_id, FaceInstance.group_id)
    .having(func.count(FaceDifference.side.distinct()) > 1)
    .limit(1)
)


def with_both_sides(session: Session, face_ids: Iterable[uuid.UUID]) -> uuid.UUID | None:
    """The first difference of these faces that a human contradicted, by assigning faces of both sides to one
    person or putting them into one group; None if there is none. A statement for each ``BATCH``."""
    return next(prepared.scalars(session, _JOINED, sorted(set(face_ids))), None)


def leave_clusters(session: Session, face_ids: Sequence[uuid.UUID]) -> None:
    """Separate clusters that hold faces of both sides of a difference, for at most ``BATCH`` faces.

    Of two such faces one leaves: never one that a human put there; else one of the given faces, or if both
    are given, the one on side 1.
    """
    for part in chunks(face_ids, BATCH):
        opposite, other = opposite_faces()
        is_given = FaceInstance.id.in_(part)
        for goes in (
            other.group_id.is_not(None) & (is_given | other.id.in_(part)),
            is_given & (FaceDifference.side == 1),
            is_given,
        ):
            meets = meets_other_side(
                opposite,
                other,
                FaceDifference.face_instance_id == FaceInstance.id,
                other.cluster_id == FaceInstance.cluster_id,
                goes,
                of=FaceInstance,
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
    """All faces of the differences that these are in; as a condition it limits what the database reads."""
    own = aliased(FaceDifference)
    differences = select(own.difference_id).where(own.face_instance_id.in_(face_ids))
    every = aliased(FaceDifference)
    return select(every.face_instance_id).where(every.difference_id.in_(differences))


def is_with_other_side(face_ids: Sequence[uuid.UUID]) -> ColumnElement[bool]:
    """Of a face: its person has a face of the other side, and one of the two is among ``face_ids``."""
    opposite, other = opposite_faces()
    together = meets_other_side(
        opposite,
        other,
        FaceDifference.face_instance_id == FaceInstance.id,
        other.person_id == FaceInstance.person_id,
        or_(FaceInstance.id.in_(face_ids), other.id.in_(face_ids)),
        of=FaceInstance,
    )
    return FaceInstance.id.in_(faces_in_differences_of(face_ids)) & together


def opposite_faces() -> tuple[type[FaceDifference], type[FaceInstance]]:
    return aliased(FaceDifference), aliased(FaceInstance)


def meets_other_side(
    opposite: type[FaceDifference],
    other: type[FaceInstance],
    *conditions: ColumnElement[bool],
    of: type[Base],
) -> ColumnElement[bool]:
    """Whether a difference has a face and an ``other`` one on opposite sides that fulfil the conditions.

    of: the table of the enclosing statement, which the conditions refer to.
    """
    return (
        select(FaceDifference.face_instance_id)
        .join(opposite, on_opposite_side(opposite))
        .join(other, other.id == opposite.face_instance_id)
        .where(*conditions)
        .correlate(of)
        .exists()
    )


def on_opposite_side(opposite: type[FaceDifference]) -> ColumnElement[bool]:
    """Condition that joins ``FaceDifference`` with the faces of the other side."""
    return (opposite.difference_id == FaceDifference.difference_id) & (opposite.side != FaceDifference.side)
