"""Finds facts in the tables that count as a human's decision and that no event ever set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, select, true
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Fact, Key
from image_search_service.db.models import (
    DecisionChange,
    FaceDifference,
    FaceInstance,
    FaceLoss,
    FaceSuggestion,
    ImageAsset,
    PersonDifference,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import prepared
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.suggestion_states import REJECTED

UNSAID: dict[Fact, Any] = {
    Fact.PERSON_NAME: None,
    Fact.PERSON_GONE: True,
    Fact.PERSON_HIDDEN: False,
    Fact.PERSON_BIRTH: None,
    Fact.PERSON_NOTE: None,
    Fact.PERSON_COVER: None,
    Fact.FACE_PERSON: None,
    Fact.FACE_GROUP: None,
    Fact.FACE_IS_FACE: True,
    Fact.FACE_SET_ASIDE: None,
    Fact.REJECTED: False,
    Fact.PINNED: False,
    Fact.DIFFERENT: False,
    Fact.APART: None,
    Fact.LOSS_ANSWERED: False,
    Fact.PHOTO_FORGOTTEN: False,
}
"""The value of a fact that no event ever set."""


def _never_decided(fact: Fact, subject: Any, other: Any, condition: ColumnElement[bool]) -> Select[Any]:
    """Subjects, each with ``other`` unless that is None, for which the condition holds and that no event was
    about."""
    about = and_(
        DecisionChange.fact == fact.value,
        DecisionChange.subject_id == subject,
        true() if other is None else DecisionChange.other_id == other,
    )
    columns = [subject] if other is None else [subject, other]
    return select(*columns).where(condition, ~select(DecisionChange.id).where(about).exists())


_FACTS: tuple[tuple[Fact, Any, Any, ColumnElement[bool]], ...] = (
    (Fact.PERSON_GONE, PersonRow.id, None, ~PersonRow.deleted),
    (Fact.PERSON_HIDDEN, PersonRow.id, None, PersonRow.hidden.is_(True)),
    (Fact.PERSON_BIRTH, PersonRow.id, None, PersonRow.birth_date.is_not(None)),
    (Fact.PERSON_NOTE, PersonRow.id, None, PersonRow.note.is_not(None)),
    (Fact.PERSON_COVER, PersonRow.id, None, PersonRow.cover_face_id.is_not(None)),
    (Fact.FACE_GROUP, FaceInstance.id, None, FaceInstance.group_id.is_not(None)),
    (Fact.FACE_PERSON, FaceInstance.id, None, FaceInstance.assigned_by == HUMAN),
    (Fact.FACE_IS_FACE, FaceInstance.id, None, ~FaceInstance.is_face),
    (Fact.FACE_SET_ASIDE, FaceInstance.id, None, FaceInstance.set_aside.is_(True)),
    (
        Fact.REJECTED,
        FaceSuggestion.face_instance_id,
        FaceSuggestion.person_id,
        FaceSuggestion.state == REJECTED,
    ),
    (
        Fact.PINNED,
        PersonPrototype.face_instance_id,
        PersonPrototype.person_id,
        PersonPrototype.pinned.is_(True),
    ),
    (Fact.DIFFERENT, PersonDifference.person_id, PersonDifference.other_id, true()),
    (Fact.APART, FaceDifference.face_instance_id, FaceDifference.difference_id, true()),
    (Fact.LOSS_ANSWERED, FaceLoss.face_instance_id, FaceLoss.id, FaceLoss.answered.is_(True)),
    (Fact.PHOTO_FORGOTTEN, ImageAsset.id, None, ImageAsset.forgotten.is_(True)),
)
_UNACCOUNTED = tuple((fact, _never_decided(fact, *rest)) for fact, *rest in _FACTS)


def unaccounted(session: Session) -> Iterator[Key]:
    """Facts that differ from ``UNSAID`` in the tables and that no event was ever about."""
    for fact, statement in _UNACCOUNTED:
        for row in prepared.run(session, statement):
            yield Key(fact, *row)
