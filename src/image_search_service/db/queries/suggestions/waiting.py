"""Suggestions that wait for a decision, as they are shown: a page costs a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.core.records.suggestions import SuggestionRecord
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.suggestion_states import (
    IS_ANSWERABLE,
    PENDING,
    SUPERSEDED,
    suggestion_record,
)


@dataclass(slots=True)
class WaitingGroup:
    """A person and all suggestions that wait for them, the best first."""

    person_id: uuid.UUID
    name: str
    name_key: str
    pending: int
    suggestion_ids: list[uuid.UUID] = field(default_factory=list)


def groups_page(
    session: Session, after: tuple[int, str] | None, limit: int
) -> tuple[list[WaitingGroup], int]:
    """Persons with most suggestions first, then by name, and how many persons there are: two statements."""
    pending = (
        select(FaceSuggestion.person_id.label("person_id"), func.count().label("pending"))
        .where(IS_ANSWERABLE)
        .group_by(FaceSuggestion.person_id)
        .cte("pending")
    )
    total = select(func.count()).select_from(pending).scalar_subquery()
    statement = select(PersonRow.id, PersonRow.name, PersonRow.name_key, pending.c.pending, total).join(
        pending, pending.c.person_id == PersonRow.id
    )
    if after is not None:
        count, name_key = after
        statement = statement.where(
            or_(pending.c.pending < count, and_(pending.c.pending == count, PersonRow.name_key > name_key))
        )
    rows = session.execute(
        statement.order_by(pending.c.pending.desc(), PersonRow.name_key).limit(limit)
    ).all()
    waiting = waiting_for(session, [row[0] for row in rows])
    groups = [WaitingGroup(row[0], row[1], row[2], row[3], waiting[row[0]]) for row in rows]
    return groups, rows[0][4] if rows else count_groups(session)


def waiting_for(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """All suggestions that wait for each person of a page, the best first: one statement."""
    rows = session.execute(
        select(FaceSuggestion.person_id, FaceSuggestion.id)
        .where(IS_ANSWERABLE, FaceSuggestion.person_id.in_(person_ids))
        .order_by(FaceSuggestion.confidence.desc(), FaceSuggestion.id)
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for person_id, suggestion_id in rows:
        found.setdefault(person_id, []).append(suggestion_id)
    return found


def suggestions_by_ids(
    session: Session, suggestion_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, SuggestionRecord]:
    """Those that there are: one statement for each ``BATCH``."""
    return {
        row.id: suggestion_record(row)
        for part in chunks(suggestion_ids, BATCH)
        for row in session.scalars(select(FaceSuggestion).where(FaceSuggestion.id.in_(part)))
    }


def waiting_page(
    session: Session, person_id: uuid.UUID, offset: int, limit: int
) -> list[tuple[SuggestionRecord, uuid.UUID, datetime | None]]:
    """What waits for one person, each with its face's photo and when that was taken: by margin, the best
    first, those without one last."""
    rows = session.execute(
        select(FaceSuggestion, FaceInstance.asset_id, FaceInstance.taken_at)
        .join(FaceInstance, FaceInstance.id == FaceSuggestion.face_instance_id)
        .where(FaceSuggestion.person_id == person_id, IS_ANSWERABLE)
        .order_by(
            FaceSuggestion.margin.desc().nulls_last(), FaceSuggestion.confidence.desc(), FaceSuggestion.id
        )
        .offset(offset)
        .limit(limit)
    )
    return [(suggestion_record(row[0]), row[1], row[2]) for row in rows]


def count_waiting(session: Session) -> int:
    """How many suggestions wait for all persons together."""
    return session.scalar(select(func.count()).select_from(FaceSuggestion).where(IS_ANSWERABLE)) or 0


def count_groups(session: Session) -> int:
    """Persons for whom suggestions wait."""
    waiting = select(func.count(FaceSuggestion.person_id.distinct())).where(IS_ANSWERABLE)
    return session.scalar(waiting) or 0


def suggestion_counts(session: Session) -> list[tuple[str, str, int, int]]:
    """State, source, how many suggestions, for how many persons. What nobody has decided and cannot be right
    any more counts as superseded."""
    undecided = FaceSuggestion.state == PENDING
    state = case((and_(undecided, ~IS_ANSWERABLE), SUPERSEDED), else_=FaceSuggestion.state).label("state")
    rows = session.execute(
        select(
            state,
            FaceSuggestion.source,
            func.count(),
            func.count(FaceSuggestion.person_id.distinct()),
        )
        .group_by(state, FaceSuggestion.source)
        .order_by(state, FaceSuggestion.source)
    )
    return [(state, source, count, persons) for state, source, count, persons in rows]
