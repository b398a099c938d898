"""Persons' centroids: one algorithm (``recognition/centroid.py``), computed when the faces have changed.

A new centroid's row is inserted, its point stored in Qdrant, and the row made active in the transaction that
retires the old one, whose point is deleted last. The next run removes what a crash left; an active centroid
always has its point.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby
from operator import attrgetter

import numpy as np

from image_search_service.core.errors import DataIntegrityError, InvalidInputError
from image_search_service.core.logging import get_logger
from image_search_service.core.records.people import CentroidRecord
from image_search_service.core.types import FloatArray, Progress
from image_search_service.db.models import PersonCentroid, utc_now
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.queries.batches import BATCH, Row
from image_search_service.db.queries.faces import PersonFacePoint
from image_search_service.db.queries.suggestions import centroids as centroid_queries
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import (
    ALGORITHM_VERSION,
    ActiveCentroids,
    TrimmedCentroid,
    trimmed_centroid,
)
from image_search_service.services.people.batches import person_groups
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.centroid_qdrant import CentroidPoint
from image_search_service.vector.embedding_batch import EmbeddingBatch

log = get_logger(__name__)

NEAREST = 10
"""The most similar persons whose centroids ``people_for`` checks against all their faces."""
ABANDONED = timedelta(hours=1)
"""A centroid whose row was inserted so long ago and is still not active is abandoned."""


@dataclass(slots=True)
class CentroidRun:
    """The result of computing centroids, in persons. without_embeddings: persons whose faces give no
    centroid, because embeddings are missing or cancel each other out."""

    persons: int = 0
    computed: int = 0
    fresh: int = 0
    without_embeddings: int = 0
    faces_missing: int = 0


@dataclass(slots=True)
class _BuiltCentroids:
    """A group's new centroids, not stored yet. without_faces: persons who lose their centroid."""

    rows: list[Row] = field(default_factory=list)
    points: list[CentroidPoint] = field(default_factory=list)
    without_faces: list[uuid.UUID] = field(default_factory=list)
    missing: int = 0


