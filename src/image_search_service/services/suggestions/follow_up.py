"""Searches for more faces of the persons of a decision, if the user asked for it."""

from __future__ import annotations

import uuid

from image_search_service.core.errors import UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import SearchMethod
from image_search_service.db.session import Session
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.jobs.service import (
    JobKind,
    JobService,
    SubmittedJobs,
    for_persons,
    insert_jobs,
)

log = get_logger(__name__)


JOB_KINDS = {
    SearchMethod.PROTOTYPES: JobKind.FIND_MORE_SUGGESTIONS,
    SearchMethod.MULTI_PROTOTYPE: JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS,
    SearchMethod.CENTROID: JobKind.FIND_MORE_CENTROID_SUGGESTIONS,
}
LIMIT = 50
"""New suggestions for each person, the default of the search."""


class SearchesAfterDecision:
    """Submits the searches in the decision's own transaction, so that neither is without the other, and sends
    them to workers when it is committed. by: how to search; None: not at all."""

    def __init__(self, jobs: JobService, by: SearchMethod | None) -> None:
        self._jobs = jobs
        self._by = by
        self._submitted = SubmittedJobs([], [])

    def submit(self, session: Session, made: RecordedDecision) -> None:
        """Searches for those whom the decision was about; none if nothing was decided."""
        if self._by is not None and made.id is not None and made.persons:
            parameters = for_persons(made.persons, {"limit": LIMIT, "min_confidence": None})
            self._submitted = insert_jobs(session, JOB_KINDS[self._by], parameters)

    def send(self) -> list[uuid.UUID]:
        """The ids of the jobs. If the queue does not answer, workers find them later."""
        try:
            self._jobs.send(self._submitted)
        except UnavailableError:
            log.warning("follow_up_waits", jobs=len(self._submitted.due))
        return [job.id for job in self._submitted.jobs]
