"""Decisions as they are listed, and the facts that each changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, Page
from image_search_service.api.schemas.faces import FacePicture
from image_search_service.core.decisions import Change, Fact
from image_search_service.core.records.decisions import DecidingActor
from image_search_service.services.decisions.history import ListedDecision


class PersonReference(Answer):
    """A person that a decision is about."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])


class DecisionEvent(Answer):
    """A decision in the history."""

    id: int = Field(examples=[17])
    kind: str = Field(examples=["name_cluster"])
    actor: str = Field(description="Who decided.", examples=["ada"])
    at: datetime
    undoes: int | None = Field(description="The decision that this one undoes.", examples=[None])
    changes: int = Field(description="Number of facts that changed.", examples=[12])
    faces: int = Field(description="Number of faces among these facts.", examples=[12])
    persons: list[PersonReference] = Field(
        description="Persons that it is about, at most ten, by their present names."
    )
    first_faces: list[FacePicture] = Field(
        description="The first of its faces that still exist, at most six, to look at."
    )
    details: dict[str, Any] = Field(description="More about the decision, by kind.")

    @classmethod
    def of(cls, event: ListedDecision) -> DecisionEvent:
        decision = event.decision
        return cls(
            id=decision.id,
            kind=decision.kind,
            actor=decision.actor,
            at=decision.at,
            undoes=decision.undoes,
            changes=event.changes,
            faces=event.faces,
            persons=[PersonReference(id=person, name=name) for person, name in event.persons.items()],
            first_faces=[FacePicture.of(face_id) for face_id in event.first_faces],
            details=decision.details,
        )


class DecisionPage(Page[DecisionEvent]):
    """Decisions, the newest first."""


class DecidingActorCount(Answer):
    """Somebody who made decisions."""

    actor: str = Field(examples=["ada"])
    decisions: int = Field(description="Number of their decisions.", examples=[12])


class DecidingActors(Answer):
    """Everybody who made decisions."""

    actors: list[DecidingActorCount]

    @classmethod
    def of(cls, actors: Sequence[DecidingActor]) -> DecidingActors:
        return cls(actors=[DecidingActorCount(actor=each.actor, decisions=each.decisions) for each in actors])


class ChangedFact(Answer):
    """One fact that a decision changed."""

    fact: Fact = Field(examples=["face_person"])
    subject_id: UUID = Field(description="The face or person.")
    other_id: UUID | None = Field(
        description="For facts about two: the other person, or the difference between two groups."
    )
    old: Any = Field(description="The value before; null: none was set.")
    new: Any = Field(description="The value after.")

    @classmethod
    def of(cls, change: Change) -> ChangedFact:
        key = change.key
        return cls(fact=key.fact, subject_id=key.id, other_id=key.other, old=change.old, new=change.new)


class ChangePage(Page[ChangedFact]):
    """The facts that a decision changed, in its order."""


class DecisionDetail(Answer):
    """A decision and some of the facts that it changed."""

    decision: DecisionEvent
    changes: ChangePage
