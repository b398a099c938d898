"""Reads persons for display: lists, their faces, and their companions in photos."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.records.faces import FaceRecord
from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.people import (
    Companion,
    FaceOrder,
    PersonFaceRecord,
    PersonName,
    PersonOrder,
    PersonRecord,
)
from image_search_service.db.queries.people import faces as face_queries, persons as queries
from image_search_service.db.queries.people.persons import Place
from image_search_service.db.session import Database
from image_search_service.services.existing import required

COMPANIONS: Final = 50
"""The most companions of a person that are listed."""
DAYS_OF_A_YEAR: Final = 365.2425


class PersonCatalogue:
    """Lists persons. Each method costs a fixed number of statements, and raises NotFoundError for a person
    that there is not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self,
        order: PersonOrder = PersonOrder.FACES,
        after: Place | None = None,
        *,
        limit: int,
        offset: int = 0,
        hidden: bool = False,
    ) -> ListPage[PersonRecord]:
        """A page of visible or hidden persons. after: ``place`` of the previous page's last person."""
        with self._database.read() as session:
            return ListPage(
                queries.persons_page(session, order, after, offset=offset, limit=limit, hidden=hidden),
                queries.count_persons(session, hidden=hidden),
            )

    def place(self, person: PersonRecord, order: PersonOrder) -> Place:
        """Where a person stands in a list of this order."""
        return queries.place_of(person, order)

    def person(self, person_id: uuid.UUID) -> PersonRecord:
        with self._database.read() as session:
            return required(
                next(iter(queries.persons_by_ids(session, [person_id])), None), "person", person_id
            )

    def names(self) -> list[PersonName]:
        """All persons by name, hidden ones included."""
        with self._database.read() as session:
            return queries.person_names(session)

    def faces(
        self, person_id: uuid.UUID, order: FaceOrder, offset: int, limit: int
    ) -> ListPage[PersonFaceRecord]:
        """A person's faces by date or by quality. Those by similarity: ``LikenessService``."""
        if order is FaceOrder.ODD:
            raise InvalidInputError("Faces in the order odd come from LikenessService.odd_faces.")
        with self._database.read() as session:
            _, born = required(queries.birth_date(session, person_id), "person", person_id)
            faces = face_queries.faces_of_person(session, person_id, order, offset, limit)
            total = face_queries.count_faces_of_person(session, person_id)
        return ListPage([with_age(face, born) for face in faces], total)

    def companions(self, person_id: uuid.UUID) -> list[Companion]:
        """Who else is in a person's photos, those in most of them first."""
        self.ids([person_id])
        with self._database.read() as session:
            return queries.companions(session, person_id, COMPANIONS)

    def ids(self, wanted: Sequence[uuid.UUID] | None) -> list[uuid.UUID]:
        """The ids of these persons, or of all. Raises NotFoundError with the unknown ones."""
        with self._database.read() as session:
            existing = queries.existing_persons(session, wanted)
        missing = sorted(set(wanted or ()) - set(existing))
        if missing:
            names = ", ".join(str(person_id) for person_id in missing)
            raise NotFoundError(f"There is no person {names}.", hint="GET /api/v1/persons lists them.")
        return existing


def with_age(face: FaceRecord, born: date | None, similarity: float | None = None) -> PersonFaceRecord:
    """A person's face with the person's age in the photo, if known."""
    return PersonFaceRecord(face, similarity, age_at(born, face.taken_at))


def age_at(born: date | None, taken_at: datetime | None) -> float | None:
    """The age in years, to two decimals, so that months are visible. Negative for a photo before the
    birth."""
    if born is None or taken_at is None:
        return None
    return round((taken_at.date() - born).days / DAYS_OF_A_YEAR, 2)
