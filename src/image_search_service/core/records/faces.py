"""Records of faces and clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from image_search_service.core.decisions import NameOrigin
from image_search_service.core.types import Box

AssignedBy = Literal["human", "machine"]


class FaceState(StrEnum):
    """States of unnamed faces that no list of persons or clusters shows."""

    ALONE = "alone"
    """In no cluster: similar to no other face, or not recognizable."""
    ASIDE = "aside"
    """Set aside by a human."""
    NOT_A_FACE = "not_a_face"
    """Marked by a human as not a face."""


@dataclass(frozen=True, slots=True)
class FaceRecord:
    """One face found in one photo.

    position: left to right in the photo, from 0. box, landmarks: in pixels of the upright photo.
    detection_confidence, quality_score: 0 to 1. by_hand: whether a human drew its box, or a named region gave
    it, where no detector saw a face. assigned_by: None without a person. name_origin: where a human's name
    comes from, None without one.
    taken_at: local time of the photo, None if not known. path: an existing file of the photo.
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
    name_origin: NameOrigin | None
    cluster_id: UUID | None
    set_aside: bool
    taken_at: datetime | None
    path: Path | None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """An unnamed cluster.

    confidence: mean similarity of its faces to each other, −1 to 1. version: see
    ``services/people/versions.py``. first_faces: its best faces, the best first. first_year, last_year: of
    its dated photos.
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
    """Which clusters to list; bounds are inclusive, None means no bound.

    aside: only clusters that are set aside, instead of the others. after: size and id of the previous page's
    last cluster. offset: clusters to skip after it.
    """

    min_size: int | None = None
    max_size: int | None = None
    min_confidence: float | None = None
    max_confidence: float | None = None
    aside: bool = False
    after: tuple[int, UUID] | None = None
    offset: int = 0
