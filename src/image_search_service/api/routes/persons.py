"""Persons: who has a name, and in which photos they are."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from image_search_service.api.deps import Browse
from image_search_service.api.errors import problems
from image_search_service.api.pagination import (
    CursorText,
    Limit,
    camera_time,
    decode_cursor,
    next_cursor,
    text,
    whole_number,
)
from image_search_service.api.schemas.persons import Person, PersonPage, PersonPhoto, PersonPhotoPage
from image_search_service.db.queries.people.face_pages import UNDATED

router = APIRouter(prefix="/persons", tags=["persons"])


@router.get("")
def list_persons(
    browse: Browse,
    hidden: Annotated[bool, Query(description="Those who were hidden, instead of the others.")] = False,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> PersonPage:
    """Everybody with a name, those with most faces first."""
    found = browse.persons(decode_cursor(cursor, whole_number, text), limit, hidden=hidden)
    return PersonPage(
        items=[Person.of(shown) for shown in found.items],
        next_cursor=next_cursor(found.items, limit, lambda shown: (shown.faces, shown.person.name_key)),
        total=found.total,
    )


@router.get("/{person_id}", responses=problems(404))
def get_person(person_id: UUID, browse: Browse) -> Person:
    """One person."""
    return Person.of(browse.person(person_id))


@router.get("/{person_id}/photos", responses=problems(404))
def list_photos_of_person(
    person_id: UUID, browse: Browse, cursor: CursorText = None, limit: Limit = 50
) -> PersonPhotoPage:
    """The photos that show a person, the oldest first, those without a date last."""
    found = browse.photos_of_person(person_id, decode_cursor(cursor, camera_time, UUID), limit)
    return PersonPhotoPage(
        items=[PersonPhoto.showing(item) for item in found.items],
        next_cursor=next_cursor(
            found.items, limit, lambda item: (item.photo.asset.taken_at or UNDATED, item.photo.asset.id)
        ),
        total=found.total,
    )
