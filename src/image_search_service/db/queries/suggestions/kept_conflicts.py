"""Contradictions that were found by comparing embeddings: stored by person, read in pages."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    FaceInstance,
    ImageAsset,
    KeptConflict,
    PersonCentroid,
    PersonDifference,
    PersonRow,
)
from image_search_service.db.queries.batches import BATCH, Row, insert_rows
from image_search_service.db.queries.conditions import IS_COMPARABLE_FACE, ON_PHOTO
from image_search_service.db.queries.suggestions.centroids import ACTIVE

FAR, ALIKE = "far_from_the_others", "look_the_same"


@dataclass(frozen=True, slots=True)
class FarFace:
    """A face that is unlike its person's others; id: of the contradiction."""

    id: uuid.UUID
    similarity: float
    person_id: uuid.UUID
    name: str
    face_id: uuid.UUID
    asset_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class AlikePersons:
    """Two persons who look the same; id: of the contradiction."""

    id: uuid.UUID
    similarity: float
    person_id: uuid.UUID
    name: str
    other_id: uuid.UUID
    other_name: str


Place = tuple[float, uuid.UUID]
"""Where a page ended: similarity and id of its last contradiction."""


def far_page(session: Session, after: Place | None, limit: int) -> list[FarFace]:
    """The least alike first. One statement."""
    statement = (
        select(
            KeptConflict.id,
            KeptConflict.similarity,
            PersonRow.id,
            PersonRow.name,
            FaceInstance.id,
            FaceInstance.asset_id,
        )
        .join(FaceInstance, FaceInstance.id == KeptConflict.face_instance_id)
        .join(ImageAsset, ON_PHOTO)
        .join(PersonRow, PersonRow.id == KeptConflict.person_id)
        .where(
            KeptConflict.kind == FAR,
            FaceInstance.person_id == KeptConflict.person_id,
            IS_COMPARABLE_FACE,
            ~PersonRow.deleted,
        )
        .order_by(KeptConflict.similarity, KeptConflict.id)
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_behind(KeptConflict.similarity > after[0], after))
    return [FarFace(*row) for row in session.execute(statement)]


def alike_page(session: Session, after: Place | None, limit: int) -> list[AlikePersons]:
    """Those who are most alike first, without two of whom a human has said that they are two. One
    statement."""
    other = aliased(PersonRow)
    said_to_be_two = (
        select(PersonDifference.person_id)
        .where(
            PersonDifference.person_id == KeptConflict.person_id,
            PersonDifference.other_id == KeptConflict.other_id,
        )
        .correlate(KeptConflict)
        .exists()
    )
    statement = (
        select(KeptConflict.id, KeptConflict.similarity, PersonRow.id, PersonRow.name, other.id, other.name)
        .join(PersonRow, PersonRow.id == KeptConflict.person_id)
        .join(other, other.id == KeptConflict.other_id)
        .where(KeptConflict.kind == ALIKE, ~PersonRow.deleted, ~other.deleted, ~said_to_be_two)
        .order_by(KeptConflict.similarity.desc(), KeptConflict.id.desc())
        .limit(limit)
    )
    if after is not None:
        statement = statement.where(_behind(KeptConflict.similarity < after[0], after, descending=True))
    return [AlikePersons(*row) for row in session.execute(statement)]


def _behind(further: ColumnElement[bool], after: Place, *, descending: bool = False) -> ColumnElement[bool]:
    number = KeptConflict.id < after[1] if descending else KeptConflict.id > after[1]
    return or_(further, and_(KeptConflict.similarity == after[0], number))


def _is_unchecked() -> ColumnElement[bool]:
    """Of a person, joined with their active centroid: what they look like may have changed since they were
    last compared."""
    return and_(
        ~PersonRow.deleted,
        PersonRow.faces > 0,
        or_(
            PersonCentroid.id.is_(None),
            ~PersonCentroid.compared,
            PersonCentroid.faces != PersonRow.faces,
        ),
    )


def _with_centroid(*columns: Any) -> Any:
    active = and_(PersonCentroid.person_id == PersonRow.id, PersonCentroid.state == ACTIVE)
    return select(*columns).select_from(PersonRow).outerjoin(PersonCentroid, active)


def count_unchecked(session: Session) -> int:
    """How many persons have to be compared. One statement."""
    return session.scalar(_with_centroid(func.count()).where(_is_unchecked())) or 0


def unchecked_persons(session: Session) -> list[uuid.UUID]:
    """Who has to be compared, by id. One statement."""
    return list(session.scalars(_with_centroid(PersonRow.id).where(_is_unchecked()).order_by(PersonRow.id)))


def check_all_again(session: Session) -> None:
    """Let every person be compared again."""
    session.execute(
        update(PersonCentroid).values(compared=False).execution_options(synchronize_session=False)
    )


def replace_conflicts(
    session: Session, person_ids: Sequence[uuid.UUID], centroid_ids: Sequence[uuid.UUID], found: Sequence[Row]
) -> None:
    """Store what was found about these persons instead of what was stored, and that it was compared with
    these centroids: a statement, and three for each ``BATCH``."""
    for part in chunks(person_ids, BATCH):
        about = or_(KeptConflict.person_id.in_(part), KeptConflict.other_id.in_(part))
        session.execute(delete(KeptConflict).where(about).execution_options(synchronize_session=False))
    for part in chunks(centroid_ids, BATCH):
        session.execute(
            update(PersonCentroid)
            .where(PersonCentroid.id.in_(part))
            .values(compared=True)
            .execution_options(synchronize_session=False)
        )
    insert_rows(session, KeptConflict, found)
