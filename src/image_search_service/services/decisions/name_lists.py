"""Creates the persons of a list of names: one decision with one undo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.names import clean_name
from image_search_service.db.queries import persons
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import Facts


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """A person whom a name of the list means. created: whether the list created them."""

    id: uuid.UUID
    name: str
    created: bool


@dataclass(frozen=True, slots=True)
class RefusedName:
    """A name of the list that nobody can have. reason: a sentence."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class NamedList:
    """The result for a list of names, in its order, each person once. decision: None if nobody is new."""

    decision: int | None
    persons: list[ListedPerson]
    refused: list[RefusedName]


class NameListService(DecisionService):
    """Records which persons there are."""

    def create_persons(self, names: Sequence[str]) -> NamedList:
        """Create a person without faces for each name that nobody has: a fixed number of statements for each
        500 names. Names that cannot be are returned with the reason, and do not stop the others."""
        wanted, refused = _cleaned(names)
        with self._deciding() as session:
            existing = persons.persons_by_keys(session, list(wanted))
            people = [
                ListedPerson(existing[key][0].id, existing[key][0].name, created=False)
                if key in existing
                else ListedPerson(uuid.uuid4(), shown, created=True)
                for key, shown in wanted.items()
            ]
            facts: Facts = {}
            for person in people:
                if person.created:
                    facts[Key(Fact.PERSON_NAME, person.id)] = person.name
                    facts[Key(Fact.PERSON_GONE, person.id)] = False
            made = self._decide(session, "create_persons", facts, None)
            return NamedList(made.id, people, refused)


def _cleaned(names: Sequence[str]) -> tuple[dict[str, str], list[RefusedName]]:
    """Each name as it is shown by how it is compared, in its first spelling; and those that cannot be."""
    wanted: dict[str, str] = {}
    refused = []
    for name in names:
        try:
            shown, key = clean_name(name)
        except InvalidInputError as error:
            refused.append(RefusedName(name, error.message))
            continue
        wanted.setdefault(key, shown)
    return wanted, refused
