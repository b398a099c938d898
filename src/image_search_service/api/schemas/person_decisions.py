"""Decisions about persons: the bodies of requests."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator, Field, StrictBool

from image_search_service.api.schemas.common import RequestBody
from image_search_service.api.schemas.decisions import Another, DecisionBody, Name
from image_search_service.core.names import LONGEST_NOTE


class DeletePerson(DecisionBody):
    """Delete a person without faces."""

    person_id: UUID


class CreatePerson(RequestBody):
    """Create a person without faces."""

    name: Name
    another: Another = False


class CreatePersons(RequestBody):
    """Create a person without faces for each name of a list that nobody has."""

    names: list[Annotated[str, Field(max_length=1_000)]] = Field(
        min_length=1, max_length=5_000, examples=[["Ada Lovelace", "Grace Hopper"]]
    )


class RenamePerson(DecisionBody):
    person_id: UUID
    name: Name
    another: Annotated[
        StrictBool, Field(description="Of a name that somebody has: let two people have it.")
    ] = False


class SetNote(DecisionBody):
    person_id: UUID
    note: Annotated[str, Field(max_length=LONGEST_NOTE)] | None = Field(
        description="A few words that tell the person from others of the same name; null: none.",
        examples=["cousin, from Bath"],
    )


class HidePerson(DecisionBody):
    person_id: UUID
    hidden: StrictBool


def _written_out(value: object) -> object:
    """Pydantic would take a number for days; the documentation promises text."""
    if value is not None and not isinstance(value, str):
        raise ValueError("a date is text such as 1815-12-10")
    return value


class SetBirthDate(DecisionBody):
    person_id: UUID
    birth_date: Annotated[date | None, BeforeValidator(_written_out)] = Field(examples=["1815-12-10"])


class SetCoverFace(DecisionBody):
    """The face to show for a person; it has to be assigned to them."""

    person_id: UUID
    face_id: UUID


class PinPrototype(DecisionBody):
    """Pin a face as an example of its person in searches, or unpin it."""

    person_id: UUID
    face_id: UUID
    pinned: StrictBool = True


class MergePersons(DecisionBody):
    """Merge persons into one."""

    person_ids: list[UUID] = Field(min_length=1, max_length=500)
    into: UUID = Field(description="The person who stays.")


class MarkDifferent(DecisionBody):
    """Two persons, two clusters, or a person and a cluster: exactly two ids."""

    person_ids: list[UUID] = Field(default=[], max_length=2)
    cluster_ids: list[UUID] = Field(default=[], max_length=2, examples=[[]])
    versions: list[Annotated[str, Field(max_length=40)]] = Field(
        default=[],
        max_length=2,
        description="The clusters' `version`s as they were seen, in their order: if one has other faces by "
        "now, the answer is 409. Empty: whatever faces they have.",
        examples=[[]],
    )
    different: StrictBool = Field(
        default=True, description="False takes it back, of persons; of clusters, undo the decision instead."
    )