class CentroidService:
    """Computes and reads persons' centroids. Raises UnavailableError; then all persons keep theirs."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = stores.centroids

    def get_person_face_embeddings(self, person_id: uuid.UUID) -> tuple[list[uuid.UUID], EmbeddingBatch]:
        """A person's faces that have an embedding, by id, and the embeddings, row for row: one statement and
        ⌈n ÷ 1,000⌉ fetches for n faces."""
        with self._database.read() as session:
            faces = face_queries.faces_of_persons(session, [person_id])
        batch = self._embeddings(faces)
        return [face.id for face in faces if face.point_id in batch], batch

    def compute_centroids_for_person(self, person_id: uuid.UUID, *, force: bool = False) -> CentroidRun:
        """The same as ``compute_centroids`` for one person."""
        return self.compute_centroids([person_id], force=force)

    def compute_centroids(
        self,
        person_ids: Sequence[uuid.UUID] | None = None,
        progress: Progress | None = None,
        *,
        force: bool = False,
    ) -> CentroidRun:
        """Compute the centroids of these persons, or of all, whose faces have changed; force: of all of them.
        A person without a face that has an embedding loses theirs.

        Each group of persons costs ⌈n ÷ 1,000⌉ fetches for n faces and a fixed number of statements. Unknown
        persons are skipped.
        """
        with self._database.read() as session:
            counts = face_queries.face_counts(session, person_ids)
        run = CentroidRun()
        for group in person_groups(counts):
            self._compute_group(group, run, force)
            if progress is not None:
                progress(run.persons, len(counts))
        self._clear_leftovers()
        return run

    def people_for(self, embedding: FloatArray) -> ActiveCentroids:
        """All active centroids, to compare one face ``(d,)`` with.

        First it computes the centroids of persons whose number of faces has changed, and of the most similar
        persons if any of their faces has changed. The result equals ``compute_centroids`` and then
        ``active_centroids``, except for dissimilar persons whose faces changed but not their number; it
        reads one number for each person instead of all their faces.
        """
        with self._database.read() as session:
            now = dict(face_queries.face_counts(session))
            made_of = {row.person_id: row.faces for row in centroid_queries.active_centroids(session)}
        if changed := [person_id for person_id, count in now.items() if count != made_of.get(person_id, 0)]:
            self.compute_centroids(changed)
        people = self.active_centroids()
        nearest = np.argsort(-(people.matrix @ embedding), kind="stable")[:NEAREST].tolist()
        run = self.compute_centroids([people.person_ids[row] for row in nearest])
        return people if run.fresh == run.persons else self.active_centroids()

    def is_stale(self, person_id: uuid.UUID) -> bool:
        """Whether the active centroid was computed from other faces than the person has now. False without
        faces and centroid."""
        with self._database.read() as session:
            faces = face_queries.faces_of_persons(session, [person_id])
            active = centroid_queries.active_centroids(session, [person_id])
        return bool(faces or active) and not _is_fresh(faces, active[0] if active else None)

    def persons_with_stale_centroid(self) -> list[uuid.UUID]:
        """Persons whose active centroid is stale: a fixed number of statements for each group of persons."""
        with self._database.read() as session:
            counts = face_queries.face_counts(session)
        stale: list[uuid.UUID] = []
        for group in person_groups(counts):
            faces, active = self._read_group(group)
            stale += [person for person, row in active.items() if not _is_fresh(faces.get(person, []), row)]
        return stale

    def active_centroid(self, person_id: uuid.UUID) -> CentroidRecord | None:
        """The person's active centroid, without its numbers."""
        with self._database.read() as session:
            row = next(iter(centroid_queries.active_centroids(session, [person_id])), None)
        return None if row is None else _record(row)

    def active_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> ActiveCentroids:
        """All active centroids, or those of at most 500 persons, to match faces with: one statement and
        ⌈p ÷ 1,000⌉ fetches for p persons. A centroid that is replaced meanwhile is read again.

        Raises DataIntegrityError when one has no point: without it, that person's faces would match others.
        """
        rows, batch = self._read_active(person_ids)
        if batch.missing:
            rows, batch = self._read_active(person_ids)
        if batch.missing:
            raise _centroids_missing(len(batch.missing), len(rows))
        return ActiveCentroids([row.person_id for row in rows], list(batch.ids), batch.matrix)

    def _read_active(
        self, person_ids: Sequence[uuid.UUID] | None
    ) -> tuple[list[PersonCentroid], EmbeddingBatch]:
        with self._database.read() as session:
            rows = centroid_queries.active_centroids(session, person_ids)
        return rows, self._centroids.get_centroids_by_point_ids([row.id for row in rows], FETCH_BATCH)

    def _embeddings(self, faces: Iterable[PersonFacePoint]) -> EmbeddingBatch:
        ids = [face.point_id for face in faces]
        return self._faces.get_embeddings_by_point_ids(ids, FETCH_BATCH)

    def _read_group(
        self, person_ids: Sequence[uuid.UUID]
    ) -> tuple[dict[uuid.UUID, list[PersonFacePoint]], dict[uuid.UUID, PersonCentroid]]:
        """Each person's faces and active centroid."""
        with self._database.read() as session:
            face_rows = face_queries.faces_of_persons(session, person_ids)
            rows = centroid_queries.active_centroids(session, person_ids)
        faces = {
            person: list(person_rows) for person, person_rows in groupby(face_rows, attrgetter("person_id"))
        }
        return faces, {row.person_id: row for row in rows}

    def _compute_group(self, person_ids: Sequence[uuid.UUID], run: CentroidRun, force: bool) -> None:
        faces, active = self._read_group(person_ids)
        stale = {
            person: faces.get(person, [])
            for person in person_ids
            if force or not _is_fresh(faces.get(person, []), active.get(person))
        }
        batch = self._embeddings(face for person_faces in stale.values() for face in person_faces)
        built = _build(stale, batch)
        self._store(built, retire=[person for person in built.without_faces if person in active])
        run.persons += len(person_ids)
        run.fresh += len(person_ids) - len(stale)
        run.computed += len(built.rows)
        run.without_embeddings += len(built.without_faces)
        run.faces_missing += len(batch.missing)

    def _store(self, built: _BuiltCentroids, retire: Sequence[uuid.UUID]) -> None:
        """Insert the rows, store the points, activate the rows: an active centroid always has its point."""
        if built.rows:
            with self._database.write() as session:
                centroid_queries.add_building(session, built.rows)
            self._centroids.upsert_centroids(built.points)
        persons = [*retire, *(point.person_id for point in built.points)]
        if persons:
            with self._database.write() as session:
                centroid_queries.replace_active(session, persons, [point.point_id for point in built.points])

    def _clear_leftovers(self) -> None:
        """Delete the points of unneeded centroids first, then their rows."""
        while True:
            with self._database.read() as session:
                left = centroid_queries.leftovers(session, utc_now() - ABANDONED)
            if left:
                self._centroids.delete_centroids(left)
                with self._database.write() as session:
                    centroid_queries.delete_centroids(session, left)
            if len(left) < BATCH:
                return


