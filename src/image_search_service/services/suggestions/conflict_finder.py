"""Finds contradictions by comparing faces and persons, and keeps them for whoever reads them.

Only persons whose centroid is another one than when they were last compared are compared again.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_search_service.core.types import FloatArray, Progress
from image_search_service.db.queries import events, faces as face_queries
from image_search_service.db.queries.batches import Row, person_groups
from image_search_service.db.queries.suggestions import conflicts as queries, kept_conflicts
from image_search_service.db.queries.suggestions.kept_conflicts import ALIKE, FAR
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import ActiveCentroids
from image_search_service.services.centroid_service import CentroidService
from image_search_service.vector.batching import FETCH_BATCH

MOST_ALIKE = 100
"""Of each person at most so many others who look the same are kept: however many look the same, few rows."""


@dataclass(slots=True)
class ConflictRun:
    """compared: persons. found: contradictions that were found about them."""

    compared: int = 0
    found: int = 0


class ConflictFinder:
    """Compares persons. Raises UnavailableError; those who were compared until then stay compared."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = CentroidService(stores)
        self._thresholds = stores.thresholds

    def look(self, progress: Progress | None = None, *, everybody: bool = False) -> ConflictRun:
        """Compare those whose faces have changed, or everybody.

        Costs one fetch of all centroids, and for each group of persons ⌈n ÷ 1,000⌉ fetches for n faces, a
        product with all centroids and a fixed number of statements, beside what stale centroids cost.
        """
        with self._database.write() as session:
            if everybody:
                kept_conflicts.check_all_again(session)
            unchecked = kept_conflicts.unchecked_persons(session)
        run = ConflictRun()
        if not unchecked:
            return run
        self._centroids.compute_centroids(unchecked)
        people = self._centroids.active_centroids()
        rows = {person: row for row, person in enumerate(people.person_ids)}
        with self._database.read() as session:
            counts = face_queries.face_counts(session, unchecked)
        for group in person_groups((person, faces) for person, faces in counts if person in rows):
            self._compare(people, [rows[person] for person in group], run)
            if progress is not None:
                progress(run.compared, len(counts))
        return run

    def _compare(self, people: ActiveCentroids, rows: Sequence[int], run: ConflictRun) -> None:
        found = [*self._far(people, rows), *alike_rows(people, rows, self._thresholds.assign_to_centroid)]
        persons = [people.person_ids[row] for row in rows]
        with self._database.write() as session:
            events.take_turn(session)  # another job may compare the same persons at the same time
            kept_conflicts.replace_conflicts(
                session, persons, [people.centroid_ids[row] for row in rows], found
            )
        run.compared += len(rows)
        run.found += len(found)

    def _far(self, people: ActiveCentroids, rows: Sequence[int]) -> list[Row]:
        """Faces less similar to their own person's centroid than the threshold ``suggest``."""
        row_of = {people.person_ids[row]: row for row in rows}
        with self._database.read() as session:
            faces = queries.comparable_faces(session, list(row_of))
        batch = self._faces.get_embeddings_by_point_ids([face.point_id for face in faces], FETCH_BATCH)
        faces = [face for face in faces if face.point_id in batch]
        if not faces:
            return []
        own = people.matrix[[row_of[face.person_id] for face in faces]]
        similarity = np.einsum("nd,nd->n", batch.matrix, own)
        return [
            {
                "id": uuid.uuid4(),
                "kind": FAR,
                "person_id": faces[row].person_id,
                "other_id": None,
                "face_instance_id": faces[row].face_id,
                "similarity": float(similarity[row]),
            }
            for row in np.flatnonzero(similarity < self._thresholds.suggest).tolist()
        ]


def alike_rows(people: ActiveCentroids, rows: Sequence[int], min_similarity: float) -> list[Row]:
    """Pairs of one of these persons and another whose centroids are so similar, each once: of each person
    the ``MOST_ALIKE``. rows: of ``people.matrix``."""
    scores: FloatArray = people.matrix[list(rows)] @ people.matrix.T
    scores[np.arange(len(rows)), list(rows)] = -1.0
    pairs: dict[frozenset[int], float] = {}
    for own, row in zip(rows, scores, strict=True):
        near = np.flatnonzero(row >= min_similarity)
        best = near[np.argsort(-row[near], kind="stable")[:MOST_ALIKE]]
        pairs |= {frozenset((own, other)): float(row[other]) for other in best.tolist()}
    return [_alike(people, min(pair), max(pair), similarity) for pair, similarity in pairs.items()]


def _alike(people: ActiveCentroids, first: int, second: int, similarity: float) -> Row:
    """Persons are in the order of their ids, in which ``person_differences`` has them, too."""
    return {
        "id": uuid.uuid4(),
        "kind": ALIKE,
        "person_id": people.person_ids[first],
        "other_id": people.person_ids[second],
        "face_instance_id": None,
        "similarity": similarity,
    }
