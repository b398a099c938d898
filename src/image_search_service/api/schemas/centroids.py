"""Centroids: a person's trimmed mean embedding."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field, StrictBool

from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.suggestions import ForPersons
from image_search_service.core.records.people import CentroidRecord


class Centroid(Answer):
    """A person's active centroid, and whether it is of the faces that they have now."""

    id: UUID
    person_id: UUID
    faces: int = Field(description="Faces that the person had when it was computed.", examples=[57])
    faces_used: int = Field(description="Faces that were averaged, without outliers.", examples=[55])
    algorithm_version: int = Field(examples=[1])
    fresh: bool = Field(description="False if faces were added or removed since.")
    created_at: datetime

    @classmethod
    def of(cls, row: CentroidRecord, *, fresh: bool) -> Centroid:
        return cls(
            id=row.id,
            person_id=row.person_id,
            faces=row.faces,
            faces_used=row.faces_used,
            algorithm_version=row.algorithm_version,
            fresh=fresh,
            created_at=row.created_at,
        )


class CentroidEmbedding(Answer):
    """A person's active centroid as numbers."""

    id: UUID
    person_id: UUID
    embedding: list[float] = Field(
        description="A vector of unit length with as many numbers as the engine's embeddings."
    )


class ComputeRequest(ForPersons):
    """Whose centroids to compute."""

    force: StrictBool = Field(default=False, description="Compute fresh ones as well.")
