"""Records of photos, their folders, and unreadable files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

UNDATED: Final = datetime(9999, 12, 31)  # noqa: DTZ001 - cameras' dates have no zone
"""Sort value of photos without a date, which come last."""


class PhotoOrder(StrEnum):
    """By the date on which photos were taken; undated photos come last."""

    OLDEST_FIRST = "date"
    NEWEST_FIRST = "-date"


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """A photo. width, height: of the upright photo, in pixels. path: an existing file of it."""

    id: UUID
    path: Path | None
    width: int | None
    height: int | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonWithoutFace:
    """A person whom a photo's file names without a place. person_id: None for one not in the library."""

    person_id: UUID | None
    name: str


@dataclass(frozen=True, slots=True)
class CountedPhoto:
    """A photo and its number of faces."""

    photo: PhotoRecord
    faces: int


@dataclass(frozen=True, slots=True)
class PersonPhotoRecord:
    """A photo that shows a person. face_ids: the person's faces in it."""

    photo: PhotoRecord
    face_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Which photos to list; all conditions hold at once.

    with_persons: persons who are all in the photo. without: persons who are not in it. unknown: it has an
    unnamed face. folder: a file of it is in this folder or below.
    """

    with_persons: tuple[UUID, ...] = ()
    without: tuple[UUID, ...] = ()
    unknown: bool = False
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class MonthCount:
    """A month's number of photos, and how many come before it. month: ``2015-05``, None for undated
    photos."""

    month: str | None
    photos: int
    offset: int


@dataclass(frozen=True, slots=True)
class FolderCount:
    """A folder and the number of photos directly in it."""

    path: Path
    photos: int


@dataclass(frozen=True, slots=True)
class FailedPhotoRecord:
    """An unreadable file and the reason. number: its position in the list. waits: the reason may pass, and
    the next run tries again."""

    number: int
    path: Path
    reason: str
    waits: bool = False


class AbsentState(StrEnum):
    """Of a folder that is not there: whether it may come back."""

    AWAY = "away"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class AbsentFolderRecord:
    """A folder that is not there. since: when that was noticed or said. photos: those that lie nowhere
    else."""

    path: Path
    state: AbsentState
    since: datetime
    photos: int


@dataclass(frozen=True, slots=True)
class RootRecord:
    """A folder of the library, or a single file.

    excludes: what is left out of it, in gitignore's form. indexed_at: None if it was only added. state: None
    if it is there. photos: those that are in it. excluded: those of which no file counts as present, with one
    that is left out of it.
    """

    path: Path
    excludes: Sequence[str]
    indexed_at: datetime | None
    state: AbsentState | None
    photos: int
    excluded: int


@dataclass(frozen=True, slots=True)
class FolderRecord:
    """A folder on the disk. photos_hint: number of files directly in it named like photos, up to a limit."""

    path: Path
    photos_hint: int


@dataclass(frozen=True, slots=True)
class FolderListingRecord:
    """A folder and its sub-folders. path: None for the list of allowed roots. parent: None if it is not
    allowed."""

    path: Path | None
    parent: Path | None
    folders: Sequence[FolderRecord]
    allowed_roots: Sequence[Path]
