"""Every person's centroid as an array in memory, of the faces that they have now.

Single faces are compared with it by one product, which does not hold the interpreter's lock. Whether it is of
the present faces is asked of SQL each time, by one number that each change of a person's faces raises in its
own transaction; so it holds for changes by other threads, worker processes and the command line. Only persons
whose faces have changed are read again: their stored centroid if it is of the faces that they have now, else
their faces. Nothing is stored: reading only reads.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import numpy as np

from image_search_service.core.errors import DataIntegrityError, InvalidInputError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import FloatArray
from image_search_service.db.queries import face_versions as version_queries, faces as face_queries
from image_search_service.db.queries.batches import person_groups
from image_search_service.db.queries.face_versions import LibraryVersion
from image_search_service.db.queries.suggestions import centroids as centroid_queries
from image_search_service.db.queries.suggestions.centroids import CentroidFace, CentroidSource, PersonSource
from image_search_service.db.session import Database
from image_search_service.recognition.centroid import (
    ALGORITHM_VERSION,
    CentroidMatrix,
    TrimmedCentroid,
    source_hash,
    trimmed_centroid,
)

if TYPE_CHECKING:
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
    from image_search_service.vector.face_qdrant import FaceQdrantClient

log = get_logger(__name__)

FETCH_BATCH = 1_000
"""Embeddings in one request."""
TRIES = 2
"""A centroid that is replaced while it is read is looked for once more."""


class EmbeddingStores(Protocol):
    """The two collections in Qdrant."""

    @property
    def faces(self) -> FaceQdrantClient: ...

    @property
    def centroids(self) -> CentroidQdrantClient: ...


_NOBODY = CentroidMatrix([], np.empty((0, 0), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class _Kept:
    """What is in memory, and of which version of the library it is."""

    version: LibraryVersion | None = None
    matrix: CentroidMatrix = _NOBODY

    def is_of_the_library(self, version: LibraryVersion | None) -> bool:
        """Whether its embeddings are of the same library and engine, not later than ``version``."""
        return (
            self.version is not None
            and version is not None
            and self.version[:2] == version[:2]
            and self.version.changes <= version.changes
        )


@dataclass(slots=True)
class _ReadCentroids:
    """Centroids of some persons. stored: persons, by the id of the stored centroid that is of their faces.
    without_embedding: faces of the others that have none."""

    stored: dict[UUID, UUID]
    vectors: dict[UUID, FloatArray] = field(default_factory=dict)
    without_embedding: int = 0


class CentroidsInMemory:
    """One library's, shared by all threads of the process.

    Raises UnavailableError, and DataIntegrityError for a stored centroid without its point: without it, that
    person's faces would resemble others. Then what is in memory stays as it was.
    """

    def __init__(self, database: Database, stores: EmbeddingStores) -> None:
        self._database = database
        self._stores = stores
        self._reading = threading.Lock()
        self._kept = _Kept()

    def now(self) -> CentroidMatrix:
        """The centroids of the faces that persons have now; of nobody who has no face with an embedding.

        One statement if nobody's faces have changed since the last call. Else ⌈n ÷ 1,000⌉ requests for n
        persons, and for the faces of those whose stored centroid is of others, and a few statements for each
        500 persons.
        """
        return self._up_to_date().matrix

    def of(self, person_id: UUID) -> FloatArray | None:
        """``(d,)`` of unit length; None for a person without a face that has an embedding. Costs the same."""
        people = self.now()
        row = _row(people.person_ids, person_id)
        return None if row is None else people.matrix[row]

    def _up_to_date(self) -> _Kept:
        with self._database.read() as session:
            version = version_queries.library_version(session)
        kept = self._kept
        if version is not None and kept.version == version:
            return kept
        with self._reading:
            return self._read_changes()

    def _read_changes(self) -> _Kept:
        with self._database.snapshot() as session:
            version = version_queries.library_version(session)
            if version is not None and self._kept.version == version:  # another thread was first
                return self._kept
            before = self._kept if self._kept.is_of_the_library(version) else _Kept()
            since = None if before.version is None else before.version.changes
            changed, deleted = version_queries.changed_persons(session, since)
        read = self._read_again(changed)
        now = {person: read.vectors.get(person) for person in [*changed, *deleted]}
        kept = _Kept(version, _replaced(before.matrix, now))
        if read.without_embedding == 0:  # else those faces are looked for again the next time
            self._kept = kept
        return kept

    def _read_again(self, person_ids: Sequence[UUID]) -> _ReadCentroids:
        """The centroids of these persons."""
        for _ in range(TRIES):
            read = self._of_their_faces(person_ids)
            batch = self._stores.centroids.get_centroids_by_point_ids(list(read.stored), FETCH_BATCH)
            if not batch.missing:
                break
        else:
            raise centroids_missing(len(batch.missing), len(read.stored))
        for point_id, vector in zip(batch.ids, batch.matrix, strict=True):
            read.vectors[read.stored[point_id]] = vector
        return read

    def _of_their_faces(self, person_ids: Sequence[UUID]) -> _ReadCentroids:
        """Which stored centroids are of the persons' present faces, and the centroids of all others."""
        with self._database.read() as session:
            sources = centroid_queries.person_sources(session, person_ids)
            other = [person for person, source in sources.items() if not is_unchanged(source)]
            counts = face_queries.face_counts(session, other) if other else []
        active = {
            person: source.centroid for person, source in sources.items() if source.centroid is not None
        }
        read = _ReadCentroids(
            {source.id: person for person, source in active.items() if is_unchanged(sources[person])}
        )
        for group in person_groups(counts):
            with self._database.read() as session:
                faces = centroid_queries.points_of_persons(session, group)
            same = [one for one in group if one in active and is_fresh(faces.get(one, []), active[one])]
            read.stored |= {active[person].id: person for person in same}
            if others := {person: own for person, own in faces.items() if person not in same}:
                self._compute(others, read)
        return read

    def _compute(self, faces: Mapping[UUID, Sequence[CentroidFace]], read: _ReadCentroids) -> None:
        points = [face.point_id for own in faces.values() for face in own]
        batch = self._stores.faces.get_embeddings_by_point_ids(points, FETCH_BATCH)
        read.without_embedding += len(batch.missing)
        row_of = {point: row for row, point in enumerate(batch.ids)}
        for person, own in faces.items():
            rows = [row_of[face.point_id] for face in own if face.point_id in row_of]
            centroid = centroid_of(person, batch.matrix[rows])
            if centroid is not None:
                read.vectors[person] = centroid.vector


