"""Persons and their photos."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, Page
from image_search_service.api.schemas.faces import Photo, photo_fields
from image_search_service.db.queries.person_pages import ShownPerson
from image_search_service.services.browse_service import PersonPhotoFaces


class Person(Answer):
    """Somebody with a name."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    faces: int = Field(description="Faces that are theirs.", examples=[57])
    photos: int = Field(description="Photos that show them.", examples=[55])
    pending_suggestions: int = Field(
        description="Faces that may be theirs and wait for a decision.", examples=[4]
    )
    created_at: datetime

    @classmethod
    def of(cls, shown: ShownPerson) -> Person:
        return cls(
            id=shown.person.id,
            name=shown.person.name,
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
