"""Reads persons for display. How many faces each has is kept (``db/models/kept/``); other details are read
only for the persons of one page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from image_search_service.core.records.people import Companion, PersonName, PersonOrder, PersonRecord
from image_search_service.db.models import FaceInstance, PersonRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.conditions import in_replaced_photo

Place = tuple[int | datetime, str, uuid.UUID]
"""A person's position in a list: the sort value, then ``name_key``, then the id."""


def persons_page(
    session: Session,
    order: PersonOrder,
    after: Place | None,
    *,
    offset: int,
    limit: int,
    hidden: bool,
) -> list[PersonRecord]:
    """A page of the visible persons, or of the hidden ones; equal ones by name. Two statements.

    after: the position of the previous page's last person. offset: persons to skip after it.
    """
    place = _sorted_by(order, hidden=hidden)
    statement = select(PersonRow.id).where(~PersonRow.deleted, PersonRow.hidden.is_(hidden))
    by_place = [] if place is None else [place.desc()]
    if after is not None:
        value, key, person_id = after
        behind = tuple_(PersonRow.name_key, PersonRow.id) > tuple_(key, literal(person_id))
        further = behind if place is None else or_(place < value, and_(place == value, behind))
        statement = statement.where(further)
    in_order = statement.order_by(*by_place, PersonRow.name_key, PersonRow.id)
    return persons_by_ids(session, session.scalars(in_order.offset(offset).limit(limit)).all())


def _sorted_by(order: PersonOrder, *, hidden: bool) -> Any:
    """What persons are sorted by, the largest first, before their names; None for nothing."""
    match order:
        case PersonOrder.FACES:
            return PersonRow.faces
        case PersonOrder.WAITING:
            return None if hidden else PersonRow.waiting
        case PersonOrder.NEWEST:
            return PersonRow.created_at
        case PersonOrder.NAME:
            return None


def place_of(person: PersonRecord, order: PersonOrder) -> Place:
    """A person's position in a list of this order."""
    places: dict[PersonOrder, int | datetime] = {
        PersonOrder.FACES: person.faces,
        PersonOrder.WAITING: person.pending_suggestions,
        PersonOrder.NEWEST: person.created_at,
        PersonOrder.NAME: 0,
    }
    return places[order], person.name_key, person.id


def persons_by_ids(session: Session, person_ids: Sequence[uuid.UUID]) -> list[PersonRecord]:
    """The existing ones among at most ``BATCH`` persons, in the order of the ids: one statement."""
    repeated = (
        select(func.count())
        .where(FaceInstance.person_id == PersonRow.id, FaceInstance.repeats, ~in_replaced_photo())
        .correlate(PersonRow)
        .scalar_subquery()
    )
    statement = select(
        PersonRow,
        valid_cover(),
        shown_face(),
        PersonRow.faces - repeated,
        _of_person(func.min(FaceInstance.taken_at)),
        _of_person(func.max(FaceInstance.taken_at)),
    ).where(PersonRow.id.in_(person_ids), ~PersonRow.deleted)
    persons = {row[0].id: _record(row) for row in session.execute(statement)}
    return [persons[person_id] for person_id in person_ids if person_id in persons]


def _record(row: Any) -> PersonRecord:
    person, cover_face_id, shown_face_id, photos, first, last = row
    return PersonRecord(
        id=person.id,
        name=person.name,
        name_key=person.name_key,
        note=person.note,
        hidden=person.hidden,
        birth_date=person.birth_date,
        cover_face_id=cover_face_id,
        shown_face_id=shown_face_id,
        faces=person.faces,
        photos=photos,
        pending_suggestions=0 if person.hidden else person.waiting,
        first_year=None if first is None else first.year,
        last_year=None if last is None else last.year,
        created_at=person.created_at,
    )


def _of_person(value: Any) -> Any:
    """One value from the faces of the enclosing statement's person, read from one end of an index."""
    return select(value).where(FaceInstance.person_id == PersonRow.id).correlate(PersonRow).scalar_subquery()


