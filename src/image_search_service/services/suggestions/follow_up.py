"""What follows a decision on suggestions if the user asks for it: looking for more faces of these persons."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from image_search_service.core.errors import UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import SearchMethod
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.jobs.service import JobKind, JobService

log = get_logger(__name__)


JOB_KINDS = {
    SearchMethod.PROTOTYPES: JobKind.FIND_MORE_SUGGESTIONS,
    SearchMethod.MULTI_PROTOTYPE: JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS,
    SearchMethod.CENTROID: JobKind.FIND_MORE_CENTROID_SUGGESTIONS,
}
LIMIT = 50
"""New suggestions for each person, as when nothing else is asked for."""


def find_more(jobs: JobService, made: RecordedDecision, by: SearchMethod | None) -> list[uuid.UUID]:
    """``submit_searches`` those whom a decision was about."""
    return submit_searches(jobs, made.id, made.persons, by)


def submit_searches(
    jobs: JobService, decision: int | None, person_ids: Sequence[uuid.UUID], by: SearchMethod | None
) -> list[uuid.UUID]:
    """Jobs that look for more faces of these persons; none if nobody asked for it, or nothing was decided.

    What was decided stands whether or not the queue answers: then the jobs are sent later.
    """
    if by is None or decision is None:
        return []
    try:
        submitted = jobs.submit_for_persons(
            JOB_KINDS[by], person_ids, {"limit": LIMIT, "min_confidence": None}
        )
    except UnavailableError:
        log.warning("follow_up_waits", decision=decision, by=by.value)
        return []
    return [job.id for job in submitted]
