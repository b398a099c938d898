"""Records decisions about persons. Each decision is an event that can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from image_search_service.core.decisions import Fact, Key, different
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.core.names import clean_name, clean_note
from image_search_service.db.queries.decisions import before_decision
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import (
    facts_assigning,
    facts_unassigning,
    require,
    require_face_of,
)
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.naming import (
    Namesake,
    NamingDecision,
    named_person,
    require_free_name,
)


class PersonDecisionService(DecisionService):
    """Records decisions about persons; ``ReviewService`` says what its methods raise."""

    def create_person(self, name: str, *, another: bool = False) -> NamingDecision:
        """Create a person without faces. Raises NameTakenError, unless they are another of that name."""
        _, key = clean_name(name)
        with self._deciding() as session:
            if not another:
                require_free_name(session, key)
            person_id, name, facts = named_person(session, name, Namesake.ANOTHER)
            made = self._decide(session, "create_person", facts, None)
            return NamingDecision(person_id, name, 0, True, made.id)

    def delete_person(self, person_id: uuid.UUID, based_on: int | None = None) -> RecordedDecision:
        """Delete a person without faces.

        Raises ConflictError for a person with faces; faces of replaced photos do not count.
        """
        with self._deciding() as session:
            require(session, [person_id])
            shown, replaced = before_decision.faces_shown_and_replaced(session, person_id)
            if shown:
                raise ConflictError(
                    f"The person {person_id} has {shown} faces.", hint="Unassign them first, or merge."
                )
            facts = facts_unassigning(replaced)
            facts |= {Key(Fact.PERSON_NAME, person_id): None, Key(Fact.PERSON_GONE, person_id): True}
            return self._decide(session, "delete_person", facts, based_on)

    def rename_person(
        self, person_id: uuid.UUID, name: str, based_on: int | None = None, *, another: bool = False
    ) -> RecordedDecision:
        """Rename a person. Raises NameTakenError, unless they are another of that name; ``merge_persons``
        joins two."""
        shown, key = clean_name(name)
        with self._deciding() as session:
            require(session, [person_id])
            if not another:
                require_free_name(session, key, person_id=person_id)
            return self._decide(session, "rename_person", {Key(Fact.PERSON_NAME, person_id): shown}, based_on)

    def set_hidden(self, person_id: uuid.UUID, hidden: bool, based_on: int | None = None) -> RecordedDecision:
        """Whether a person is left out of lists."""
        kind = "hide_person" if hidden else "unhide_person"
        return self._about_person(kind, Key(Fact.PERSON_HIDDEN, person_id), hidden, based_on)

    def set_birth_date(
        self, person_id: uuid.UUID, born: date | None, based_on: int | None = None
    ) -> RecordedDecision:
        value = None if born is None else born.isoformat()
        return self._about_person("set_birth_date", Key(Fact.PERSON_BIRTH, person_id), value, based_on)

    def set_note(
        self, person_id: uuid.UUID, note: str | None, based_on: int | None = None
    ) -> RecordedDecision:
        """A few words that tell a person from others of the same name; None removes them."""
        return self._about_person("set_note", Key(Fact.PERSON_NOTE, person_id), clean_note(note), based_on)

    def set_cover_face(
        self, person_id: uuid.UUID, face_id: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Choose the face that is shown for a person. Raises InvalidInputError for a face that is not
        theirs."""
        with self._deciding() as session:
            require_face_of(session, face_id, person_id)
            facts = {Key(Fact.PERSON_COVER, person_id): str(face_id)}
            return self._decide(session, "set_cover_face", facts, based_on)

    def pin_prototype(
        self,
        person_id: uuid.UUID,
        face_id: uuid.UUID,
        pinned: bool = True,
        based_on: int | None = None,
    ) -> RecordedDecision:
        """Pin a face as a prototype of the person, which jobs keep, or unpin it. Raises InvalidInputError as
        above."""
        with self._deciding() as session:
            require_face_of(session, face_id, person_id)
            facts = {Key(Fact.PINNED, face_id, person_id): pinned}
            return self._decide(session, "pin_prototype" if pinned else "unpin_prototype", facts, based_on)

    def merge_persons(
        self, person_ids: Sequence[uuid.UUID], into: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Merge persons: their faces, rejections and pins become those of ``into``.

        Raises ConflictError for two who were marked as different.
        """
        others = sorted(set(person_ids) - {into})
        if not others:
            raise InvalidInputError("Merging takes at least one person besides the one that stays.")
        with self._deciding() as session:
            require(session, [into, *others])
            known = before_decision.statements_about(session, [into, *others])
            if known.different_among:
                raise ConflictError(
                    "These were said to be different persons.", hint="Undo that decision first."
                )
            facts = facts_assigning(known.faces_of(others), into, known.origins)
            facts |= {Key(Fact.PERSON_GONE, person): str(into) for person in others}
            facts |= {Key(Fact.REJECTED, face, into): True for face in known.rejected_for(others)}
            facts |= {Key(Fact.PINNED, face, into): True for face in known.pinned_for(others)}
            facts |= {different(into, person): True for person in known.different_from(others)}
            return self._decide(session, "merge_persons", facts, based_on)

    def mark_different(
        self, a: uuid.UUID, b: uuid.UUID, are: bool = True, based_on: int | None = None
    ) -> RecordedDecision:
        """Mark two persons as different, so that they cannot be merged."""
        if a == b:
            raise InvalidInputError("Nobody is different from themselves.")
        with self._deciding() as session:
            require(session, [a, b])
            kind = "mark_different" if are else "unmark_different"
            return self._decide(session, kind, {different(a, b): are}, based_on)

    def _about_person(self, kind: str, key: Key, value: Any, based_on: int | None) -> RecordedDecision:
        with self._deciding() as session:
            require(session, [key.id])
            return self._decide(session, kind, {key: value}, based_on)
