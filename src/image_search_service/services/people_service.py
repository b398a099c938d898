"""Who is in the library: naming clusters, listing people, finding their photos."""

from __future__ import annotations

import string
import unicodedata
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.db.models import Cluster, Person
from image_search_service.db.queries import clusters, faces, persons
from image_search_service.db.queries.persons import ClusterSize, PersonSize
from image_search_service.db.session import Database, Session

MIN_PREFIX = 4
"""Characters of a cluster's id that are accepted in its place, if they are enough to tell it."""


@dataclass(frozen=True, slots=True)
class People:
    """Named persons and unnamed clusters, each largest first."""

    persons: list[PersonSize]
    clusters: list[ClusterSize]


@dataclass(frozen=True, slots=True)
class Named:
    """What naming a cluster did. ``created``: the person is new."""

    person_id: uuid.UUID
    name: str
    faces: int
    created: bool


@dataclass(frozen=True, slots=True)
class PersonPhoto:
    """A photo and one of its files, None when all of them are missing."""

    asset_id: uuid.UUID
    path: Path | None


class PeopleService:
    """Reads and changes who is who, in SQL; ``payload_service`` carries it to Qdrant."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def people(self) -> People:
        with self._database.read() as session:
            return People(persons.person_sizes(session), persons.cluster_sizes(session))

    def name_cluster(self, cluster: str, name: str) -> Named:
        """Give all faces of a cluster to a person, who is created if nobody has this name.

        ``cluster``: its id, or the first characters of it. Raises NotFoundError, InvalidInputError.
        """
        shown, key = clean_name(name)
        with self._database.write() as session:
            found = _find_cluster(session, cluster)
            person = persons.person_by_key(session, key)
            created = person is None
            if person is None:
                person = Person(name=shown, name_key=key)
                session.add(person)
                session.flush()
            members = clusters.faces_of_cluster(session, found.id)
            faces.set_persons(session, dict.fromkeys(members, person.id))
            clusters.delete_empty_clusters(session)
            return Named(person.id, person.name, len(members), created)

    def person(self, name: str) -> Person:
        """Somebody by name. Raises NotFoundError for an unknown name."""
        with self._database.read() as session:
            return _known_people(session, [name])[0]

    def photos(self, names: Sequence[str]) -> list[PersonPhoto]:
        """Photos that show all of these persons, oldest first. Raises NotFoundError for an unknown name."""
        with self._database.read() as session:
            found = _known_people(session, names)
            rows = persons.photos_of_all(session, [person.id for person in found])
        return [PersonPhoto(*row) for row in rows]


def _known_people(session: Session, names: Sequence[str]) -> list[Person]:
    """The persons of these names, each once; an error names all that there are not."""
    keys = {clean_name(name)[1]: name for name in names}
    found = persons.persons_by_keys(session, list(keys))
    unknown = [name for key, name in keys.items() if key not in found]
    if unknown:
        raise NotFoundError(
            f"Nobody is called {', '.join(unknown)}.", hint="`image-search people` lists the names."
        )
    return [found[key] for key in keys]


def clean_name(name: str) -> tuple[str, str]:
    """A name as it is shown, and as it is compared: "  ZOË  " is shown as "ZOË" and equals "zoë".

    Raises InvalidInputError for a name without a visible character.
    """
    shown = " ".join(unicodedata.normalize("NFC", name).split())
    if not shown or not shown.isprintable():
        raise InvalidInputError(
            "A person's name needs at least one visible character and no control characters.",
            hint='For example: image-search name 3f2a "Ada Lovelace".',
        )
    return shown, unicodedata.normalize("NFKC", shown).casefold()


def _find_cluster(session: Session, text: str) -> Cluster:
    prefix = text.strip().lower().replace("-", "")
    if not MIN_PREFIX <= len(prefix) <= 32 or not set(prefix) <= set(string.hexdigits):
        raise InvalidInputError(
            f"{text!r} is no cluster's id.",
            hint=f"`image-search people` shows them; the first {MIN_PREFIX} characters or more will do.",
        )
    found = clusters.clusters_starting_with(session, prefix)
    if not found:
        raise NotFoundError(
            f"There is no cluster {text}.", hint="`image-search people` lists the clusters there are."
        )
    if len(found) > 1:
        raise InvalidInputError(f"More than one cluster starts with {text}.", hint="Give more of its id.")
    return found[0]
