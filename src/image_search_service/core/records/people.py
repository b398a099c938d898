"""Records of persons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from image_search_service.core.records.faces import FaceRecord

SHOWN_ID: Final = 8
"""Characters of a person's id that are shown where two have one name."""


class PersonOrder(StrEnum):
    """How a list of persons is sorted."""

    FACES = "faces"
    """Most faces first."""
    NAME = "name"
    NEWEST = "newest"
    """Most recently named first."""
    WAITING = "waiting"
    """Most pending suggestions first."""


class FaceOrder(StrEnum):
    """How a person's faces are sorted."""

    DATE = "date"
    """Oldest first, undated last."""
    ODD = "odd"
    """Least similar to the person's centroid first."""
    QUALITY = "quality"
    """Clearest first."""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person. cover_face_id: the face that somebody chose to show for them. shown_face_id: that one, else
    their clearest. faces, photos: numbers of those that show them. first_year, last_year: of their dated
    photos."""

    id: UUID
    name: str
    name_key: str
    note: str | None
    hidden: bool
    birth_date: date | None
    cover_face_id: UUID | None
    shown_face_id: UUID | None
    faces: int
    photos: int
    pending_suggestions: int
    first_year: int | None
    last_year: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person in the list of all names. shown_face_id: as in ``PersonRecord``. note: what tells them from
    somebody of the same name."""

    id: UUID
    name: str
    hidden: bool
    shown_face_id: UUID | None
    faces: int
    note: str | None = None

    @property
    def told_apart(self) -> str:
        """The person in a list of people of one name: ``3f2a91bc, 12 faces, "cousin"``."""
        faces = "1 face" if self.faces == 1 else f"{self.faces:,} faces"
        note = f', "{self.note}"' if self.note else ""
        return f"{self.id.hex[:SHOWN_ID]}, {faces}{note}"


@dataclass(frozen=True, slots=True)
class PersonFaceRecord:
    """A person's face. similarity: to their centroid, −1 to 1, None if not compared. age: the person's in the
    photo, in years."""

    face: FaceRecord
    similarity: float | None
    age: float | None


@dataclass(frozen=True, slots=True)
class Companion:
    """A person who shares photos with another one, and the number of these photos."""

    person_id: UUID
    name: str
    shown_face_id: UUID | None
    photos: int


@dataclass(frozen=True, slots=True)
class CentroidRecord:
    """A person's active centroid. faces: the number they had when it was computed. faces_used: the number of
    them that the mean was computed from."""

    id: UUID
    person_id: UUID
    faces: int
    faces_used: int
    algorithm_version: int
    created_at: datetime
