"""The result of an import."""

from __future__ import annotations

from dataclasses import asdict

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.services.exchange.service import ImportReport


class Imported(Answer):
    """Counts of what an import changed."""

    persons: int = Field(description="Persons in the file.", examples=[12])
    persons_new: int = Field(description="Persons that were created.", examples=[12])
    faces: int = Field(description="Faces in the file.", examples=[340])
    matched: int = Field(description="Faces of the file that this library has.", examples=[338])
    unmatched: int = Field(description="Faces of the file that this library lacks.", examples=[2])
    kept: int = Field(description="Faces on which this library has another decision, which is kept.")
    changed: int = Field(description="Facts that changed.", examples=[702])
    history: bool = Field(description="Whether the decisions themselves were imported.")
    decisions: int = Field(description="Number of imported decisions.", examples=[41])
    undo: list[int] = Field(
        description="If the history was not imported: the new decisions, the newest first, to undo them."
    )
    examples: list[str] = Field(description="Some of the faces that this library lacks.")

    @classmethod
    def of(cls, report: ImportReport) -> Imported:
        return cls(**asdict(report))
