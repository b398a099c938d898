"""Lists people and clusters, and finds their photos and faces by name."""

from __future__ import annotations

import string
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.names import clean_name
from image_search_service.db.models import ClusterRow, PersonRow
from image_search_service.db.queries import clusters, persons, photos
from image_search_service.db.queries.people import face_list
from image_search_service.db.queries.people.face_list import ListedFace
from image_search_service.db.queries.persons import ClusterSize, PersonSize
from image_search_service.db.session import Database, Session

MIN_PREFIX = 4
"""Characters of a cluster's id that are accepted in its place, if they are unambiguous."""


@dataclass(frozen=True, slots=True)
class People:
    """Named persons and unnamed clusters, each largest first."""

    persons: list[PersonSize]
    clusters: list[ClusterSize]


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
        """A person by name. Raises NotFoundError for an unknown name."""
        with self._database.read() as session:
            return _known_people(session, [name])[0]

    def cluster(self, text: str) -> ClusterRow:
        """``find_cluster``."""
        with self._database.read() as session:
            return find_cluster(session, text)

    def photos(self, names: Sequence[str]) -> list[SharedPhoto]:
        """Photos that show all of these persons, oldest first. Raises NotFoundError for an unknown name."""
        with self._database.read() as session:
            people = _known_people(session, names)
            rows = persons.photos_of_all(session, [person.id for person in people])
        return [SharedPhoto(*row) for row in rows]

    def faces(
        self, *, name: str | None = None, cluster: str | None = None, photo: Path | None = None, limit: int
    ) -> tuple[list[ListedFace], int]:
        """The faces of a person, of a cluster or in a photo, the clearest first, and how many there are.

        Raises InvalidInputError unless one of the three is given, NotFoundError if it is unknown.
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


def _known_people(session: Session, names: Sequence[str]) -> list[PersonRow]:
    """The persons of these names, each once. Raises NotFoundError with all unknown names."""
    keys = {clean_name(name)[1]: name for name in names}
    people = persons.persons_by_keys(session, list(keys))
    unknown = [name for key, name in keys.items() if key not in people]
    if unknown:
        raise NotFoundError(
            f"Nobody is called {', '.join(unknown)}.", hint="`image-search people` lists the names."
        )
    return [people[key] for key in keys]


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
