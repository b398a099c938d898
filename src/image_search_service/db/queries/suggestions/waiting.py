"""Reads pages of pending suggestions, each with a fixed number of statements."""

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
    HAS_WAITING,
    IS_ANSWERABLE,
    PENDING,
    SUPERSEDED,
    suggestion_record,
)


@dataclass(slots=True)
class WaitingGroup:
    """A person and all pending suggestions for them, the best first."""

    person_id: uuid.UUID
    name: str
    name_key: str
    pending: int
    suggestion_ids: list[uuid.UUID] = field(default_factory=list)


def groups_page(
    session: Session, after: tuple[int, str, uuid.UUID] | None, limit: int
) -> tuple[list[WaitingGroup], int]:
    """A page of persons, those with most suggestions first, then by name; and the number of all such persons.
    Two statements."""
    total = select(func.count()).select_from(PersonRow).where(HAS_WAITING).correlate(None).scalar_subquery()
    statement = select(PersonRow.id, PersonRow.name, PersonRow.name_key, PersonRow.waiting, total).where(
        HAS_WAITING
    )
    if after is not None:
        count, name_key, person_id = after
        behind = or_(
            PersonRow.name_key > name_key, and_(PersonRow.name_key == name_key, PersonRow.id > person_id)
        )
        statement = statement.where(or_(PersonRow.waiting < count, and_(PersonRow.waiting == count, behind)))
    rows = session.execute(
        statement.order_by(PersonRow.waiting.desc(), PersonRow.name_key, PersonRow.id).limit(limit)
    ).all()
    waiting = waiting_for(session, [row[0] for row in rows])
    groups = [WaitingGroup(row[0], row[1], row[2], row[3], waiting[row[0]]) for row in rows]
    return groups, rows[0][4] if rows else count_groups(session)


def waiting_for(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """All pending suggestions of each person of a page, the best first: one statement."""
    rows = session.execute(
        select(FaceSuggestion.person_id, FaceSuggestion.id)
        .where(IS_ANSWERABLE, FaceSuggestion.person_id.in_(person_ids))
        .order_by(FaceSuggestion.confidence.desc(), FaceSuggestion.id)
    )
    suggestions: dict[uuid.UUID, list[uuid.UUID]] = {}
    for person_id, suggestion_id in rows:
        suggestions.setdefault(person_id, []).append(suggestion_id)
    return suggestions


def suggestions_by_ids(
    session: Session, suggestion_ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, SuggestionRecord]:
    """The existing ones among the suggestions: one statement for each ``BATCH``."""
    return {
        row.id: suggestion_record(row)
        for part in chunks(suggestion_ids, BATCH)
        for row in session.scalars(select(FaceSuggestion).where(FaceSuggestion.id.in_(part)))
    }


def waiting_page(
    session: Session, person_id: uuid.UUID, offset: int, limit: int
) -> list[tuple[SuggestionRecord, uuid.UUID, datetime | None]]:
    """A page of one person's pending suggestions, each with its face's photo and date: by margin, the largest
    first, those without a margin last."""
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


def count_groups(session: Session) -> int:
    """The number of persons with pending suggestions."""
    return session.scalar(select(func.count()).select_from(PersonRow).where(HAS_WAITING)) or 0


def suggestion_counts(session: Session) -> list[tuple[str, str, int, int]]:
    """(state, source, number of suggestions, number of persons). Undecided suggestions that can no longer be
    right count as superseded."""
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
