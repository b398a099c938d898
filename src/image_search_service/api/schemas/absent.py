"""Photos and folders that are not on the disk any more."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field, StrictBool

from image_search_service.api.schemas.common import Answer, RequestBody
from image_search_service.api.schemas.decisions import DecisionBody
from image_search_service.api.schemas.faces import shown_path
from image_search_service.api.schemas.photos import MAX_PATHS, PATH_LENGTH
from image_search_service.core.records.photos import AbsentFolderRecord, AbsentState
from image_search_service.services.forgetting.service import Absence, Forgetting


class AbsentFolderItem(Answer):
    """A folder, drive or photo that is not there."""

    path: str = Field(examples=["/media/drive/photos"])
    state: AbsentState = Field(description="`gone` if somebody said that it will not come back.")
    since: datetime
    photos: int = Field(description="Photos that lie nowhere else.", examples=[412])

    @classmethod
    def of(cls, folder: AbsentFolderRecord) -> AbsentFolderItem:
        return cls(path=shown_path(folder.path), state=folder.state, since=folder.since, photos=folder.photos)


class AbsentFolders(Answer):
    """Folders that are not there, and how many photos may be forgotten."""

    folders: list[AbsentFolderItem]
    forgettable: int = Field(description="Photos that were deleted, by the last run.", examples=[12])
    away: int = Field(description="Missing photos in folders that are only away.", examples=[412])


class MarkFolder(RequestBody):
    """A folder of which somebody says that it is not there."""

    path: str = Field(max_length=PATH_LENGTH, examples=["/media/drive/photos"])


class MarkedFolder(Answer):
    """What became of it."""

    path: str
    state: AbsentState
    files: int = Field(description="Files that are missing now and were not before.", examples=[420])
    photos: int = Field(description="Photos that lie nowhere else.", examples=[412])

    @classmethod
    def of(cls, absence: Absence) -> MarkedFolder:
        return cls(
            path=shown_path(absence.path), state=absence.state, files=absence.files, photos=absence.photos
        )


class ForgetPhotos(DecisionBody):
    """Which missing photos to forget."""

    paths: list[str] = Field(
        default_factory=list,
        max_length=MAX_PATHS,
        description="Only photos that were below these folders, those that are away among them; without any, "
        "all that were deleted.",
    )
    excluded: StrictBool = Field(default=False, description="Also photos that are only left out by excludes.")
    dry_run: StrictBool = Field(default=False, description="Only say what would be forgotten.")


class ForgottenPhotos(Answer):
    """What was forgotten."""

    decision_id: int | None = Field(description="Its number, for undo; null if there was nothing to forget.")
    photos: int = Field(examples=[12])
    faces: int = Field(examples=[31])
    away: int = Field(description="Missing photos that stay: their folder is away.", examples=[0])
    excluded: int = Field(description="Photos that stay: they are only left out by excludes.", examples=[0])

    @classmethod
    def of(cls, done: Forgetting) -> ForgottenPhotos:
        return cls(
            decision_id=done.decision,
            photos=done.photos,
            faces=done.faces,
            away=done.away,
            excluded=done.excluded,
        )


class ErasePhotos(RequestBody):
    """Which forgotten photos to erase."""

    paths: list[str] = Field(
        default_factory=list, max_length=MAX_PATHS, description="Only photos that were below these folders."
    )
