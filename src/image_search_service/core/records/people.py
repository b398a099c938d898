"""People with a name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from image_search_service.core.records.faces import FaceRecord


class PersonOrder(StrEnum):
    """How a list of persons is sorted."""

    FACES = "faces"
    """Those with most faces first."""
    NAME = "name"
    NEWEST = "newest"
    """Those named last first."""
    WAITING = "waiting"
    """Those for whom most suggestions wait first."""


class FaceOrder(StrEnum):
    """How a person's faces are sorted."""

    DATE = "date"
    """The oldest first, those without a date last."""
    ODD = "odd"
    """Those least like the person's centroid first."""
    QUALITY = "quality"
    """The clearest first."""


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """A person. cover_face_id: the face that somebody chose to show for them; shown_face_id: that one, else
    their clearest. faces, photos: that show them. first_year, last_year: of their photos that have a date."""

    id: UUID
    name: str
    name_key: str
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
    """A person in the list of all names. shown_face_id: as of ``PersonRecord``."""

    id: UUID
    name: str
    hidden: bool
    shown_face_id: UUID | None
    faces: int


@dataclass(frozen=True, slots=True)
class PersonFace:
    """A person's face. similarity: to their centroid, −1 to 1, None where it was not compared.
    age: theirs in the photo, in years."""

    face: FaceRecord
    similarity: float | None
    age: float | None


@dataclass(frozen=True, slots=True)
class Companion:
    """Somebody who is in photos with a person, and in how many."""

    person_id: UUID
    name: str
    shown_face_id: UUID | None
    photos: int


@dataclass(frozen=True, slots=True)
class CentroidRecord:
    """A person's active centroid. faces: how many they had when it was computed; faces_used: of how many of
    them it is the mean."""

    id: UUID
    person_id: UUID
    faces: int
    faces_used: int
    algorithm_version: int
    created_at: datetime
