"""Persons' centroids: building → active → retired. A row is inserted before its point and deleted after."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from image_search_service.db.models import PersonCentroid, PersonRow
from image_search_service.db.queries.batches import BATCH, Row, insert_rows

BUILDING, ACTIVE, RETIRED = "building", "active", "retired"


def active_centroids(session: Session, person_ids: Sequence[uuid.UUID] | None = None) -> list[PersonCentroid]:
    """The active centroid of each person that has one, by person: of at most ``BATCH`` persons, or of all."""
    statement = (
        select(PersonCentroid)
        .join(PersonRow, PersonRow.id == PersonCentroid.person_id)
        .where(PersonCentroid.state == ACTIVE, ~PersonRow.deleted)
        .order_by(PersonCentroid.person_id)
    )
    if person_ids is not None:
        statement = statement.where(PersonCentroid.person_id.in_(person_ids))
    return list(session.scalars(statement))


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
