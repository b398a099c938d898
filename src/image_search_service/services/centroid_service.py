"""Persons' centroids: one algorithm (``recognition/centroid.py``), computed when the faces have changed.

A new centroid's row is inserted, its point stored in Qdrant, and the row made active in the transaction that
retires the old one, whose point is deleted last. The next run removes what a crash left; an active centroid
always has its point.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from image_search_service.core.parallel import chunks
from image_search_service.core.records.people import CentroidRecord
from image_search_service.core.types import Progress
from image_search_service.db.models import PersonCentroid, utc_now
from image_search_service.db.models.people import NO_VERSION
from image_search_service.db.queries import events, faces as face_queries
from image_search_service.db.queries.batches import BATCH, Row, person_groups
from image_search_service.db.queries.suggestions import centroids as centroid_queries
from image_search_service.db.queries.suggestions.centroids import CentroidFace, PersonSource
from image_search_service.library.centroids_in_memory import (
    centroid_of,
    centroids_missing,
    is_fresh,
    is_unchanged,
)
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import (
    ALGORITHM_VERSION,
    ActiveCentroids,
    source_hash,
)
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.centroid_qdrant import CentroidPoint
from image_search_service.vector.embedding_batch import EmbeddingBatch

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
            faces = centroid_queries.points_of_persons(session, [person_id]).get(person_id, [])
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

        Whoever's faces have not changed costs a share of one statement; each group of the others
        ⌈n ÷ 1,000⌉ fetches for n faces and a fixed number of statements. Unknown persons are skipped.
        """
        with self._database.read() as session:
            sources = centroid_queries.person_sources(session, person_ids)
            changed = [one for one, source in sources.items() if force or not is_unchanged(source)]
            counts = face_queries.face_counts(session, changed) if changed else []
        run = CentroidRun(persons=len(sources) - len(counts), fresh=len(sources) - len(counts))
        for group in person_groups(counts):
            self._compute_group({person: sources[person] for person in group}, run, force)
            if progress is not None:
                progress(run.persons, len(sources))
        self._clear_leftovers()
        return run

    def make_again(self, person_ids: Sequence[uuid.UUID]) -> CentroidRun:
        """Forget the stored centroids of these persons, and compute new ones of those who are not merged or
        taken back; the others get theirs when an undo brings them back."""
        for persons in chunks(person_ids, BATCH):
            with self._database.write() as session:
                centroid_queries.replace_active(session, persons, [])
        return self.compute_centroids(person_ids)

    def is_stale(self, person_id: uuid.UUID) -> bool:
        """Whether the active centroid was computed from other faces than the person has now. False without
        faces and centroid."""
        with self._database.read() as session:
            faces = centroid_queries.points_of_persons(session, [person_id]).get(person_id, [])
            source = centroid_queries.person_sources(session, [person_id]).get(person_id)
        return source is not None and not is_fresh(faces, source.centroid)

    def persons_with_stale_centroid(self) -> list[uuid.UUID]:
        """Persons whose active centroid is stale: a fixed number of statements for each group of persons."""
        with self._database.read() as session:
            counts = face_queries.face_counts(session)
        stale: list[uuid.UUID] = []
        for group in person_groups(counts):
            with self._database.read() as session:
                faces = centroid_queries.points_of_persons(session, group)
                sources = centroid_queries.person_sources(session, group)
            stale += [
                person
                for person, source in sources.items()
                if source.centroid and not is_fresh(faces.get(person, []), source.centroid)
            ]
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
            raise centroids_missing(len(batch.missing), len(rows))
        return ActiveCentroids([row.person_id for row in rows], batch.matrix, list(batch.ids))

    def _read_active(
        self, person_ids: Sequence[uuid.UUID] | None
    ) -> tuple[list[PersonCentroid], EmbeddingBatch]:
        with self._database.read() as session:
            rows = centroid_queries.active_centroids(session, person_ids)
        return rows, self._centroids.get_centroids_by_point_ids([row.id for row in rows], FETCH_BATCH)

    def _embeddings(self, faces: Iterable[CentroidFace]) -> EmbeddingBatch:
        ids = [face.point_id for face in faces]
        return self._faces.get_embeddings_by_point_ids(ids, FETCH_BATCH)

    def _compute_group(
        self, sources: Mapping[uuid.UUID, PersonSource], run: CentroidRun, force: bool
    ) -> None:
        with self._database.read() as session:
            faces = centroid_queries.points_of_persons(session, list(sources))
        stale = {
            person: faces.get(person, [])
            for person, source in sources.items()
            if force or not is_fresh(faces.get(person, []), source.centroid)
        }
        batch = self._embeddings(face for person_faces in stale.values() for face in person_faces)
        built = _build(stale, batch, {person: source.faces_version for person, source in sources.items()})
        self._store(built, retire=[person for person in built.without_faces if sources[person].centroid])
        self._keep_versions({one: source for one, source in sources.items() if one not in stale})
        run.persons += len(sources)
        run.fresh += len(sources) - len(stale)
        run.computed += len(built.rows)
        run.without_embeddings += len(built.without_faces)
        run.faces_missing += len(batch.missing)

    def _keep_versions(self, fresh: Mapping[uuid.UUID, PersonSource]) -> None:
        """Of persons whose faces changed and changed back."""
        versions = {person: source.faces_version for person, source in fresh.items() if source.centroid}
        if versions:
            with self._database.write() as session:
                centroid_queries.keep_versions(session, versions)

    def _store(self, built: _BuiltCentroids, retire: Sequence[uuid.UUID]) -> None:
        """Insert the rows, store the points, activate the rows: an active centroid always has its point."""
        if built.rows:
            with self._database.write() as session:
                centroid_queries.add_building(session, built.rows)
            self._centroids.upsert_centroids(built.points)
        persons = [*retire, *(point.person_id for point in built.points)]
        if persons:
            with self._database.write() as session:
                events.take_turn(session)  # another job may compute the same persons' at the same time
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


def _record(row: PersonCentroid) -> CentroidRecord:
    return CentroidRecord(
        id=row.id,
        person_id=row.person_id,
        faces=row.faces,
        faces_used=row.faces_used,
        algorithm_version=row.algorithm_version,
        created_at=row.created_at,
    )


def _build(
    stale: dict[uuid.UUID, list[CentroidFace]], batch: EmbeddingBatch, versions: Mapping[uuid.UUID, int]
) -> _BuiltCentroids:
    """One centroid for each person with embeddings. versions: of their faces, before these were read."""
    row_of = {point_id: row for row, point_id in enumerate(batch.ids)}
    built = _BuiltCentroids()
    for person_id, faces in stale.items():
        embedded = [face for face in faces if face.point_id in row_of]
        centroid = centroid_of(person_id, batch.matrix[[row_of[face.point_id] for face in embedded]])
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
                "faces_version": versions[person_id] if len(embedded) == len(faces) else NO_VERSION,
            }
        )
    return built
