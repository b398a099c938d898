"""Suggestions: faces that may be a person; and looking for more of them."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from image_search_service.api.deps import Jobs as JobsDependency, Opened, Persons, Suggestions
from image_search_service.api.errors import problems
from image_search_service.api.pagination import (
    CursorText,
    Limit,
    decode_cursor,
    next_cursor,
    text,
    whole_number,
)
from image_search_service.api.schemas.jobs import Job, Jobs
from image_search_service.api.schemas.suggestions import (
    ExpireRequest,
    FindMoreRequest,
    SuggestionGroup,
    SuggestionGroupPage,
    SuggestionReasons,
    SuggestionStats,
)
from image_search_service.api.turns import READS, in_turn
from image_search_service.core.types import SearchMethod
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.suggestions.follow_up import JOB_KINDS
from image_search_service.services.suggestions.search import SuggestionService

router = APIRouter(prefix="/suggestions", tags=["suggestions"])

Each = Annotated[int, Query(ge=1, le=100, description="How many suggestions of each person are shown.")]


@router.get("", dependencies=[in_turn(READS)])
def list_suggestions(
    suggestions: Suggestions, cursor: CursorText = None, limit: Limit = 20, per_person: Each = 10
) -> SuggestionGroupPage:
    """Pending suggestions by person: persons with most suggestions first, and the best of each."""
    page = suggestions.groups(decode_cursor(cursor, whole_number, text, UUID), limit, per_person)
    return SuggestionGroupPage(
        items=[SuggestionGroup.of(group) for group in page.items],
        next_cursor=next_cursor(
            page.items, limit, lambda group: (group.pending, group.name_key, group.person_id)
        ),
        total=page.total,
    )


@router.get("/stats")
def get_suggestion_stats(suggestions: Suggestions) -> SuggestionStats:
    """How many suggestions there are, by state and by source."""
    return SuggestionStats.of(suggestions.counts(), suggestions.persons_waiting())


@router.get("/{suggestion_id}", responses=problems(404), dependencies=[in_turn(READS)])
def get_suggestion(suggestion_id: UUID, library: Opened) -> SuggestionReasons:
    """A suggestion with its evidence: the confirmed faces that it resembles, the thresholds for suggesting
    and assigning, and the second best person."""
    return SuggestionReasons.of(SuggestionService(library.stores).explain(suggestion_id))


@router.post("/find-more/{method}", status_code=202, responses=problems(404))
def find_more(method: SearchMethod, request: FindMoreRequest, persons: Persons, jobs: JobsDependency) -> Jobs:
    """Look for more faces of these persons, or of all, as jobs of a hundred persons each.

    `prototypes` takes some of their best faces, `multi_prototype` all that were chosen to stand for them,
    `centroid` their mean.
    """
    ids = persons.ids(request.person_ids)
    parameters = request.model_dump(exclude={"person_ids"})
    return Jobs.of(jobs.submit_for_persons(JOB_KINDS[method], ids, parameters))


@router.post("/expire", status_code=202)
def expire_suggestions(request: ExpireRequest, jobs: JobsDependency) -> Job:
    """Withdraw suggestions that have been pending for long, as a job; they may be found again."""
    return Job.of(jobs.submit(JobKind.EXPIRE_OLD_SUGGESTIONS, request.model_dump()))
