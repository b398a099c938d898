"""Contradictions between faces, photos and persons: listed, never resolved by the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from image_search_service.api.deps import Jobs, Opened
from image_search_service.api.pagination import (
    CursorText,
    decode_cursor,
    moment,
    next_cursor,
    real_number,
    text,
)
from image_search_service.api.schemas.conflicts import Conflict, Conflicts
from image_search_service.api.schemas.jobs import Job
from image_search_service.api.turns import READS, in_turn
from image_search_service.core.errors import InvalidInputError
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.suggestions.conflicts import ConflictKind, ConflictService

router = APIRouter(prefix="/conflicts", tags=["decisions"])

Each = Annotated[int, Query(ge=1, le=500, description="At most so many of each kind.")]
Kind = Annotated[ConflictKind | None, Query(description="Only these; then `cursor` leads to the next page.")]
PLACES: Mapping[ConflictKind, tuple[Callable[[Any], Any], ...]] = {
    ConflictKind.LOST_FACE: (moment, UUID),
    ConflictKind.OTHER_NAME_IN_FILE: (text, UUID),
    ConflictKind.TWICE_IN_A_PHOTO: (text, UUID, UUID),
    ConflictKind.BEFORE_BIRTH: (text, UUID, UUID),
    ConflictKind.FAR_FROM_THE_OTHERS: (real_number, UUID),
    ConflictKind.LOOK_THE_SAME: (real_number, UUID),
}
"""What a cursor of each kind holds."""


@router.get("", dependencies=[in_turn(READS)])
def list_conflicts(
    library: Opened, kind: Kind = None, cursor: CursorText = None, limit: Each = 20
) -> Conflicts:
    """Contradictions: a name that has lost its face since its photo was changed or replaced; a face for which
    a file has another name; a person twice in a photo, or in one taken before their birth; a face unlike the
    others of its person; two persons who look alike and were not marked as different. The last two are as
    they were found when the persons were last compared, which jobs do, without what is not so any more."""
    service = ConflictService(library.database)
    if kind is None:
        if cursor is not None:
            raise InvalidInputError("A cursor belongs to one kind.", hint="Send `kind` along with it.")
        found, following = service.find(limit), None
    else:
        found = service.page(kind, decode_cursor(cursor, *PLACES[kind]), limit)
        following = next_cursor(found, limit, lambda record: record.place)
    return Conflicts(
        items=[Conflict.of(conflict) for conflict in found],
        next_cursor=following,
        unchecked=service.unchecked(),
    )


@router.post("/find", status_code=202)
def find_conflicts(jobs: Jobs) -> Job:
    """Compare the persons whose faces have changed with all others, as a job. Jobs that group, assign or
    compute centroids do so at their end."""
    return Job.of(jobs.submit(JobKind.FIND_CONFLICTS, {"everybody": False}))
