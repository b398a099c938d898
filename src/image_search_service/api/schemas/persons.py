"""Persons and their photos."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from pydantic import Field
from pydantic_core import to_json

from image_search_service.api.schemas.common import Answer, Page, Slice
from image_search_service.api.schemas.faces import Face, crop_url, face_fields
from image_search_service.api.schemas.photos import Photo, photo_fields
from image_search_service.core.records import people
from image_search_service.core.records.people import Companion, PersonRecord
from image_search_service.core.records.photos import PersonPhotoRecord

NOTE: Final = "What tells the person from others of the same name, in a few words."


class Person(Answer):
    """A person with a name."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    note: str | None = Field(description=NOTE, examples=[None])
    faces: int = Field(description="Number of faces.", examples=[57])
    photos: int = Field(description="Number of photos that show the person.", examples=[55])
    pending_suggestions: int = Field(
        description="Number of pending suggestions for the person.", examples=[4]
    )
    hidden: bool = Field(description="Whether the person is left out of lists.")
    birth_date: date | None = Field(examples=["1815-12-10"])
    cover_face_id: UUID | None = Field(description="The face that a human chose to show for the person.")
    cover_url: str | None = Field(
        description="A small picture of that face, or else of the clearest one, JPEG; null without any."
    )
    first_year: int | None = Field(description="The earliest year of their dated photos.", examples=[1836])
    last_year: int | None = Field(examples=[1852])
    created_at: datetime

    @classmethod
    def of(cls, person: PersonRecord) -> Person:
        return cls(
            id=person.id,
            name=person.name,
            note=person.note,
            hidden=person.hidden,
            birth_date=person.birth_date,
            cover_face_id=person.cover_face_id,
            cover_url=cover_url(person.shown_face_id),
            faces=person.faces,
            photos=person.photos,
            pending_suggestions=person.pending_suggestions,
            first_year=person.first_year,
            last_year=person.last_year,
            created_at=person.created_at,
        )


class PersonPage(Page[Person]):
    """Persons in the order that was asked for."""


class NamedPerson(Answer):
    """A person in the list of all names."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    faces: int = Field(description="Number of faces.", examples=[57])
    cover_url: str | None = Field(description="A small picture of the person, JPEG.")
    hidden: bool = Field(description="Whether the person is left out of lists.")
    note: str | None = Field(description=NOTE, examples=[None])


class PersonNames(Answer):
    """All persons with a name, by name."""

    names: list[NamedPerson]

    @staticmethod
    def json_of(persons: Iterable[people.PersonName]) -> bytes:
        """The answer as JSON; objects of these classes would take twice the time for thousands of names."""
        names = [
            {
                "id": person.id,
                "name": person.name,
                "faces": person.faces,
                "cover_url": cover_url(person.shown_face_id),
                "hidden": person.hidden,
                "note": person.note,
            }
            for person in persons
        ]
        return to_json({"names": names})


class PersonFace(Face):
    """A face of a person."""

    similarity: float | None = Field(
        description="To the mean of all their faces, −1 to 1; null unless the faces are ordered by it, or "
        "without an embedding.",
        examples=[0.71],
    )
    age: float | None = Field(
        description="Their age in the photo, in years; null where birth or photo has no date.",
        examples=[20.42],
    )

    @classmethod
    def of_person(cls, item: people.PersonFaceRecord) -> PersonFace:
        return cls(**face_fields(item.face), similarity=item.similarity, age=item.age)


class PersonFaceSlice(Slice[PersonFace]):
    """Faces of a person in the order that was asked for."""


class PersonCompanion(Answer):
    """A person who shares photos with another one."""

    person_id: UUID
    name: str = Field(examples=["Grace Hopper"])
    cover_url: str | None = Field(description="A small picture of the person, JPEG.")
    photos: int = Field(description="Number of photos that show both.", examples=[12])

    @classmethod
    def of(cls, item: Companion) -> PersonCompanion:
        return cls(
            person_id=item.person_id,
            name=item.name,
            cover_url=cover_url(item.shown_face_id),
            photos=item.photos,
        )


class PersonCompanions(Answer):
    """Persons who share photos with a person, those with most shared photos first; without hidden persons."""

    persons: list[PersonCompanion]


class PersonPhoto(Photo):
    """A photo that shows a person."""

    face_ids: list[UUID] = Field(description="The person's faces in the photo.")

    @classmethod
    def showing(cls, item: PersonPhotoRecord) -> PersonPhoto:
        return cls(**photo_fields(item.photo), face_ids=list(item.face_ids))


class PersonPhotoPage(Page[PersonPhoto]):
    """Photos of a person, the oldest first, those without a date last."""


def cover_url(face_id: UUID | None) -> str | None:
    return None if face_id is None else crop_url(face_id)
