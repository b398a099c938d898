"""Whom a name means: somebody new, the person who has it, or another one of the same name."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from image_search_service.core.decisions import Change, Fact, Key
from image_search_service.core.errors import InvalidInputError, NameTakenError
from image_search_service.core.names import clean_name, name_key
from image_search_service.core.records.people import SHOWN_ID, PersonName
from image_search_service.db.queries import events
from image_search_service.db.queries.decisions import current_state
from image_search_service.db.queries.people import persons as queries
from image_search_service.db.session import Session
from image_search_service.services.people.lookup import find_person


class Namesake(Enum):
    """Who is meant by a name that somebody has."""

    ASK = "ask"
    """Nobody knows: it is an error that lists those who have it."""
    SAME = "same"
    """The person who has it; in place of the name, the person's id will do."""
    ANOTHER = "another"
    """A new person of the same name."""


Who = Namesake | uuid.UUID
"""An id: of the person of this name."""


@dataclass(frozen=True, slots=True)
class NamingDecision:
    """The result of naming. created: whether the person is new. decision: its number, for undo. kept_away:
    faces of the group that stay without this name, since they were rejected for the person."""

    person_id: uuid.UUID
    name: str
    faces: int
    created: bool
    decision: int | None
    kept_away: int = 0


def who_of(same: uuid.UUID | None, another: bool) -> Who:
    """What a request says. Raises InvalidInputError if it says both."""
    if same is not None and another:
        raise InvalidInputError("Either `same` or `another` is meant, not both.")
    return same if same is not None else Namesake.ANOTHER if another else Namesake.ASK


def named_person(session: Session, name: str, who: Who) -> tuple[uuid.UUID, str, dict[Key, Any]]:
    """The id and name of the person whom this name means; for a new person also the facts that create them.

    Raises NameTakenError when somebody has the name and nobody said whether they are meant, NotFoundError
    when nobody is called so and it is said that somebody is.
    """
    if who is Namesake.SAME:
        person = find_person(session, name)
        return person.id, person.name, {}
    shown, key = clean_name(name)
    known = queries.person_names(session, [key])
    if isinstance(who, uuid.UUID):
        found = next((person for person in known if person.id == who), None)
        if found is None:
            raise InvalidInputError(f"The person {who} is not called {shown}.")
        return found.id, found.name, {}
    if known and who is Namesake.ASK:
        raise NameTakenError(known)
    person_id = uuid.uuid4()
    return (
        person_id,
        shown,
        {Key(Fact.PERSON_NAME, person_id): shown, Key(Fact.PERSON_GONE, person_id): False},
    )


def require_free_name(session: Session, key: str, person_id: uuid.UUID | None = None) -> None:
    """Raises NameTakenError if somebody else has the name."""
    known = [person for person in queries.person_names(session, [key]) if person.id != person_id]
    if known:
        raise NameTakenError(
            known,
            hint="If they are one person, merge them; if not, `--another` (over HTTP `another`) makes it the "
            "name of two.",
        )


def refuse_taken_names(session: Session, changes: Sequence[Change], decision_id: int) -> None:
    """Refuse to undo a decision if somebody else was given a name since that it would bring back.

    Raises NameTakenError that says who, and what to do.
    """
    back = {
        change.key.id
        for change in changes
        if (change.key.fact is Fact.PERSON_NAME and change.new is not None)
        or (change.key.fact is Fact.PERSON_GONE and change.new is False)
    }
    if not back:
        return
    now = current_state.current(session, [Key(Fact.PERSON_NAME, person) for person in back])
    names = {key.id: name for key, name in now.items() if name is not None} | {
        change.key.id: change.new
        for change in changes
        if change.key.fact is Fact.PERSON_NAME and change.new is not None
    }
    keys = sorted({name_key(name) for name in names.values()})
    others = [person for person in queries.person_names(session, keys) if person.id not in back]
    facts = (Fact.PERSON_NAME, Fact.PERSON_GONE)
    then = events.values_then(
        session, [Key(fact, person.id) for person in others for fact in facts], decision_id
    )
    since = [person for person in others if not _had_its_name(person, then)]
    if since:
        raise _in_the_way(since, decision_id)


def _had_its_name(person: PersonName, then: Mapping[Key, Any]) -> bool:
    """Whether somebody had the name before the decision, too; ``then``: see ``events.values_then``."""
    name = then.get(Key(Fact.PERSON_NAME, person.id), person.name)
    is_gone = then.get(Key(Fact.PERSON_GONE, person.id), False)
    return not is_gone and name is not None and name_key(name) == name_key(person.name)


def _in_the_way(people: Sequence[PersonName], decision_id: int) -> NameTakenError:
    first = people[0]
    return NameTakenError(
        people,
        hint="The name would come back for somebody else. Rename that person first: image-search rename "
        f"{first.id.hex[:SHOWN_ID]} NAME. Or let two people have the name: image-search undo {decision_id} "
        "--another, over HTTP `?another=true`.",
    )