def shown_face() -> Any:
    """The cover face that somebody chose for the enclosing statement's person (``valid_cover``), else their
    clearest face."""
    clearest = (
        select(FaceInstance.id)
        .where(FaceInstance.person_id == PersonRow.id, ~in_replaced_photo())
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id.desc())
        .limit(1)
        .correlate(PersonRow)
        .scalar_subquery()
    )
    return func.coalesce(valid_cover(), clearest)


def valid_cover() -> Any:
    """The face that a human chose to show for the enclosing statement's person, while it is the person's and
    its photo is there; else null."""
    return (
        select(FaceInstance.id)
        .where(
            FaceInstance.id == PersonRow.cover_face_id,
            FaceInstance.person_id == PersonRow.id,
            ~in_replaced_photo(),
        )
        .correlate(PersonRow)
        .scalar_subquery()
    )


_NAMES = (
    select(
        PersonRow.id,
        PersonRow.name,
        PersonRow.hidden,
        shown_face(),
        PersonRow.faces,
        PersonRow.note,
    )
    .where(~PersonRow.deleted)
    .order_by(PersonRow.name_key, PersonRow.id)
)
_OF_NAMES = _NAMES.where(prepared.among(PersonRow.name_key, "keys"))


def person_names(session: Session, keys: Sequence[str] | None = None) -> list[PersonName]:
    """All persons by name, or those who have one of these names (``name_key``): one statement."""
    rows = prepared.run(session, _NAMES) if keys is None else prepared.run(session, _OF_NAMES, {"keys": keys})
    return [PersonName(*row) for row in rows]


def birth_date(session: Session, person_id: uuid.UUID) -> tuple[uuid.UUID, date | None] | None:
    """A person's id with their birth date; None if the person does not exist."""
    row = session.execute(
        select(PersonRow.id, PersonRow.birth_date).where(PersonRow.id == person_id, ~PersonRow.deleted)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def faces_to_show(
    session: Session, person_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, tuple[str, uuid.UUID | None]]:
    """The name and the shown face of each of these persons who exists."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.name, shown_face()).where(
            PersonRow.id.in_(person_ids), ~PersonRow.deleted
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def companions(session: Session, person_id: uuid.UUID, limit: int) -> list[Companion]:
    """Other persons in a person's photos, those in most photos first."""
    own_photos = select(FaceInstance.asset_id).where(
        FaceInstance.person_id == person_id, ~in_replaced_photo()
    )
    shared = (
        select(FaceInstance.person_id, func.count(FaceInstance.asset_id.distinct()).label("photos"))
        .where(
            FaceInstance.asset_id.in_(own_photos),
            FaceInstance.person_id.is_not(None),
            FaceInstance.person_id != person_id,
        )
        .group_by(FaceInstance.person_id)
        .subquery()
    )
    rows = session.execute(
        select(PersonRow.id, PersonRow.name, shown_face(), shared.c.photos)
        .join(shared, shared.c.person_id == PersonRow.id)
        .where(~PersonRow.deleted, ~PersonRow.hidden)
        .order_by(shared.c.photos.desc(), PersonRow.name_key)
        .limit(limit)
    )
    return [Companion(*row) for row in rows]


def count_persons(session: Session, *, hidden: bool) -> int:
    statement = select(func.count(PersonRow.id)).where(~PersonRow.deleted, PersonRow.hidden.is_(hidden))
    return session.scalar(statement) or 0


def existing_persons(session: Session, person_ids: Sequence[uuid.UUID] | None) -> list[uuid.UUID]:
    """Those of ``person_ids`` that exist, or all persons, ordered by id."""
    statement = select(PersonRow.id).where(~PersonRow.deleted).order_by(PersonRow.id)
    return list(
        session.scalars(statement if person_ids is None else statement.where(PersonRow.id.in_(person_ids)))
    )
