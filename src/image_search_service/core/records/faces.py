"""Faces and clusters of faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from image_search_service.core.types import Box

AssignedBy = Literal["human", "machine"]


class FaceState(StrEnum):
    """Faces that nobody has named and that are in no list of people or clusters."""

    ALONE = "alone"
    """In no cluster: like no other face, or not to be told from others."""
    ASIDE = "aside"
    """Set aside by a human."""
    NOT_A_FACE = "not_a_face"
    """A human has said that it is none."""


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One face found in one photo.

    position: left to right in the photo, from 0. box, landmarks: in pixels of the upright photo.
    detection_confidence, quality_score: 0 to 1. assigned_by: None while it has no person.
    taken_at: local time of the photo, None where it is not known. path: a file of the photo that is there.
    """

    id: UUID
    asset_id: UUID
    position: int
    box: Box
    landmarks: list[list[float]]
    photo_width: int
    photo_height: int
    detection_confidence: float
    quality_score: float
    quality_parts: dict[str, Any]
    person_id: UUID | None
    person_name: str | None
    assigned_by: AssignedBy | None
    cluster_id: UUID | None
    set_aside: bool
    taken_at: datetime | None
    path: Path | None


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """A cluster that nobody has named.

    confidence: mean similarity of its faces to each other, −1 to 1. version: ``services/people/versions.py``.
    first_faces: its best faces, the best first. first_year, last_year: of its photos that have a date.
    """

    id: UUID
    size: int
    confidence: float
    representative_face_id: UUID
    version: str
    first_faces: Sequence[UUID]
    first_year: int | None
    last_year: int | None


@dataclass(frozen=True, slots=True)
class ClusterFilter:
    """Which clusters are listed; bounds are inclusive, what is None does not matter.

    aside: those that were set aside, instead of the others. after: size and id of the last one of the page
    before. offset: how many to pass over behind it.
    """

    min_size: int | None = None
    max_size: int | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    aside: bool = False
    after: tuple[int, UUID] | None = None
    offset: int = 0
