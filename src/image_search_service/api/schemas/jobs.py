"""Jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, Page
from image_search_service.core.records.jobs import JobRecord
from image_search_service.services.jobs.service import STEP, JobKind, JobState


class JobProgress(Answer):
    """How far a job is."""

    done: int = Field(description="Steps done.", examples=[120])
    total: int | None = Field(description="Steps in all; null while it is not known.", examples=[400])
    text: str | None = Field(description="The present step, in English.", examples=["Reading photos"])


class Job(Answer):
    """A background job with its state and progress."""

    id: UUID
    kind: str = Field(
        description="One of `JobKind`; a restored backup may have others, of another version.",
        examples=[JobKind.DETECT_FACES.value],
    )
    parameters: dict[str, Any] = Field(examples=[{"method": "agglomerative", "min_cluster_size": None}])
    state: JobState
    done: int = Field(description="Steps done.", examples=[120])
    total: int | None = Field(description="Steps in all; null while it is not known.", examples=[400])
    counts: dict[str, Any] = Field(
        description="Counts by name, so far or at the end.", examples=[{"clusters": 41}]
    )
    progress: JobProgress = Field(description="`done`, `total` and the present step.")
    result: dict[str, Any] = Field(description="The same as `counts`.", examples=[{"clusters": 41}])
    error: str | None = Field(description="Why it failed, or why it is tried again.")
    cancel_requested: bool
    pause_requested: bool
    attempts: int = Field(description="Number of attempts.", examples=[1])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str = Field(description="Address of this job.")

    @classmethod
    def of(cls, job: JobRecord) -> Job:
        counts = {name: value for name, value in job.counts.items() if name != STEP}
        return cls(
            id=job.id,
            kind=job.kind,
            parameters=job.parameters,
            state=JobState(job.state),
            done=job.done,
            total=job.total,
            counts=counts,
            progress=JobProgress(done=job.done, total=job.total, text=job.counts.get(STEP)),
            result=counts,
            error=job.error,
            cancel_requested=job.cancel_requested,
            pause_requested=job.pause_requested,
            attempts=job.attempts,
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            url=f"/api/v1/jobs/{job.id}",
        )


class JobPage(Page[Job]):
    """Jobs, the newest first."""


class Jobs(Answer):
    """Jobs that were accepted: one for each hundred persons."""

    jobs: list[Job]

    @classmethod
    def of(cls, accepted: list[JobRecord]) -> Jobs:
        return cls(jobs=[Job.of(job) for job in accepted])
