"""Looking at a library: faces, photos, clusters, persons and the suggestions that wait. Changes nothing.

Each method costs a fixed number of SQL statements, whatever the number of faces.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from image_search_service.core.errors import NotFoundError
from image_search_service.db.models import ClusterRow
from image_search_service.db.queries import clusters as cluster_queries
from image_search_service.db.queries.people import face_pages, person_pages
from image_search_service.db.queries.people.face_pages import ClusterFilter, ShownFace, ShownPhoto
from image_search_service.db.queries.people.person_pages import ShownPerson, SuggestionGroup
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.services.people.versions import version_of

T = TypeVar("T")
FILES_HINT = "It is made when its photo is indexed; index it again: image-search index FOLDER."


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """Some items, and how many there are on all pages."""

    items: Sequence[T]
    total: int


@dataclass(frozen=True, slots=True)
class ShownCluster:
    """A cluster, and the version that its faces are (``services/people/versions.py``)."""

    cluster: ClusterRow
    version: str


@dataclass(frozen=True, slots=True)
class ShownSuggestions:
    """A person with the best of what waits for them, and the version of all that waits."""

    group: SuggestionGroup
    version: str


@dataclass(frozen=True, slots=True)
class PersonPhotoFaces:
    """A photo that shows a person, and which of its faces are theirs."""

    photo: ShownPhoto
    face_ids: list[uuid.UUID]


@dataclass(frozen=True, slots=True)
class SuggestionCount:
    """How many suggestions of a source are in a state, and for how many persons."""

    state: str
    source: str
    suggestions: int
    persons: int


class BrowseService:
    """Reads what is shown. Every method raises NotFoundError for an id that there is not."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._paths = stores.paths

    def face(self, face_id: uuid.UUID) -> ShownFace:
        with self._database.read() as session:
            return _there(face_pages.face_by_id(session, face_id), "face", face_id)

    def faces_of_asset(self, asset_id: uuid.UUID) -> tuple[ShownPhoto, list[ShownFace]]:
        """A photo and its faces, left to right."""
        with self._database.read() as session:
            photo = _there(face_pages.photo_by_id(session, asset_id), "photo", asset_id)
            return photo, face_pages.faces_of_asset(session, asset_id)

    def thumbnail(self, asset_id: uuid.UUID) -> bytes:
        """A small picture of a photo, WebP."""
        return self._file(self._paths.thumbnail(asset_id).read_bytes, "thumbnail of the photo", asset_id)

    def crop(self, face_id: uuid.UUID) -> bytes:
        """A small picture of a face, WebP."""
        return self._file(self._paths.crop(face_id).read_bytes, "picture of the face", face_id)

    def clusters(self, where: ClusterFilter, limit: int) -> Found[ShownCluster]:
        """Clusters without a name, the largest first."""
        with self._database.read() as session:
            page = face_pages.clusters_page(session, where, limit)
            return Found(_with_versions(session, page), face_pages.count_clusters(session, where))

    def cluster(
        self, cluster_id: uuid.UUID, after: tuple[float, uuid.UUID] | None, limit: int
    ) -> tuple[ShownCluster, Found[ShownFace]]:
        """A cluster and some of its faces, the best first."""
        with self._database.read() as session:
            cluster = _there(face_pages.cluster_by_id(session, cluster_id), "cluster", cluster_id)
            faces = face_pages.faces_of_cluster_page(session, cluster_id, after, limit)
            return _with_versions(session, [cluster])[0], Found(faces, cluster.size)

    def persons(
        self, after: tuple[int, str] | None, limit: int, *, hidden: bool = False
    ) -> Found[ShownPerson]:
        """Persons who are not hidden, or those who are: with most faces first."""
        with self._database.read() as session:
            return Found(
                person_pages.persons_page(session, after, limit, hidden=hidden),
                person_pages.count_persons(session, hidden=hidden),
            )

    def person(self, person_id: uuid.UUID) -> ShownPerson:
        with self._database.read() as session:
            return _there(person_pages.person_by_id(session, person_id), "person", person_id)

    def photos_of_person(
        self, person_id: uuid.UUID, after: tuple[datetime, uuid.UUID] | None, limit: int
    ) -> Found[PersonPhotoFaces]:
        """Photos that show a person, the oldest first."""
        with self._database.read() as session:
            _there(person_pages.existing_persons(session, [person_id]), "person", person_id)
            photos = face_pages.photos_of_person_page(session, person_id, after, limit)
            assets = [photo.asset.id for photo in photos]
            faces = face_pages.faces_of_person_in(session, person_id, assets)
            total = face_pages.count_photos_of_person(session, person_id)
        return Found([PersonPhotoFaces(photo, faces.get(photo.asset.id, [])) for photo in photos], total)

    def person_ids(self, wanted: Sequence[uuid.UUID] | None) -> list[uuid.UUID]:
        """These persons, or all. Raises NotFoundError, naming those that there are not."""
        with self._database.read() as session:
            found = person_pages.existing_persons(session, wanted)
        missing = sorted(set(wanted or ()) - set(found))
        if missing:
            names = ", ".join(str(person_id) for person_id in missing)
            raise NotFoundError(f"There is no person {names}.", hint="GET /api/v1/persons lists them.")
        return found

    def suggestions(self, after: tuple[int, str] | None, limit: int, each: int) -> Found[ShownSuggestions]:
        """Suggestions that wait, by person: those with most first, with the best ``each`` of theirs."""
        with self._database.read() as session:
            groups = person_pages.suggestion_groups_page(session, after, limit, each)
            waiting = person_pages.waiting_for(session, [group.person.id for group in groups])
            shown = [ShownSuggestions(group, version_of(waiting[group.person.id])) for group in groups]
            return Found(shown, person_pages.count_suggestion_groups(session))

    def suggestion_counts(self) -> list[SuggestionCount]:
        with self._database.read() as session:
            return [SuggestionCount(*row) for row in person_pages.suggestion_counts(session)]

    def persons_with_suggestions(self) -> int:
        """For how many persons suggestions wait."""
        with self._database.read() as session:
            return person_pages.count_suggestion_groups(session)

    def _file(self, read: Callable[[], bytes], what: str, item_id: uuid.UUID) -> bytes:
        try:
            return read()
        except FileNotFoundError:
            raise NotFoundError(f"There is no {what} {item_id}.", hint=FILES_HINT) from None


def _with_versions(session: Session, page: Sequence[ClusterRow]) -> list[ShownCluster]:
    members = cluster_queries.members_of(session, [cluster.id for cluster in page])
    return [ShownCluster(cluster, version_of(members.get(cluster.id, []))) for cluster in page]


def _there(found: T | None, what: str, item_id: uuid.UUID) -> T:
    if not found:
        raise NotFoundError(f"There is no {what} {item_id}.")
    return found
