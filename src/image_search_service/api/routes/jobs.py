"""Jobs: list, read, watch, pause, cancel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from fastapi.sse import EventSourceResponse, ServerSentEvent

from image_search_service.api.deps import Jobs as JobsDependency, StillLetIn
from image_search_service.api.errors import problems
from image_search_service.api.pagination import CursorText, Limit, decode_cursor, moment, next_cursor
from image_search_service.api.schemas.jobs import Job, JobPage
from image_search_service.api.streams import RETRY_MILLISECONDS, watcher
from image_search_service.core.records.jobs import JobFilter
from image_search_service.services.jobs.service import ENDED, JobKind, JobService, JobState

router = APIRouter(prefix="/jobs", tags=["jobs"])

LOOK_SECONDS = 0.5
"""Pause between two looks at a job that is watched."""
WATCH_SECONDS = 600.0
"""After so long a stream ends."""


@router.get("")
def list_jobs(
    jobs: JobsDependency,
    state: JobState | None = None,
    kind: JobKind | None = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> JobPage:
    """Jobs, the newest first."""
    page = jobs.page(JobFilter(state, kind, decode_cursor(cursor, moment, UUID)), limit)
    return JobPage(
        items=[Job.of(job) for job in page.items],
        next_cursor=next_cursor(page.items, limit, lambda job: (job.created_at, job.id)),
        total=page.total,
    )


@router.get("/{job_id}", responses=problems(404))
def get_job(job_id: UUID, jobs: JobsDependency) -> Job:
    """One job with its state and progress."""
    return Job.of(jobs.get(job_id))


@router.post("/{job_id}/cancel", responses=problems(404, 409))
def cancel_job(job_id: UUID, jobs: JobsDependency) -> Job:
    """Cancel a job: at once if it waits or is paused, at its next step if it runs."""
    return Job.of(jobs.cancel(job_id))


@router.post("/{job_id}/pause", responses=problems(404, 409))
def pause_job(job_id: UUID, jobs: JobsDependency) -> Job:
    """Pause a job: at once if it waits, at its next step if it runs. It stays so over restarts."""
    return Job.of(jobs.pause(job_id))


@router.post("/{job_id}/resume", responses=problems(404, 409))
def resume_job(job_id: UUID, jobs: JobsDependency) -> Job:
    """Let a paused job go on: indexing from where it was, other jobs from their beginning."""
    return Job.of(jobs.resume(job_id))


def _watched(job_id: UUID, jobs: JobsDependency) -> Job:
    """Looked up before the stream begins, so that an unknown job is a 404."""
    return Job.of(jobs.get(job_id))


@router.get("/{job_id}/events", response_class=EventSourceResponse, responses=problems(404))
def watch_job(
    first: Annotated[Job, Depends(_watched)], jobs: JobsDependency, still_let_in: StillLetIn
) -> Iterator[ServerSentEvent]:
    """Server-sent events: the job now, again whenever it has changed, and at last when it has ended.

    A stream may end before its job; browsers then open it again by themselves.
    """
    yield ServerSentEvent(event=first.state, data=first, retry=RETRY_MILLISECONDS)
    with watcher() as has_room:
        if has_room:
            yield from _changes(first, jobs, still_let_in)


def _changes(shown: Job, jobs: JobService, still_let_in: StillLetIn) -> Iterator[ServerSentEvent]:
    until = time.monotonic() + WATCH_SECONDS
    while shown.state not in ENDED and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
        if not still_let_in():
            return
        now = Job.of(jobs.get(shown.id))
        if now != shown:
            shown = now
            yield ServerSentEvent(event=shown.state, data=shown)
