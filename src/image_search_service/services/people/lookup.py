"""Lists people and clusters, and finds their photos and faces by name."""

from __future__ import annotations

import string
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import InvalidInputError, NotFoundError, SharedNameError
from image_search_service.core.names import clean_name, name_key
from image_search_service.core.records.people import SHOWN_ID
from image_search_service.db.models import ClusterRow, PersonRow
from image_search_service.db.queries import clusters, persons, photos
from image_search_service.db.queries.people import face_list
from image_search_service.db.queries.people.face_list import ListedFace
from image_search_service.db.queries.people.persons import person_names
from image_search_service.db.queries.persons import ClusterSize, PersonSize
from image_search_service.db.session import Database, Session

MIN_PREFIX = 4
"""Characters of a cluster's id that are accepted in its place, if they are unambiguous."""


@dataclass(frozen=True, slots=True)
class People:
    """Named persons and unnamed clusters, each largest first."""

    persons: list[PersonSize]
    clusters: list[ClusterSize]

    @property
    def names(self) -> list[str]:
        """What the persons are called, in order: with id and note where another one has the name, too."""
        shared = Counter(name_key(person.name) for person in self.persons)
        return [
            person.name if shared[name_key(person.name)] == 1 else _told_apart(person)
            for person in self.persons
        ]


def _told_apart(person: PersonSize) -> str:
    note = f", {person.note}" if person.note else ""
    return f"{person.name} ({person.id.hex[:SHOWN_ID]}{note})"


@dataclass(frozen=True, slots=True)
class SharedPhoto:
    """A photo and one of its files, None when all of them are missing."""

    asset_id: uuid.UUID
    path: Path | None


class PeopleService:
    """Reads people, clusters and their faces by name. ``services/decisions`` records changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def people(self, *, hidden: bool = False) -> People:
        """The visible persons and clusters, or the hidden persons and the clusters set aside."""
        with self._database.read() as session:
            return People(
                persons.person_sizes(session, hidden=hidden), persons.cluster_sizes(session, aside=hidden)
            )

    def person(self, name: str) -> PersonRow:
        """``find_person``."""
        with self._database.read() as session:
            return find_person(session, name)

    def cluster(self, text: str) -> ClusterRow:
        """``find_cluster``."""
        with self._database.read() as session:
            return find_cluster(session, text)

    def photos(self, names: Sequence[str]) -> list[SharedPhoto]:
        """Photos that show all of these persons, oldest first. Raises NotFoundError for an unknown name, and
        SharedNameError for one that two people have."""
        with self._database.read() as session:
            people = _known_people(session, names)
            rows = persons.photos_of_all(session, [person.id for person in people])
        return [SharedPhoto(*row) for row in rows]

    def faces(
        self, *, name: str | None = None, cluster: str | None = None, photo: Path | None = None, limit: int
    ) -> tuple[list[ListedFace], int]:
        """At most ``limit`` faces of a person, of a cluster or in a photo, the clearest first, and the number
        of all of them.

        name, cluster: as ``find_person`` and ``find_cluster`` take them. photo: the path of an indexed file.
        Raises InvalidInputError unless exactly one of the three is given, NotFoundError if it is unknown,
        SharedNameError if two people have the name.
        """
        if [name, cluster, photo].count(None) != 2:
            raise InvalidInputError("Faces of one person, one group or one photo can be listed.")
        with self._database.read() as session:
            if name is not None:
                which = face_list.of_person(_known_people(session, [name])[0].id)
            elif cluster is not None:
                which = face_list.of_cluster(find_cluster(session, cluster).id)
            else:
                which = face_list.in_file(_indexed(session, photo))
            return face_list.listed_faces(session, which, limit)


def _indexed(session: Session, photo: Path | None) -> Path:
    if photo is None or not photos.known_files(session, [photo]):
        raise NotFoundError(f"{photo} is not in the library.", hint="Index it: image-search index FILE.")
    return photo


def find_person(session: Session, text: str) -> PersonRow:
    """A person by name; or by id, or its first characters, where nobody has that name.

    Raises NotFoundError, and SharedNameError where several people have the name.
    """
    return _known_people(session, [text])[0]


def _known_people(session: Session, names: Sequence[str]) -> list[PersonRow]:
    """The persons of these names or ids, each once. Raises NotFoundError with all unknown names, and
    SharedNameError."""
    keys = {clean_name(name)[1]: name for name in names}
    people = persons.persons_by_keys(session, list(keys))
    for key, name in keys.items():
        if key not in people and (found := _by_id(session, name)):
            people[key] = found
    unknown = [name for key, name in keys.items() if key not in people]
    if unknown:
        raise NotFoundError(
            f"Nobody is called {', '.join(unknown)}.", hint="`image-search people` lists the names."
        )
    for having in people.values():
        if len(having) > 1:
            raise SharedNameError(person_names(session, [having[0].name_key]))
    return list({having[0].id: having[0] for having in people.values()}.values())


def _by_id(session: Session, text: str) -> list[PersonRow]:
    digits = text.strip().lower().replace("-", "")
    if not SHOWN_ID <= len(digits) <= 32 or not set(digits) <= set(string.hexdigits):
        return []
    found = persons.persons_starting_with(session, digits)
    return found if len(found) == 1 else []


def find_cluster(session: Session, text: str) -> ClusterRow:
    """A cluster by its id, or the first characters of it. Raises NotFoundError, InvalidInputError."""
    prefix = text.strip().lower().replace("-", "")
    if not MIN_PREFIX <= len(prefix) <= 32 or not set(prefix) <= set(string.hexdigits):
        raise InvalidInputError(
            f"{text!r} is no cluster's id.",
            hint=f"`image-search people` shows them; the first {MIN_PREFIX} characters or more will do.",
        )
    matches = clusters.clusters_starting_with(session, prefix)
    if not matches:
        raise NotFoundError(
            f"There is no cluster {text}.", hint="`image-search people` lists the clusters there are."
        )
    if len(matches) > 1:
        raise InvalidInputError(f"More than one cluster starts with {text}.", hint="Give more of its id.")
    return matches[0]
