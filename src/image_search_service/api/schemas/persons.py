"""Persons and their photos."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, Page
from image_search_service.api.schemas.faces import Photo, crop_url, photo_fields
from image_search_service.db.queries.people.person_pages import ShownPerson
from image_search_service.services.people.views import PersonPhotoFaces


class Person(Answer):
    """Somebody with a name."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    faces: int = Field(description="Faces that are theirs.", examples=[57])
    photos: int = Field(description="Photos that show them.", examples=[55])
    pending_suggestions: int = Field(
        description="Faces that may be theirs and wait for a decision.", examples=[4]
    )
    hidden: bool = Field(description="Whether somebody left them out of lists.")
    birth_date: date | None = Field(examples=["1815-12-10"])
    cover_face_id: UUID | None = Field(description="The face that somebody chose to show for them.")
    cover_url: str | None = Field(description="A small picture of that face, WebP.")
    created_at: datetime

    @classmethod
    def of(cls, shown: ShownPerson) -> Person:
        cover = shown.person.cover_face_id
        return cls(
            id=shown.person.id,
            name=shown.person.name,
            hidden=shown.person.hidden,
            birth_date=shown.person.birth_date,
            cover_face_id=cover,
            cover_url=None if cover is None else crop_url(cover),
            faces=shown.faces,
            photos=shown.photos,
            pending_suggestions=shown.pending_suggestions,
            created_at=shown.person.created_at,
        )


class PersonPage(Page[Person]):
    """Persons, those with most faces first."""


class PersonPhoto(Photo):
    """A photo that shows a person."""

    face_ids: list[UUID] = Field(description="The person's faces in it.")

    @classmethod
    def showing(cls, item: PersonPhotoFaces) -> PersonPhoto:
        return cls(**photo_fields(item.photo), face_ids=item.face_ids)


class PersonPhotoPage(Page[PersonPhoto]):
    """Photos of a person, the oldest first, those without a date last."""
