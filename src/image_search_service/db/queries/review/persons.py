"""Persons to ask about: those with pending suggestions, those who look alike, those without a current
centroid."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from image_search_service.db.models import (
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonDifference,
    PersonRow,
)
from image_search_service.db.queries.people.persons import shown_face
from image_search_service.db.queries.suggestion_states import HAS_WAITING, IS_ANSWERABLE

_PERSONS: Any = bindparam("persons", expanding=True)
"""Of statements that are made once: making one anew for each question takes longer than some of them."""


@dataclass(frozen=True, slots=True)
class NamedCover:
    """A person, and the face that shows them: the chosen one, else the clearest. Nobody is asked about one
    who is hidden."""

    id: uuid.UUID
    name: str
    cover: uuid.UUID | None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class WaitingSuggestion:
    """What of a suggestion says how likely it is right; as in ``FaceSuggestion``."""

    id: uuid.UUID
    face_instance_id: uuid.UUID
    person_id: uuid.UUID
    confidence: float
    second_person_id: uuid.UUID | None
    second_similarity: float | None
    margin: float | None


@dataclass(frozen=True, slots=True)
class AgeSpan:
    """A person without a birth date, and from when until when their photos are."""

    person_id: uuid.UUID
    first: datetime
    last: datetime


def most_waiting(session: Session, limit: int) -> list[tuple[uuid.UUID, int]]:
    """Persons who are shown and for whom most suggestions wait, and how many."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.waiting)
        .where(HAS_WAITING)
        .order_by(PersonRow.waiting.desc(), PersonRow.name_key, PersonRow.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def best_waiting(session: Session, person_ids: Sequence[uuid.UUID], each: int) -> list[WaitingSuggestion]:
    """The best ``each`` suggestions that wait for each of these persons: by person, then by margin, then by
    similarity."""
    rows = session.execute(_best_waiting_statement(), {"persons": person_ids, "each": each})
    return [WaitingSuggestion(*row) for row in rows]


@cache
def _best_waiting_statement() -> Select[*tuple[Any, ...]]:
    order = (
        func.coalesce(FaceSuggestion.margin, 0.0).desc(),
        FaceSuggestion.confidence.desc(),
        FaceSuggestion.id,
    )
    rank = func.row_number().over(partition_by=FaceSuggestion.person_id, order_by=order).label("rank")
    ranked = (
        select(FaceSuggestion.id, rank)
        .where(IS_ANSWERABLE, FaceSuggestion.person_id.in_(_PERSONS))
        .subquery()
    )
    return (
        select(
            FaceSuggestion.id,
            FaceSuggestion.face_instance_id,
            FaceSuggestion.person_id,
            FaceSuggestion.confidence,
            FaceSuggestion.second_person_id,
            FaceSuggestion.second_similarity,
            FaceSuggestion.margin,
        )
        .join(ranked, ranked.c.id == FaceSuggestion.id)
        .where(ranked.c.rank <= bindparam("each"))
        .order_by(FaceSuggestion.person_id, ranked.c.rank)
    )


def waiting_ids(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """All suggestions that wait for each of these persons."""
    rows = session.execute(
        select(FaceSuggestion.person_id, FaceSuggestion.id).where(
            IS_ANSWERABLE, FaceSuggestion.person_id.in_(person_ids)
        )
    )
    suggestions: dict[uuid.UUID, list[uuid.UUID]] = {}
    for person, suggestion in rows:
        suggestions.setdefault(person, []).append(suggestion)
    return suggestions


def different_pairs(session: Session, person_ids: Collection[uuid.UUID]) -> set[frozenset[uuid.UUID]]:
    """Pairs with one of these persons who were said to be two."""
    either = PersonDifference.person_id.in_(person_ids) | PersonDifference.other_id.in_(person_ids)
    rows = session.execute(select(PersonDifference.person_id, PersonDifference.other_id).where(either))
    return {frozenset((row[0], row[1])) for row in rows}


def photos_together(
    session: Session, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]], limit: int
) -> dict[frozenset[uuid.UUID], tuple[int, list[uuid.UUID]]]:
    """In how many photos each two persons are both, and some of these."""
    first, second = aliased(FaceInstance), aliased(FaceInstance)
    rows = session.execute(
        select(first.person_id, second.person_id, first.asset_id)
        .join(second, and_(second.asset_id == first.asset_id, second.id != first.id))
        .where(tuple_(first.person_id, second.person_id).in_(pairs))
        .distinct()
        .order_by(first.asset_id)
    )
    photos: dict[frozenset[uuid.UUID], list[uuid.UUID]] = {}
    for a, b, asset in rows:
        if a is not None and b is not None:
            photos.setdefault(frozenset((a, b)), []).append(asset)
    return {pair: (len(photo_ids), photo_ids[:limit]) for pair, photo_ids in photos.items()}


def cards(session: Session, person_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, NamedCover]:
    """Names and covers of persons who are there."""
    rows = session.execute(_cards_statement(), {"persons": list(person_ids)})
    return {row[0]: NamedCover(*row) for row in rows}


@cache
def _cards_statement() -> Select[*tuple[Any, ...]]:
    return select(PersonRow.id, PersonRow.name, shown_face(), PersonRow.hidden).where(
        PersonRow.id.in_(_PERSONS), ~PersonRow.deleted
    )


def faces_by_person(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """The faces of these persons by the time of their photos; not those of replaced photos."""
    rows = session.execute(
        select(FaceInstance.person_id, FaceInstance.id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.person_id.in_(person_ids), ~ImageAsset.replaced)
        .order_by(ImageAsset.taken_at, FaceInstance.id)
    )
    faces: dict[uuid.UUID, list[uuid.UUID]] = {}
    for person, face in rows:
        if person is not None:
            faces.setdefault(person, []).append(face)
    return faces


def age_spans(session: Session, person_ids: Collection[uuid.UUID]) -> list[AgeSpan]:
    """Of those of these persons whose birth date is not known."""
    rows = session.execute(
        select(PersonRow.id, func.min(ImageAsset.taken_at), func.max(ImageAsset.taken_at))
        .join(FaceInstance, FaceInstance.person_id == PersonRow.id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(
            PersonRow.id.in_(person_ids),
            PersonRow.birth_date.is_(None),
            ~PersonRow.deleted,
            ~ImageAsset.replaced,
        )
        .group_by(PersonRow.id)
        .order_by(PersonRow.id)
    )
    return [AgeSpan(row[0], row[1], row[2]) for row in rows if row[1] is not None and row[2] is not None]
