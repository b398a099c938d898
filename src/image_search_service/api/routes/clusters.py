"""Clusters: faces that belong together and have no name yet; and grouping them again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from image_search_service.api.deps import Clusters, Complete, Jobs, Opened
from image_search_service.api.errors import problems
from image_search_service.api.pagination import (
    CursorText,
    Limit,
    Offset,
    decode_cursor,
    next_cursor,
    real_number,
    whole_number,
)
from image_search_service.api.schemas.clusters import (
    AssignmentRequest,
    Cluster,
    ClusterDetail,
    ClusteringRequest,
    ClusterPage,
    ClusterPerson,
    ClusterPersons,
    FacePage,
)
from image_search_service.api.schemas.faces import Face
from image_search_service.api.schemas.grouping import WaitingGrouping
from image_search_service.api.schemas.jobs import Job
from image_search_service.core.records.faces import ClusterFilter
from image_search_service.services.grouping_proposals import GroupingProposals
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.suggestions.likeness import LikenessService

router = APIRouter(prefix="/faces", tags=["clusters"])

Size = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="Faces in the cluster, inclusive.")]
Confidence = Annotated[
    float | None,
    Query(ge=-1, le=1, allow_inf_nan=False, description="Mean similarity of its faces, inclusive."),
]


@router.get("/clusters")
def list_clusters(
    clusters: Clusters,
    min_size: Size = None,
    max_size: Size = None,
    min_confidence: Confidence = None,
    max_confidence: Confidence = None,
    aside: Annotated[bool, Query(description="Those that were set aside, instead of the others.")] = False,
    cursor: CursorText = None,
    offset: Offset = 0,
    limit: Limit = 50,
) -> ClusterPage:
    """Clusters, the largest first. The bounds hold for `total` as for the pages. A page begins behind
    `cursor`, and passes over `offset` more."""
    where = ClusterFilter(
        min_size=min_size,
        max_size=max_size,
        min_confidence=min_confidence,
        max_confidence=max_confidence,
        aside=aside,
        after=decode_cursor(cursor, whole_number, UUID),
        offset=offset,
    )
    page = clusters.page(where, limit)
    return ClusterPage(
        items=[Cluster.of(cluster) for cluster in page.items],
        next_cursor=next_cursor(page.items, limit, lambda cluster: (cluster.size, cluster.id)),
        total=page.total,
    )


@router.get("/clusters/{cluster_id}", responses=problems(404))
def get_cluster(
    cluster_id: UUID, clusters: Clusters, cursor: CursorText = None, limit: Limit = 50
) -> ClusterDetail:
    """One cluster with its faces, the best first; `cursor` and `limit` page through these."""
    cluster, faces = clusters.cluster(cluster_id, decode_cursor(cursor, real_number, UUID), limit)
    following = next_cursor(faces.items, limit, lambda face: (face.quality_score, face.id))
    page = FacePage(items=[Face.of(face) for face in faces.items], next_cursor=following, total=faces.total)
    return ClusterDetail(cluster=Cluster.of(cluster), faces=page)


@router.get("/clusters/{cluster_id}/persons", responses=problems(404))
def list_persons_like_cluster(
    cluster_id: UUID,
    clusters: Clusters,
    library: Complete,
    limit: Limit = 5,
) -> ClusterPersons:
    """Persons whose centroids the cluster's mean embedding resembles, the most similar first."""
    clusters.require(cluster_id)
    nearest = LikenessService(library.stores).nearest_persons(cluster_id, limit)
    return ClusterPersons(persons=[ClusterPerson.of(near) for near in nearest])


@router.post("/cluster", status_code=202)
def cluster_faces(request: ClusteringRequest, jobs: Jobs) -> Job:
    """Group the faces without a person anew, as a job. Faces with a person are not changed."""
    return Job.of(jobs.submit(JobKind.CLUSTER_FACES, request.model_dump()))


@router.post("/cluster/proposal", status_code=202)
def propose_grouping(request: ClusteringRequest, jobs: Jobs) -> Job:
    """Compute, as a job, what grouping all faces without a person anew would change. Nothing is changed until
    it is applied."""
    return Job.of(jobs.submit(JobKind.PROPOSE_GROUPING, request.model_dump()))


@router.get("/cluster/proposal")
def get_grouping_proposal(library: Opened) -> WaitingGrouping:
    """The grouping that waits to be applied or dropped, and the largest changes it would make."""
    return WaitingGrouping.of(GroupingProposals(library.stores).waiting())


@router.post("/cluster/proposal/{proposal_id}/apply", status_code=204, responses=problems(404, 409))
def apply_grouping_proposal(proposal_id: UUID, library: Opened) -> None:
    """Make the changes. It is refused if something was decided or grouped since they were computed."""
    GroupingProposals(library.stores).apply(proposal_id)
    library.payload_sender.send_if_it_answers()


@router.post("/cluster/proposal/{proposal_id}/drop", status_code=204, responses=problems(404))
def drop_grouping_proposal(proposal_id: UUID, library: Opened) -> None:
    """Leave the groups as they are."""
    GroupingProposals(library.stores).drop(proposal_id)


@router.post("/cluster/dual", status_code=202)
def cluster_dual(request: ClusteringRequest, jobs: Jobs) -> Job:
    """Assign faces to the persons whom they resemble, then group the rest, as a job."""
    return Job.of(jobs.submit(JobKind.CLUSTER_DUAL, request.model_dump()))


@router.post("/assign", status_code=202)
def assign_faces(request: AssignmentRequest, jobs: Jobs) -> Job:
    """Assign faces to the persons whom they resemble, as a job.

    Human decisions are kept: a face with a person is not touched, and a rejected pair is not suggested again.
    A face that is similar, but not similar enough, becomes a suggestion.
    """
    return Job.of(jobs.submit(JobKind.ASSIGN_FACES, request.model_dump(mode="json")))
