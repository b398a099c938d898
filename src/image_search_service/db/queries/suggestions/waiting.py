"""Suggestions that wait for a decision, as they are shown: a page costs a fixed number of statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from image_search_service.core.records.suggestions import SuggestionRecord
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonRow
from image_search_service.db.queries.suggestion_states import (
    IS_ANSWERABLE,
    PENDING,
    SUPERSEDED,
    suggestion_record,
)


@dataclass(slots=True)
class WaitingGroup:
    """A person, how many suggestions wait for them, and the best of these."""

    person_id: uuid.UUID
    name: str
    name_key: str
    pending: int
    suggestions: list[SuggestionRecord] = field(default_factory=list)


def groups_page(session: Session, after: tuple[int, str] | None, limit: int, each: int) -> list[WaitingGroup]:
    """Persons with most suggestions first, then by name, with the best ``each`` of theirs: two statements."""
    pending = _pending().subquery()
    statement = select(PersonRow.id, PersonRow.name, PersonRow.name_key, pending.c.pending).join(
        pending, pending.c.person_id == PersonRow.id
    )
    statement = statement.where(~PersonRow.deleted)
    if after is not None:
        count, name_key = after
        statement = statement.where(
            or_(pending.c.pending < count, and_(pending.c.pending == count, PersonRow.name_key > name_key))
        )
    rows = session.execute(statement.order_by(pending.c.pending.desc(), PersonRow.name_key).limit(limit))
    groups = {row[0]: WaitingGroup(*row) for row in rows}
    for suggestion in _best_of(session, list(groups), each):
        groups[suggestion.person_id].suggestions.append(suggestion)
    return list(groups.values())


def _pending() -> Select[uuid.UUID, int]:
    """How many suggestions wait for each person that has any."""
    return (
        select(FaceSuggestion.person_id.label("person_id"), func.count().label("pending"))
        .where(IS_ANSWERABLE)
        .group_by(FaceSuggestion.person_id)
    )


def _best_of(session: Session, person_ids: Sequence[uuid.UUID], each: int) -> list[SuggestionRecord]:
    rank = (
        func.row_number()
        .over(
            partition_by=FaceSuggestion.person_id,
            order_by=(FaceSuggestion.confidence.desc(), FaceSuggestion.id),
        )
        .label("rank")
    )
    ranked = (
        select(FaceSuggestion, rank).where(IS_ANSWERABLE, FaceSuggestion.person_id.in_(person_ids)).subquery()
    )
    suggestion = aliased(FaceSuggestion, ranked)
    rows = session.scalars(
        select(suggestion).where(ranked.c.rank <= each).order_by(ranked.c.person_id, ranked.c.rank)
    )
    return [suggestion_record(row) for row in rows]


def waiting_for(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """All suggestions that wait for each person of a page: one statement."""
    rows = session.execute(
        select(FaceSuggestion.person_id, FaceSuggestion.id).where(
            IS_ANSWERABLE, FaceSuggestion.person_id.in_(person_ids)
        )
    )
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for person_id, suggestion_id in rows:
        found.setdefault(person_id, []).append(suggestion_id)
    return found


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
