"""Persons' centroids: building → active → retired. A row is inserted before its point and deleted after."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, and_, bindparam, delete, or_, select, update
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, PersonCentroid, PersonRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, Row, insert_rows
from image_search_service.db.queries.conditions import in_replaced_photo

BUILDING, ACTIVE, RETIRED = "building", "active", "retired"


def active_centroids(session: Session, person_ids: Sequence[uuid.UUID] | None = None) -> list[PersonCentroid]:
    """The active centroid of each person that has one, by person: of at most ``BATCH`` persons, or of all."""
    there = _with_point(person_ids).join(PersonRow, PersonRow.id == PersonCentroid.person_id)
    return list(session.scalars(there.where(~PersonRow.deleted)))


def centroids_with_point(
    session: Session, person_ids: Sequence[uuid.UUID] | None = None
) -> list[PersonCentroid]:
    """The same, and those of persons who were merged or taken back, whom an undo brings back: whoever
    compares the two stores, or copies them, goes by these."""
    return list(session.scalars(_with_point(person_ids)))


def _with_point(person_ids: Sequence[uuid.UUID] | None) -> Select[PersonCentroid]:
    statement = (
        select(PersonCentroid).where(PersonCentroid.state == ACTIVE).order_by(PersonCentroid.person_id)
    )
    return statement if person_ids is None else statement.where(PersonCentroid.person_id.in_(person_ids))


@dataclass(frozen=True, slots=True)
class CentroidSource:
    """What a person's active centroid was computed from; see ``PersonCentroid``."""

    id: uuid.UUID
    algorithm_version: int
    source_hash: str
    faces_version: int


@dataclass(frozen=True, slots=True)
class PersonSource:
    """The version of a person's faces, and what their active centroid is of, if they have one."""

    faces_version: int
    centroid: CentroidSource | None


class CentroidFace(NamedTuple):
    """A face that a centroid is computed from, and its point."""

    id: uuid.UUID
    point_id: uuid.UUID


_POINTS_OF_PERSONS = (
    select(FaceInstance.person_id, FaceInstance.id, FaceInstance.qdrant_point_id)
    .where(prepared.among(FaceInstance.person_id), ~in_replaced_photo())
    .order_by(FaceInstance.person_id, FaceInstance.id)
)


def points_of_persons(
    session: Session, person_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, list[CentroidFace]]:
    """The faces of at most ``BATCH`` persons by id, without those of replaced photos: one statement."""
    of_person: dict[uuid.UUID, list[CentroidFace]] = {}
    for person, face, point in prepared.run(session, _POINTS_OF_PERSONS, {"ids": person_ids}):
        of_person.setdefault(person, []).append(CentroidFace(face, point))
    return of_person


def person_sources(
    session: Session, person_ids: Sequence[uuid.UUID] | None = None
) -> dict[uuid.UUID, PersonSource]:
    """Of everybody who is not deleted, by id, in one statement; or of these, in one for each ``BATCH``."""
    active = and_(PersonCentroid.person_id == PersonRow.id, PersonCentroid.state == ACTIVE)
    statement = (
        select(
            PersonRow.id,
            PersonRow.faces_version,
            PersonCentroid.id,
            PersonCentroid.algorithm_version,
            PersonCentroid.source_hash,
            PersonCentroid.faces_version,
        )
        .outerjoin(PersonCentroid, active)
        .where(~PersonRow.deleted)
        .order_by(PersonRow.id)
    )
    wanted = None if person_ids is None else sorted(set(person_ids))
    parts = [None] if wanted is None else chunks(wanted, BATCH)
    return {
        row[0]: PersonSource(
            row[1], None if row[2] is None else CentroidSource(row[2], row[3], row[4], row[5])
        )
        for part in parts
        for row in session.execute(statement if part is None else statement.where(PersonRow.id.in_(part)))
    }


def keep_versions(session: Session, versions: Mapping[uuid.UUID, int]) -> None:
    """Store of which version of their faces persons' active centroids were found to be."""
    if versions:
        session.connection().execute(
            update(PersonCentroid)
            .where(PersonCentroid.person_id == bindparam("person"), PersonCentroid.state == ACTIVE)
            .values(faces_version=bindparam("version")),
            [{"person": person, "version": version} for person, version in versions.items()],
        )


def add_building(session: Session, rows: Sequence[Row]) -> None:
    """Insert centroids whose points are about to be stored."""
    insert_rows(session, PersonCentroid, [{**row, "state": BUILDING} for row in rows])


def replace_active(
    session: Session, person_ids: Sequence[uuid.UUID], centroid_ids: Sequence[uuid.UUID]
) -> None:
    """Retire the active centroids of these persons (at most ``BATCH``), and activate the given ones."""
    active = and_(PersonCentroid.person_id.in_(person_ids), PersonCentroid.state == ACTIVE)
    session.execute(
        update(PersonCentroid)
        .where(active)
        .values(state=RETIRED)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        update(PersonCentroid)
        .where(PersonCentroid.id.in_(centroid_ids))
        .values(state=ACTIVE)
        .execution_options(synchronize_session=False)
    )


def leftovers(session: Session, building_before: datetime) -> list[uuid.UUID]:
    """At most ``BATCH`` unneeded centroids: retired, or inserted before a moment and never activated."""
    abandoned = and_(PersonCentroid.state == BUILDING, PersonCentroid.created_at < building_before)
    return list(
        session.scalars(
            select(PersonCentroid.id)
            .where(or_(PersonCentroid.state == RETIRED, abandoned))
            .order_by(PersonCentroid.id)
            .limit(BATCH)
        )
    )


def delete_centroids(session: Session, centroid_ids: Sequence[uuid.UUID]) -> None:
    """Delete the rows of at most ``BATCH`` centroids whose points are deleted."""
    session.execute(
        delete(PersonCentroid)
        .where(PersonCentroid.id.in_(centroid_ids))
        .execution_options(synchronize_session=False)
    )
