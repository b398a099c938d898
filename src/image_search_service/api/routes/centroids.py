"""Centroids: computed by jobs, read one by one."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from image_search_service.api.deps import Jobs as JobsDependency, Opened, Persons
from image_search_service.api.errors import problems
from image_search_service.api.schemas.centroids import Centroid, CentroidEmbedding, ComputeRequest
from image_search_service.api.schemas.jobs import Jobs
from image_search_service.core.errors import NotFoundError
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.jobs.service import JobKind

router = APIRouter(tags=["centroids"])

HINT = "POST /api/v1/centroids computes it."


@router.post("/centroids", status_code=202, responses=problems(404))
def compute_centroids(request: ComputeRequest, persons: Persons, jobs: JobsDependency) -> Jobs:
    """Compute the centroids of these persons, or of all, whose faces have changed, as jobs."""
    ids = persons.ids(request.person_ids)
    accepted = jobs.submit_for_persons(JobKind.COMPUTE_CENTROIDS, ids, {"force": request.force})
    return Jobs.of(accepted)


@router.get("/centroids/{person_id}", responses=problems(404))
def get_centroid_embedding(person_id: UUID, persons: Persons, library: Opened) -> CentroidEmbedding:
    """A person's active centroid as numbers."""
    persons.ids([person_id])
    centroids = CentroidService(library.stores).active_centroids([person_id])
    if not centroids.centroid_ids:
        raise _none(person_id)
    return CentroidEmbedding(
        id=centroids.centroid_ids[0], person_id=person_id, embedding=centroids.matrix[0].tolist()
    )


@router.get("/persons/{person_id}/centroid", responses=problems(404))
def get_centroid_of_person(person_id: UUID, persons: Persons, library: Opened) -> Centroid:
    """A person's active centroid: of how many faces it is, and whether these are the ones they have now."""
    persons.ids([person_id])
    service = CentroidService(library.stores)
    active = service.active_centroid(person_id)
    if active is None:
        raise _none(person_id)
    return Centroid.of(active, fresh=not service.is_stale(person_id))


def _none(person_id: UUID) -> NotFoundError:
    return NotFoundError(f"The person {person_id} has no centroid yet.", hint=HINT)
