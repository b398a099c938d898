"""Clusters, and the parameters of grouping."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, StrictInt

from image_search_service.api.schemas.common import Answer, Page, RequestBody
from image_search_service.api.schemas.faces import Face, FacePicture, crop_url
from image_search_service.core.records.faces import ClusterRecord
from image_search_service.core.types import DEFAULT_METHOD, Likeness, MethodName
from image_search_service.services.suggestions.likeness import NearPerson


class Cluster(Answer):
    """Faces without a person that grouping put together."""

    id: UUID
    size: int = Field(description="Number of faces.", examples=[34])
    confidence: float = Field(
        description="Mean similarity of its faces to each other, −1 to 1.", examples=[0.62]
    )
    representative_face_id: UUID = Field(description="The face that represents the cluster best.")
    crop_url: str = Field(description="A small picture of that face, JPEG.")
    version: str = Field(
        description="Changes with the cluster's faces; send it along with a decision on the cluster.",
        examples=["34-9f86d081884c7d65"],
    )

    faces: list[FacePicture] = Field(description="Its best faces, at most eight, the best first.")
    first_year: int | None = Field(description="The earliest year of its dated photos.", examples=[2009])
    last_year: int | None = Field(examples=[2014])

    @classmethod
    def of(cls, cluster: ClusterRecord) -> Cluster:
        return cls(
            id=cluster.id,
            size=cluster.size,
            confidence=cluster.confidence,
            representative_face_id=cluster.representative_face_id,
            crop_url=crop_url(cluster.representative_face_id),
            version=cluster.version,
            faces=[FacePicture.of(face_id) for face_id in cluster.first_faces],
            first_year=cluster.first_year,
            last_year=cluster.last_year,
        )


class ClusterPerson(Answer):
    """A person whom a cluster resembles."""

    person_id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    cover_url: str | None = Field(description="A small picture of the person, JPEG.")
    similarity: float = Field(
        description="Of the cluster's mean to the person's centroid, −1 to 1.", examples=[0.71]
    )
    likeness: Likeness = Field(description="`similarity` in a word.", examples=["very"])

    @classmethod
    def of(cls, near: NearPerson) -> ClusterPerson:
        return cls(
            person_id=near.person_id,
            name=near.name,
            cover_url=None if near.shown_face_id is None else crop_url(near.shown_face_id),
            similarity=near.similarity,
            likeness=near.likeness,
        )


class ClusterPersons(Answer):
    """Persons whom a cluster resembles, the most similar first; without those who are ruled out."""

    persons: list[ClusterPerson]


class ClusterPage(Page[Cluster]):
    """Clusters, the largest first."""


class FacePage(Page[Face]):
    """Faces, the best first."""


class ClusterDetail(Answer):
    """A cluster and some of its faces."""

    cluster: Cluster
    faces: FacePage


class ClusteringRequest(RequestBody):
    """Parameters of grouping; omitted ones follow from the library's engine."""

    method: MethodName = Field(
        default=DEFAULT_METHOD,
        examples=[DEFAULT_METHOD],
        description="hdbscan and dbscan are former methods; they are accepted and mean agglomerative.",
    )
    min_cluster_size: StrictInt = Field(
        default=2, ge=2, le=10_000, description="Smallest number of faces that form a cluster.", examples=[3]
    )


def _written_out(value: object) -> object:
    """Pydantic would take a number for seconds; the documentation promises text."""
    if value is not None and not isinstance(value, str):
        raise ValueError("a moment is text such as 2026-11-01T00:00:00Z")
    return value


class AssignmentRequest(RequestBody):
    """Which faces to compare with the persons."""

    since: Annotated[AwareDatetime | None, BeforeValidator(_written_out)] = Field(
        default=None,
        description="Only faces found since then; null: all.",
        examples=["2026-11-01T00:00:00Z"],
    )
