"""Records of suggestions: faces that may be a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from image_search_service.core.types import Likeness


@dataclass(frozen=True, slots=True)
class SuggestionRecord:
    """A face that may be a person. confidence, threshold, second_similarity, margin: cosine similarities or
    their difference; evidence: what the face resembles (``db/models/suggestions.py``)."""

    id: UUID
    face_instance_id: UUID
    person_id: UUID
    state: str
    confidence: float
    source: str
    evidence: list[dict[str, Any]]
    threshold: float | None
    second_person_id: UUID | None
    second_similarity: float | None
    margin: float | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SuggestionGroupRecord:
    """A person, the number of their pending suggestions, the best of these, and the version of all of
    them."""

    person_id: UUID
    name: str
    name_key: str
    pending: int
    suggestions: Sequence[SuggestionRecord]
    version: str


@dataclass(frozen=True, slots=True)
class DatedSuggestion:
    """A suggestion with its face's photo, the photo's date, and the similarity in a word."""

    suggestion: SuggestionRecord
    asset_id: UUID
    taken_at: datetime | None
    likeness: Likeness


@dataclass(frozen=True, slots=True)
class SuggestionCount:
    """The number of suggestions of one source in one state, and of their persons."""

    state: str
    source: str
    suggestions: int
    persons: int
