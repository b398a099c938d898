"""Reads persons for display. How many faces each has is kept (``db/models/kept.py``); other details are read
only for the persons of one page."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Subquery, and_, bindparam, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from image_search_service.core.records.people import Companion, PersonName, PersonOrder, PersonRecord
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.conditions import in_replaced_photo
from image_search_service.db.queries.suggestion_states import IS_ANSWERABLE

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
    """A page of the visible persons, or of the hidden ones; equal ones by name. At most three statements.

    after: the position of the previous page's last person. offset: persons to skip after it.
    """
    place, counts = _sorted_by(order)
    statement = select(PersonRow.id, place).where(~PersonRow.deleted, PersonRow.hidden.is_(hidden))
    if counts is not None:
        statement = statement.outerjoin(counts, counts.c.person_id == PersonRow.id)
    by_place = [] if order is PersonOrder.NAME else [place.desc()]
    if after is not None:
        value, key, person_id = after
        behind = tuple_(PersonRow.name_key, PersonRow.id) > tuple_(key, literal(person_id))
        further = or_(place < value, and_(place == value, behind))
        statement = statement.where(further if by_place else behind)
    rows = session.execute(
        statement.order_by(*by_place, PersonRow.name_key, PersonRow.id).offset(offset).limit(limit)
    ).all()
    waiting = {row[0]: row[1] for row in rows} if order is PersonOrder.WAITING else None
    return persons_by_ids(session, [row[0] for row in rows], waiting)


def _sorted_by(order: PersonOrder) -> tuple[Any, Subquery | None]:
    match order:
        case PersonOrder.FACES:
            return PersonRow.faces, None
        case PersonOrder.WAITING:
            counts = _waiting_counts().subquery()
            return func.coalesce(counts.c.waiting, 0), counts
        case PersonOrder.NEWEST:
            return PersonRow.created_at, None
        case PersonOrder.NAME:
            return literal(0), None


def place_of(person: PersonRecord, order: PersonOrder) -> Place:
    """A person's position in a list of this order."""
    places: dict[PersonOrder, int | datetime] = {
        PersonOrder.FACES: person.faces,
        PersonOrder.WAITING: person.pending_suggestions,
        PersonOrder.NEWEST: person.created_at,
        PersonOrder.NAME: 0,
    }
    return places[order], person.name_key, person.id


def persons_by_ids(
    session: Session, person_ids: Sequence[uuid.UUID], waiting: Mapping[uuid.UUID, int] | None = None
) -> list[PersonRecord]:
    """The existing ones among at most ``BATCH`` persons, in the order of the ids: two statements.

    waiting: how many suggestions wait for each, if that is known; one statement less.
    """
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
    rows = session.execute(statement).all()
    waiting = waiting_of_persons(session, person_ids) if waiting is None else waiting
    persons = {row[0].id: _record(row, waiting.get(row[0].id, 0)) for row in rows}
    return [persons[person_id] for person_id in person_ids if person_id in persons]


def _record(row: Any, waiting: int) -> PersonRecord:
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
        pending_suggestions=waiting,
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
_OF_NAMES = _NAMES.where(PersonRow.name_key.in_(bindparam("keys", expanding=True)))


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


def waiting_of_persons(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The number of pending suggestions of each of these persons that has any."""
    counted = _waiting_counts().where(FaceSuggestion.person_id.in_(person_ids))
    return {row[0]: row[1] for row in session.execute(counted)}


def _waiting_counts() -> Any:
    return (
        select(FaceSuggestion.person_id.label("person_id"), func.count().label("waiting"))
        .where(IS_ANSWERABLE)
        .group_by(FaceSuggestion.person_id)
    )
