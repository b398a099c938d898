"""The library as a whole, and what happens in it."""

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
    faces: int = Field(examples=[11204])
    named_faces: int = Field(examples=[9800])
    alone_faces: int = Field(description="Of nobody, and like no other face.", examples=[904])
    persons: int = Field(examples=[212])
    clusters: int = Field(description="Groups without a name.", examples=[41])
    waiting_suggestions: int = Field(description="That can be answered.", examples=[12])
    engine: str | None = Field(description="Null until something is indexed.", examples=["opencv"])
    last_decision: int = Field(description="Its number; 0: there is none.", examples=[318])
    roots: list[str] = Field(description="What was indexed.", examples=[["/photos"]])

    @classmethod
    def of(cls, found: LibrarySummary) -> LibraryOverview:
        return cls(
            photos=found.photos,
            has_photos=found.photos > 0,
            photos_failed=found.photos_failed,
            faces=found.faces,
            named_faces=found.named_faces,
            alone_faces=found.alone_faces,
            persons=found.persons,
            clusters=found.clusters,
            waiting_suggestions=found.waiting_suggestions,
            engine=found.engine,
            last_decision=found.last_decision,
            roots=[shown_path(root) for root in found.roots],
        )


class DecisionNews(Answer):
    """That somebody has decided something."""

    id: int = Field(description="Its number.", examples=[318])
    kind: str = Field(examples=["name_cluster"])
    actor: str = Field(examples=["ada"])

    @classmethod
    def of(cls, made: MadeDecision) -> DecisionNews:
        return cls(id=made.id, kind=made.kind, actor=made.actor)
