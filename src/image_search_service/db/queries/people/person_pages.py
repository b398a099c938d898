"""Persons and the suggestions that wait for them, as they are shown: a page costs one or two statements."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import FaceInstance, FaceSuggestion, ImageAsset, PersonRow
from image_search_service.db.queries.suggestion_states import IS_ANSWERABLE, PENDING, SUPERSEDED


@dataclass(frozen=True, slots=True)
class ShownPerson:
    """A person, how many faces and photos show them, and how many suggestions wait."""

    person: PersonRow
    faces: int
    photos: int
    pending_suggestions: int


@dataclass(slots=True)
class SuggestionGroup:
    """A person, how many suggestions wait for them, and the best of these."""

    person: PersonRow
    pending: int
    suggestions: list[FaceSuggestion] = field(default_factory=list)


def persons_page(
    session: Session, after: tuple[int, str] | None, limit: int, *, hidden: bool = False
) -> list[ShownPerson]:
    """Those with most faces first, then by name. ``after``: faces and ``name_key`` of the last one before."""
    shown = _shown_persons().where(PersonRow.hidden.is_(hidden)).subquery()
    person = aliased(PersonRow, shown)
    statement = select(person, shown.c.faces, shown.c.photos, shown.c.pending)
    if after is not None:
        faces, name_key = after
        statement = statement.where(
            or_(shown.c.faces < faces, and_(shown.c.faces == faces, shown.c.name_key > name_key))
        )
    rows = session.execute(statement.order_by(shown.c.faces.desc(), shown.c.name_key).limit(limit))
    return [ShownPerson(*row) for row in rows]


def person_by_id(session: Session, person_id: uuid.UUID) -> ShownPerson | None:
    row = session.execute(_shown_persons().where(PersonRow.id == person_id)).one_or_none()
    return None if row is None else ShownPerson(*row)


def count_persons(session: Session, *, hidden: bool = False) -> int:
    there = select(func.count(PersonRow.id)).where(~PersonRow.gone, PersonRow.hidden.is_(hidden))
    return session.scalar(there) or 0


def existing_persons(session: Session, person_ids: Sequence[uuid.UUID] | None) -> list[uuid.UUID]:
    """Those of ``person_ids`` that there are, or all, in the order of their ids."""
    statement = select(PersonRow.id).where(~PersonRow.gone).order_by(PersonRow.id)
    return list(
        session.scalars(statement if person_ids is None else statement.where(PersonRow.id.in_(person_ids)))
    )


def _shown_persons() -> Any:
    sizes = (
        select(
            FaceInstance.person_id.label("person_id"),
            func.count(FaceInstance.id).label("faces"),
            func.count(FaceInstance.asset_id.distinct()).label("photos"),
        )
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(~ImageAsset.replaced, FaceInstance.person_id.is_not(None))
        .group_by(FaceInstance.person_id)
        .subquery()
    )
    pending = _pending().subquery()
    return (
        select(
            PersonRow,
            func.coalesce(sizes.c.faces, 0).label("faces"),
            func.coalesce(sizes.c.photos, 0).label("photos"),
            func.coalesce(pending.c.pending, 0).label("pending"),
        )
        .outerjoin(sizes, sizes.c.person_id == PersonRow.id)
        .outerjoin(pending, pending.c.person_id == PersonRow.id)
        .where(~PersonRow.gone)
    )


def _pending() -> Any:
    """How many suggestions wait for each person that has any."""
    return (
        select(FaceSuggestion.person_id.label("person_id"), func.count().label("pending"))
        .where(IS_ANSWERABLE)
        .group_by(FaceSuggestion.person_id)
    )


def suggestion_groups_page(
    session: Session, after: tuple[int, str] | None, limit: int, each: int
) -> list[SuggestionGroup]:
    """Persons with most suggestions first, then by name, with the best ``each`` of theirs: two statements."""
    pending = _pending().subquery()
    statement = select(PersonRow, pending.c.pending).join(pending, pending.c.person_id == PersonRow.id)
    statement = statement.where(~PersonRow.gone)
    if after is not None:
        count, name_key = after
        statement = statement.where(
            or_(pending.c.pending < count, and_(pending.c.pending == count, PersonRow.name_key > name_key))
        )
    rows = session.execute(statement.order_by(pending.c.pending.desc(), PersonRow.name_key).limit(limit))
    groups = {person.id: SuggestionGroup(person, count) for person, count in rows}
    for suggestion in _best_suggestions(session, list(groups), each):
        groups[suggestion.person_id].suggestions.append(suggestion)
    return list(groups.values())


def _best_suggestions(
    session: Session, person_ids: Sequence[uuid.UUID], each: int
) -> Sequence[FaceSuggestion]:
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
    return session.scalars(
        select(suggestion).where(ranked.c.rank <= each).order_by(ranked.c.person_id, ranked.c.rank)
    ).all()


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


def count_suggestion_groups(session: Session) -> int:
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
