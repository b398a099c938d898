"""Reads persons as they are shown: lists of them, their faces, and with whom they are seen."""

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
"""Of those with whom a person is seen, so many are listed."""
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
        """Persons who are not hidden, or those who are. after: ``place`` of the last one before."""
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
        """Everybody, also who is hidden, by name."""
        with self._database.read() as session:
            return queries.person_names(session)

    def faces(
        self, person_id: uuid.UUID, order: FaceOrder, offset: int, limit: int
    ) -> ListPage[PersonFaceRecord]:
        """A person's faces by date or by quality. Those by similarity: ``LikenessService``."""
        if order is FaceOrder.ODD:
            raise InvalidInputError("Which faces are odd is a question for their embeddings.")
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
        """These persons, or all. Raises NotFoundError, naming those that there are not."""
        with self._database.read() as session:
            existing = queries.existing_persons(session, wanted)
        missing = sorted(set(wanted or ()) - set(existing))
        if missing:
            names = ", ".join(str(person_id) for person_id in missing)
            raise NotFoundError(f"There is no person {names}.", hint="GET /api/v1/persons lists them.")
        return existing


def with_age(face: FaceRecord, born: date | None, similarity: float | None = None) -> PersonFaceRecord:
    """A person's face with how old they are in the photo, if that can be known."""
    return PersonFaceRecord(face, similarity, age_at(born, face.taken_at))


def age_at(born: date | None, taken_at: datetime | None) -> float | None:
    """In years, to two places: below two the months can be told. Negative for a photo from before."""
    if born is None or taken_at is None:
        return None
    return round((taken_at.date() - born).days / DAYS_OF_A_YEAR, 2)
