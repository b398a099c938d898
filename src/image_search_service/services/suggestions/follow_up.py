"""Starts searches for more faces of the persons of a decision, if the user asked for it."""

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
"""New suggestions for each person, the default of the search."""


def find_more(jobs: JobService, made: RecordedDecision, by: SearchMethod | None) -> list[uuid.UUID]:
    """``submit_searches`` those whom a decision was about."""
    return submit_searches(jobs, made.id, made.persons, by)


def submit_searches(
    jobs: JobService, decision: int | None, person_ids: Sequence[uuid.UUID], by: SearchMethod | None
) -> list[uuid.UUID]:
    """Submit jobs that search for more faces of these persons; none if not asked for, or nothing was decided.

    The decision is kept even if the queue does not answer; then the jobs are sent later.
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
