"""Photos of the library: lists, the faces in one, and its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from image_search_service.api.deps import Faces, Photos, Pictures
from image_search_service.api.errors import problems
from image_search_service.api.pagination import Limit, Offset
from image_search_service.api.routes.images import IMAGE, Jpeg
from image_search_service.api.schemas.faces import Face
from image_search_service.api.schemas.photos import (
    PATH_LENGTH,
    ListedPhoto,
    Month,
    Months,
    PersonWithoutFaceAnswer,
    Photo,
    PhotoFaces,
    PhotoFolder,
    PhotoFolders,
    PhotoSlice,
)
from image_search_service.core.records.photos import PhotoFilter, PhotoOrder

router = APIRouter(prefix="/assets", tags=["photos"])

MAX_PERSONS = 20
PersonIds = Annotated[list[UUID], Query(max_length=MAX_PERSONS)]
PictureSide = Literal["320", "640", "1024", "1600", "2560"]


async def _filter(
    person_id: Annotated[PersonIds, Query(description="Persons who are all in the photo.")] = [],  # noqa: B006
    without: Annotated[PersonIds, Query(description="Persons who are not in it.")] = [],  # noqa: B006
    unknown: Annotated[bool, Query(description="Only photos with a face without a person.")] = False,
    folder: Annotated[
        str | None,
        Query(
            max_length=PATH_LENGTH,
            pattern="^[^\\x00]*$",
            description="Only photos in this folder or below it.",
            examples=["/photos/2019"],
        ),
    ] = None,
) -> PhotoFilter:
    return PhotoFilter(tuple(person_id), tuple(without), unknown, None if folder is None else Path(folder))


Where = Annotated[PhotoFilter, Depends(_filter)]
Order = Annotated[PhotoOrder, Query(description="By date, the oldest or (`-date`) the newest first.")]


@router.get("")
def list_photos(
    photos: Photos,
    where: Where,
    order: Order = PhotoOrder.NEWEST_FIRST,
    offset: Offset = 0,
    limit: Limit = 50,
) -> PhotoSlice:
    """Photos by date, from any place of the list; all conditions hold together."""
    page = photos.page(where, order, offset, limit)
    return PhotoSlice(
        items=[ListedPhoto.counted(item) for item in page.items], total=page.total, offset=offset
    )


@router.get("/months")
def list_months(photos: Photos, where: Where, order: Order = PhotoOrder.NEWEST_FIRST) -> Months:
    """How many photos of such a list each month has, and where they begin in it."""
    return Months(months=[Month.of(item) for item in photos.months(where, order)])


@router.get("/folders")
def list_photo_folders(photos: Photos) -> PhotoFolders:
    """The folders that photos lie in."""
    return PhotoFolders(folders=[PhotoFolder.of(item) for item in photos.folders()])


@router.get("/{asset_id}/faces", responses=problems(404))
def get_faces_of_asset(asset_id: UUID, catalogue: Faces) -> PhotoFaces:
    """The faces in one photo, left to right, and who else its metadata name."""
    photo, faces = catalogue.in_photo(asset_id)
    people = catalogue.without_face(asset_id)
    return PhotoFaces(
        photo=Photo.of(photo),
        faces=[Face.of(face) for face in faces],
        people_without_face=[PersonWithoutFaceAnswer.of(person) for person in people],
    )


@router.get("/{asset_id}/thumbnail", response_class=Jpeg, responses=IMAGE | problems(404))
def get_thumbnail(asset_id: UUID, pictures: Pictures) -> Jpeg:
    """A small copy of the photo."""
    return Jpeg(pictures.thumbnail(asset_id))


@router.get("/{asset_id}/picture", response_class=Jpeg, responses=IMAGE | problems(404))
def get_picture(
    asset_id: UUID,
    pictures: Pictures,
    side: Annotated[PictureSide, Query(description="Its longer side in pixels, at most.")] = "1024",
) -> Jpeg:
    """The photo, upright, in a size to look at. It is made when it is first asked for; 404 when no file of
    the photo is there for it."""
    return Jpeg(pictures.picture(asset_id, int(side)))
