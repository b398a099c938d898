"""Faces by hand: the bodies of requests, and the answer."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.decisions import Another, DecisionBody, Name, Same
from image_search_service.services.indexing.by_hand import DrawnFace

BoxNumbers = Annotated[
    tuple[float, float, float, float],
    Field(
        description="x, y, width and height: pixels of the upright photo, or shares of it if all are from 0 "
        "to 1.",
        examples=[[412, 180, 96, 124]],
    ),
]


class AddFace(DecisionBody):
    """Make a face of a box in a photo, where no face was found; with a name or `person_id` also whose."""

    asset_id: UUID
    box: BoxNumbers
    name: Name | None = None
    person_id: UUID | None = Field(default=None, description="Instead of a name.", examples=[None])
    same: Same = None
    another: Another = False


class MoveFace(DecisionBody):
    """Put a face elsewhere in its photo."""

    face_id: UUID
    box: BoxNumbers


class RemoveFace(DecisionBody):
    """Say that there is no face."""

    face_id: UUID


class DrawnFaceResult(Answer):
    """A recorded decision that made a face by hand."""

    decision_id: int | None = Field(examples=[17])
    face_id: UUID
    person_id: UUID | None
    name: str | None = Field(examples=["Ada Lovelace"])
    landmarks_found: bool = Field(description="Whether the engine found a face in the box.")
    recognizable: bool = Field(description="Whether it can be told from others; else no job groups it.")
    quality_score: float = Field(description="0 to 1.", examples=[0.81])

    @classmethod
    def of(cls, drawn: DrawnFace) -> DrawnFaceResult:
        return cls(
            decision_id=drawn.decision,
            face_id=drawn.face_id,
            person_id=drawn.person_id,
            name=drawn.name,
            landmarks_found=drawn.landmarks_found,
            recognizable=drawn.recognizable,
            quality_score=drawn.quality,
        )
