"""Photos in lists and by themselves."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field, StrictBool

from image_search_service.api.schemas.common import Answer, LocalTime, Page, RequestBody, Slice
from image_search_service.api.schemas.faces import PREFIX, Face, shown_path
from image_search_service.core.records import photos as records
from image_search_service.core.records.photos import CountedPhoto, PersonWithoutFace, PhotoRecord

MAX_PATHS = 100
PATH_LENGTH = 4_096


class Photo(Answer):
    """An image file in the library."""

    asset_id: UUID
    path: str | None = Field(
        description="A file of the photo; null when all of them are missing.",
        examples=["/photos/2019/garden.jpg"],
    )
    width: int | None = Field(description="In pixels, of the upright photo.", examples=[1024])
    height: int | None = Field(examples=[768])
    taken_at: LocalTime | None = Field(description="Local time where it was taken, as the camera wrote it.")
    thumbnail_url: str = Field(description="A small copy, JPEG.")
    picture_url: str = Field(description="A larger copy, JPEG; add `?side=` and one of its sizes.")

    @classmethod
    def of(cls, photo: PhotoRecord) -> Photo:
        return cls(**photo_fields(photo))


def photo_fields(photo: PhotoRecord) -> dict[str, Any]:
    """A photo's fields, for the answers that add some of their own."""
    return {
        "asset_id": photo.id,
        "path": None if photo.path is None else shown_path(photo.path),
        "width": photo.width,
        "height": photo.height,
        "taken_at": photo.taken_at,
        "thumbnail_url": f"{PREFIX}/assets/{photo.id}/thumbnail",
        "picture_url": f"{PREFIX}/assets/{photo.id}/picture",
    }


class PersonWithoutFaceAnswer(Answer):
    """Somebody whom a photo's file names, without a place in the picture."""

    person_id: UUID | None = Field(description="Null for one whom the library does not know.")
    person_name: str = Field(examples=["Ada Lovelace"])

    @classmethod
    def of(cls, person: PersonWithoutFace) -> PersonWithoutFaceAnswer:
        return cls(person_id=person.person_id, person_name=person.name)


class PhotoFaces(Answer):
    """A photo and the faces in it, left to right."""

    photo: Photo
    faces: list[Face]
    people_without_face: list[PersonWithoutFaceAnswer] = Field(
        description="Who is in the photo as its metadata say, and has no face in it.", examples=[[]]
    )


class ListedPhoto(Photo):
    """A photo in the list of all."""

    faces: int = Field(description="Number of faces in the photo.", examples=[3])

    @classmethod
    def counted(cls, item: CountedPhoto) -> ListedPhoto:
        return cls(**photo_fields(item.photo), faces=item.faces)


class PhotoSlice(Slice[ListedPhoto]):
    """Photos by date; those without one come last."""


class Month(Answer):
    """Photos of a month."""

    month: str | None = Field(description="Null: photos without a date.", examples=["2015-05"])
    photos: int = Field(examples=[31])
    offset: int = Field(description="Position of the month's first photo in the list.", examples=[1200])

    @classmethod
    def of(cls, item: records.MonthCount) -> Month:
        return cls(month=item.month, photos=item.photos, offset=item.offset)


class Months(Answer):
    """How the photos of a list spread over time, in the order of the list."""

    months: list[Month]


class PhotoFolder(Answer):
    """A folder that photos lie in."""

    path: str = Field(examples=["/photos/2019"])
    photos: int = Field(description="Number of photos in the folder itself.", examples=[120])

    @classmethod
    def of(cls, item: records.FolderCount) -> PhotoFolder:
        return cls(path=shown_path(item.path), photos=item.photos)


class PhotoFolders(Answer):
    """Every folder that a photo lies in, by name."""

    folders: list[PhotoFolder]


class FailedPhoto(Answer):
    """A file that could not be read."""

    path: str = Field(examples=["/photos/2019/broken.jpg"])
    reason: str = Field(examples=["The file is damaged."])
    waits: bool = Field(
        description="The reason may pass (the disk, rights, memory, a setting): the next run tries again."
    )

    @classmethod
    def of(cls, item: records.FailedPhotoRecord) -> FailedPhoto:
        return cls(path=shown_path(item.path), reason=item.reason, waits=item.waits)


class FailedPhotoPage(Page[FailedPhoto]):
    """Files that could not be read, in the order in which they were found."""


class IndexRequest(RequestBody):
    """Which photos to index."""

    paths: list[str] = Field(
        default_factory=list,
        max_length=MAX_PATHS,
        description="Folders or single files, with their whole paths, below the allowed roots; without any, "
        "all folders of the library.",
        examples=[["/photos"]],
    )
    retry_failed: StrictBool = Field(
        default=False, description="Try files again that could not be read before."
    )
    names_from_metadata: StrictBool | None = Field(
        default=None,
        description="Take names that other programs wrote into photos; null leaves it to the settings.",
    )


class Folder(Answer):
    """A folder that photos can be indexed in."""

    name: str = Field(examples=["2019"])
    path: str = Field(examples=["/photos/2019"])
    photos_hint: int = Field(
        description="Photos in the folder itself by their names, counted up to a limit.", examples=[120]
    )

    @classmethod
    def of(cls, item: records.FolderRecord) -> Folder:
        name = item.path.name or str(item.path)
        return cls(name=name, path=shown_path(item.path), photos_hint=item.photos_hint)


class FolderListing(Answer):
    """A folder and those in it, by name; without a path the folders that may be looked into."""

    path: str | None
    parent: str | None = Field(description="The folder above; null where it must not be listed.")
    folders: list[Folder]
    allowed_roots: list[str] = Field(
        description="Folders below which photos may be indexed.", examples=[["/photos"]]
    )

    @classmethod
    def of(cls, listing: records.FolderListingRecord) -> FolderListing:
        return cls(
            path=None if listing.path is None else shown_path(listing.path),
            parent=None if listing.parent is None else shown_path(listing.parent),
            folders=[Folder.of(item) for item in listing.folders],
            allowed_roots=[shown_path(root) for root in listing.allowed_roots],
        )