def get_person_face_embeddings(
    service: CentroidService, person_id: uuid.UUID
) -> tuple[list[uuid.UUID], EmbeddingBatch]:
    """``CentroidService.get_person_face_embeddings`` under the name that the specification calls."""
    return service.get_person_face_embeddings(person_id)


def compute_centroids_for_person(service: CentroidService, person_id: uuid.UUID) -> CentroidRun:
    """``CentroidService.compute_centroids_for_person`` under the name that the specification calls."""
    return service.compute_centroids_for_person(person_id)


def source_hash(face_ids: Iterable[uuid.UUID]) -> str:
    """SHA-256 (hex) over a set of faces and the version of the algorithm."""
    text = "\n".join([str(ALGORITHM_VERSION), *sorted(str(face_id) for face_id in face_ids)])
    return hashlib.sha256(text.encode()).hexdigest()


def _record(row: PersonCentroid) -> CentroidRecord:
    return CentroidRecord(
        id=row.id,
        person_id=row.person_id,
        faces=row.faces,
        faces_used=row.faces_used,
        algorithm_version=row.algorithm_version,
        created_at=row.created_at,
    )


def _is_fresh(faces: Sequence[PersonFacePoint], active: PersonCentroid | None) -> bool:
    """Whether the active centroid was computed from these faces; true for no faces and no centroid."""
    if active is None:
        return not faces
    return active.source_hash == source_hash(face.id for face in faces)


def _build(stale: dict[uuid.UUID, list[PersonFacePoint]], batch: EmbeddingBatch) -> _BuiltCentroids:
    """One centroid for each person with embeddings."""
    row_of = {point_id: row for row, point_id in enumerate(batch.ids)}
    built = _BuiltCentroids()
    for person_id, faces in stale.items():
        embedded = [face for face in faces if face.point_id in row_of]
        centroid = _centroid(person_id, batch.matrix[[row_of[face.point_id] for face in embedded]])
        if centroid is None:
            built.without_faces.append(person_id)
            continue
        centroid_id = uuid.uuid4()
        built.points.append(CentroidPoint(centroid_id, centroid.vector, person_id))
        built.rows.append(
            {
                "id": centroid_id,
                "person_id": person_id,
                "algorithm_version": ALGORITHM_VERSION,
                "faces": len(faces),
                "faces_used": len(centroid.used),
                "source_hash": source_hash(face.id for face in embedded),
            }
        )
    return built


def _centroids_missing(missing: int, number: int) -> DataIntegrityError:
    return DataIntegrityError(
        f"Of {number} centroids Qdrant did not give {missing}.",
        hint="Try again; if it stays so, image-search doctor --repair computes them again.",
    )


def _centroid(person_id: uuid.UUID, embeddings: FloatArray) -> TrimmedCentroid | None:
    if len(embeddings) == 0:
        return None
    try:
        return trimmed_centroid(embeddings)
    except InvalidInputError as error:
        log.warning("A person has no centroid", person_id=str(person_id), reason=error.message)
        return None
