"""Photos, the folders that they are in, and what could not be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

UNDATED: Final = datetime(9999, 12, 31)  # noqa: DTZ001 - cameras' dates have no zone
"""Where photos without a date stand among the others: behind them."""


class PhotoOrder(StrEnum):
    """By the date on which they were taken; those without one come last."""

    OLDEST_FIRST = "date"
    NEWEST_FIRST = "-date"


@dataclass(frozen=True, slots=True)
class PhotoRecord:
    """A photo. width, height: in pixels, of the upright one. path: a file of it that is there."""

    id: UUID
    path: Path | None
    width: int | None
    height: int | None
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class CountedPhoto:
    """A photo, and how many faces are in it."""

    photo: PhotoRecord
    faces: int


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """A photo that shows a person, and which of its faces are theirs."""

    photo: PhotoRecord
    face_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class PhotoFilter:
    """Which photos are listed: all that hold together.

    with_persons: each of these is in it. without: none of these is. unknown: a face that nobody has named is
    in it. folder: a file of it is there or in a folder below.
    """

    with_persons: tuple[UUID, ...] = ()
    without: tuple[UUID, ...] = ()
    unknown: bool = False
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class MonthCount:
    """How many photos a month has, and how many come before it. month: ``2015-05``, None: without a date."""

    month: str | None
    photos: int
    offset: int


@dataclass(frozen=True, slots=True)
class FolderCount:
    """How many photos lie in a folder itself."""

    path: Path
    photos: int


@dataclass(frozen=True, slots=True)
class FailedPhoto:
    """A file that could not be read, and why. number: where it stands in the list."""

    number: int
    path: Path
    reason: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the disk. photos_hint: photos by their names in the folder itself, up to a limit."""

    path: Path
    photos_hint: int


@dataclass(frozen=True, slots=True)
class FolderListing:
    """A folder and those in it. path: None for the list of the folders that may be looked into.
    parent: None where the one above may not be."""

    path: Path | None
    parent: Path | None
    folders: Sequence[Folder]
    allowed_roots: Sequence[Path]
