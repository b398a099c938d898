"""Jobs."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, Page
from image_search_service.db import models
from image_search_service.services.jobs.service import JobKind, JobState


class Job(Answer):
    """Something done in the background, what has become of it, and how far it is."""

    id: UUID
    kind: JobKind
    parameters: dict[str, Any] = Field(examples=[{"method": "agglomerative", "min_cluster_size": None}])
    state: JobState
    done: int = Field(description="Steps done.", examples=[120])
    total: int | None = Field(description="Steps in all; null while it is not known.", examples=[400])
    counts: dict[str, Any] = Field(description="What it found and did.", examples=[{"clusters": 41}])
    error: str | None = Field(description="Why it failed, or why it is tried again.")
    cancel_requested: bool
    attempts: int = Field(description="How many times it was begun.", examples=[1])
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    url: str = Field(description="Where it can be looked at again.")

    @classmethod
    def of(cls, job: models.JobRow) -> Job:
        return cls(
            id=job.id,
            kind=JobKind(job.kind),
            parameters=job.parameters,
            state=JobState(job.state),
            done=job.done,
            total=job.total,
            counts=job.counts,
            error=job.error,
            cancel_requested=job.cancel_requested,
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
    def of(cls, accepted: list[models.JobRow]) -> Jobs:
        return cls(jobs=[Job.of(job) for job in accepted])
