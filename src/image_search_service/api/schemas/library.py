"""The library as a whole, and news of it."""

from __future__ import annotations

from pydantic import Field

from image_search_service.api.schemas.common import Answer
from image_search_service.api.schemas.faces import shown_path
from image_search_service.core.records.decisions import MadeDecision
from image_search_service.core.records.library import LibrarySummary


class LibraryOverview(Answer):
    """What the library holds, in numbers."""

    photos: int = Field(examples=[4120])
    has_photos: bool
    photos_failed: int = Field(description="Photos that cannot be read.", examples=[3])
    photos_waiting: int = Field(
        description="Files and folders that could not be read just now; the next run tries again.",
        examples=[0],
    )
    faces: int = Field(examples=[11204])
    named_faces: int = Field(examples=[9800])
    alone_faces: int = Field(
        description="Faces without a person that resemble no other face.", examples=[904]
    )
    persons: int = Field(examples=[212])
    clusters: int = Field(description="Clusters, the groups of faces without a name.", examples=[41])
    waiting_suggestions: int = Field(description="Suggestions that can be answered.", examples=[12])
    engine: str | None = Field(description="Null until something is indexed.", examples=["opencv"])
    last_decision: int = Field(
        description="The number of the newest decision; 0 without one.", examples=[318]
    )
    roots: list[str] = Field(description="Folders and files that were indexed.", examples=[["/photos"]])

    @classmethod
    def of(cls, summary: LibrarySummary) -> LibraryOverview:
        return cls(
            photos=summary.photos,
            has_photos=summary.photos > 0,
            photos_failed=summary.photos_failed,
            photos_waiting=summary.photos_waiting,
            faces=summary.faces,
            named_faces=summary.named_faces,
            alone_faces=summary.alone_faces,
            persons=summary.persons,
            clusters=summary.clusters,
            waiting_suggestions=summary.waiting_suggestions,
            engine=summary.engine,
            last_decision=summary.last_decision,
            roots=[shown_path(root) for root in summary.roots],
        )


class DecisionNews(Answer):
    """A decision that was just recorded."""

    id: int = Field(description="The decision's number.", examples=[318])
    kind: str = Field(examples=["name_cluster"])
    actor: str = Field(examples=["ada"])

    @classmethod
    def of(cls, made: MadeDecision) -> DecisionNews:
        return cls(id=made.id, kind=made.kind, actor=made.actor)
