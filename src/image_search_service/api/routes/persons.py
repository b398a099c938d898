"""Persons, their faces, photos and companions."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response

from image_search_service.api.deps import Opened, Persons, Photos, Suggestions
from image_search_service.api.errors import problems
from image_search_service.api.pagination import (
    CursorText,
    Limit,
    Offset,
    camera_time,
    decode_cursor,
    moment,
    next_cursor,
    text,
    whole_number,
)
from image_search_service.api.schemas.persons import (
    Person,
    PersonCompanion,
    PersonCompanions,
    PersonFace,
    PersonFaceSlice,
    PersonNames,
    PersonPage,
    PersonPhoto,
    PersonPhotoPage,
)
from image_search_service.api.schemas.suggestions import PersonSuggestion, PersonSuggestionSlice
from image_search_service.core.records.people import FaceOrder, PersonOrder
from image_search_service.core.records.photos import UNDATED
from image_search_service.services.suggestions.likeness import LikenessService

router = APIRouter(prefix="/persons", tags=["persons"])

NOT_MODIFIED: Final = 304


@router.get("")
def list_persons(
    persons: Persons,
    order: Annotated[
        PersonOrder,
        Query(description="By most faces, by name, the newest first, or by most suggestions that wait."),
    ] = PersonOrder.FACES,
    hidden: Annotated[bool, Query(description="Those who were hidden, instead of the others.")] = False,
    cursor: CursorText = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> PersonPage:
    """Everybody with a name. A page begins behind `cursor`, and passes over `offset` more."""
    value = moment if order is PersonOrder.NEWEST else whole_number
    after = decode_cursor(cursor, value, text, UUID)
    page = persons.page(order, after, limit=limit, offset=offset, hidden=hidden)
    return PersonPage(
        items=[Person.of(person) for person in page.items],
        next_cursor=next_cursor(page.items, limit, lambda person: persons.place(person, order)),
        total=page.total,
    )


@router.get(
    "/names",
    response_model=PersonNames,
    responses={NOT_MODIFIED: {"description": "As it was for `If-None-Match`."}},
)
def list_names(
    persons: Persons,
    if_none_match: Annotated[str | None, Header(description="The `ETag` of an answer before.")] = None,
) -> Response:
    """All names in one response, to choose from; 304 if none has changed."""
    content = PersonNames.json_of(persons.names())
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and etag in if_none_match:
        return Response(status_code=NOT_MODIFIED, headers=headers)
    return Response(content, media_type="application/json", headers=headers)


@router.get("/{person_id}", responses=problems(404))
def get_person(person_id: UUID, persons: Persons) -> Person:
    """One person."""
    return Person.of(persons.person(person_id))


@router.get("/{person_id}/faces", responses=problems(404))
def list_faces_of_person(
    person_id: UUID,
    persons: Persons,
    library: Opened,
    order: Annotated[
        FaceOrder,
        Query(description="By date, those least like the others first (`odd`), or the clearest first."),
    ] = FaceOrder.DATE,
    offset: Offset = 0,
    limit: Limit = 50,
) -> PersonFaceSlice:
    """A person's faces, from any place of the list."""
    if order is FaceOrder.ODD:
        persons.ids([person_id])
        library.stores.require_embeddings()
        page = LikenessService(library.stores).odd_faces(person_id, offset, limit)
    else:
        page = persons.faces(person_id, order, offset, limit)
    items = [PersonFace.of_person(item) for item in page.items]
    return PersonFaceSlice(items=items, total=page.total, offset=offset)


@router.get("/{person_id}/with", responses=problems(404))
def list_persons_beside(person_id: UUID, persons: Persons) -> PersonCompanions:
    """Persons who share photos with this one, those with most shared photos first, at most fifty."""
    return PersonCompanions(persons=[PersonCompanion.of(item) for item in persons.companions(person_id)])


@router.get("/{person_id}/suggestions", responses=problems(404))
def list_suggestions_of_person(
    person_id: UUID,
    persons: Persons,
    suggestions: Suggestions,
    offset: Offset = 0,
    limit: Limit = 50,
) -> PersonSuggestionSlice:
    """Pending suggestions for a person, those with the largest margin to the second best person first."""
    persons.ids([person_id])
    page, version = suggestions.of_person(person_id, offset, limit)
    items = [PersonSuggestion.of_person(item) for item in page.items]
    return PersonSuggestionSlice(items=items, total=page.total, offset=offset, version=version)


@router.get("/{person_id}/photos", responses=problems(404))
def list_photos_of_person(
    person_id: UUID, persons: Persons, photos: Photos, cursor: CursorText = None, limit: Limit = 50
) -> PersonPhotoPage:
    """The photos that show a person, the oldest first, those without a date last."""
    persons.ids([person_id])
    page = photos.of_person(person_id, decode_cursor(cursor, camera_time, UUID), limit)
    return PersonPhotoPage(
        items=[PersonPhoto.showing(item) for item in page.items],
        next_cursor=next_cursor(
            page.items, limit, lambda item: (item.photo.taken_at or UNDATED, item.photo.id)
        ),
        total=page.total,
    )