def _replaced(before: CentroidMatrix, now: Mapping[UUID, FloatArray | None]) -> CentroidMatrix:
    """A copy of the centroids with those that some persons have now; None: they have none."""
    persons, matrix = before.person_ids.copy(), before.matrix.copy()
    row_of = {person: _row(persons, person) for person in now}
    gone: list[int] = []
    for person, vector in now.items():
        if (row := row_of[person]) is None:
            continue
        if vector is None:
            gone.append(row)
        else:
            matrix[row] = vector
    for row in sorted(gone, reverse=True):
        del persons[row]
    added = {
        person: vector for person, vector in now.items() if row_of[person] is None and vector is not None
    }
    return _with_more(persons, np.delete(matrix, gone, axis=0) if gone else matrix, added)


def _with_more(persons: list[UUID], matrix: FloatArray, added: Mapping[UUID, FloatArray]) -> CentroidMatrix:
    """The centroids, and those of persons who are not among them."""
    new = sorted(added)
    if not new:
        return CentroidMatrix(persons, matrix)
    vectors = np.stack([added[person] for person in new])
    if not persons:
        return CentroidMatrix(new, vectors)
    places = [bisect_left(persons, person) for person in new]
    for place, person in zip(reversed(places), reversed(new), strict=True):
        persons.insert(place, person)
    return CentroidMatrix(persons, np.insert(matrix, places, vectors, axis=0))


def _row(persons: Sequence[UUID], person_id: UUID) -> int | None:
    row = bisect_left(persons, person_id)
    return row if row < len(persons) and persons[row] == person_id else None


def is_unchanged(source: PersonSource) -> bool:
    """Whether the active centroid is known to be of the person's faces without reading these."""
    centroid = source.centroid
    return (
        centroid is not None
        and centroid.faces_version == source.faces_version
        and centroid.algorithm_version == ALGORITHM_VERSION
    )


def is_fresh(faces: Sequence[CentroidFace], active: CentroidSource | None) -> bool:
    """Whether the active centroid was computed from these faces; true for no faces and no centroid."""
    if active is None:
        return not faces
    return active.source_hash == source_hash(face.id for face in faces)


def centroid_of(person_id: UUID, embeddings: FloatArray) -> TrimmedCentroid | None:
    """Of a person's embeddings ``(n, d)``; None, which is logged, if there is none or they cancel each other
    out."""
    if len(embeddings) == 0:
        return None
    try:
        return trimmed_centroid(embeddings)
    except InvalidInputError as error:
        log.warning("A person has no centroid", person_id=str(person_id), reason=error.message)
        return None


def centroids_missing(missing: int, number: int) -> DataIntegrityError:
    """The error of stored centroids without their points."""
    return DataIntegrityError(
        f"Of {number} centroids Qdrant did not give {missing}.",
        hint="Try again; if it stays so, image-search doctor --repair computes them again.",
    )
