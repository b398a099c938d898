"""What importing did."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.services.exchange.service import ImportReport


class Imported(Answer):
    """What was taken over."""

    persons: int = Field(description="Persons in the file.", examples=[12])
    persons_new: int = Field(description="Persons that were made.", examples=[12])
    faces: int = Field(description="Faces in the file.", examples=[340])
    matched: int = Field(description="Faces that are here.", examples=[338])
    unmatched: int = Field(description="Faces that are not here.", examples=[2])
    kept: int = Field(description="Faces of which somebody has said otherwise here; that stands.")
    changed: int = Field(description="Facts that were new here.", examples=[702])
    history: bool = Field(description="Whether the decisions themselves were taken over.")
    decisions: int = Field(description="How many.", examples=[41])
    undo: list[int] = Field(
        description="Else the decisions that were made, the newest first, as they can be taken back."
    )
    examples: list[str] = Field(description="Some of the faces that are not here.")

    @classmethod
    def of(cls, report: ImportReport) -> Imported:
        return cls(**asdict(report))
