"""Jobs on the whole library: comparing its stores, names from and into metadata."""

from __future__ import annotations

from fastapi import APIRouter

from image_search_service.api.deps import Jobs
from image_search_service.api.schemas.jobs import Job
from image_search_service.api.schemas.maintenance import DoctorRequest, WriteMetadataRequest
from image_search_service.services.jobs.service import JobKind

router = APIRouter(tags=["maintenance"])


@router.post("/doctor", status_code=202)
def examine(request: DoctorRequest, jobs: Jobs) -> Job:
    """Compare the database, Qdrant and the small pictures completely, as a job; repair the differences if
    asked to."""
    return Job.of(jobs.submit(JobKind.DOCTOR, request.model_dump()))


@router.post("/metadata/read", status_code=202)
def read_metadata(jobs: Jobs) -> Job:
    """Import names that other programs wrote into photos or sidecars, as a job. It is a decision that can be
    undone."""
    return Job.of(jobs.submit(JobKind.READ_METADATA, {}))


@router.post("/metadata/write", status_code=202)
def write_metadata(request: WriteMetadataRequest, jobs: Jobs) -> Job:
    """Write the names that humans gave into sidecars next to the photos, as a job; photos are not changed."""
    return Job.of(jobs.submit(JobKind.WRITE_METADATA, request.model_dump()))
