"""Compares faces and persons for pages: a person's odd faces, a cluster's nearest persons.

The number of requests to Qdrant is fixed, except one for each thousand faces.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Final

import numpy as np

from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.people import PersonFaceRecord
from image_search_service.core.types import FloatArray, Likeness
from image_search_service.db.queries import differences, suggestion_states as suggestion_queries
from image_search_service.db.queries.people import (
    clusters as cluster_queries,
    faces as face_queries,
    persons as person_queries,
)
from image_search_service.db.queries.suggestions import nearest as queries
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.recognition.matching import most_similar
from image_search_service.services.existing import required
from image_search_service.services.people.persons import with_age
from image_search_service.vector.collections import FaceFilter
from image_search_service.vector.embedding_batch import EmbeddingBatch

FETCH_BATCH: Final = 1_000
"""Embeddings in one request."""
CLUSTER_SAMPLE: Final = 100
"""Number of a cluster's clearest faces that it is compared by."""
SPARE: Final = 20
"""Nearest persons requested beyond the limit, since some are ruled out."""


@dataclass(frozen=True, slots=True)
class NearPerson:
    """A person whom a cluster resembles. similarity: of its mean to their centroid, −1 to 1."""

    person_id: uuid.UUID
    name: str
    shown_face_id: uuid.UUID | None
    similarity: float
    likeness: Likeness


class LikenessService:
    """Compares persons' faces and clusters. Raises UnavailableError, and NotFoundError for an unknown id."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids_in_memory = stores.centroids_in_memory
        self._thresholds = stores.thresholds

    def odd_faces(self, person_id: uuid.UUID, offset: int, limit: int) -> ListPage[PersonFaceRecord]:
        """A person's faces, the least similar to their centroid first, those without an embedding last.

        One search, and what ``CentroidsInMemory.now`` costs.
        """
        with self._database.read() as session:
            _, born = required(person_queries.birth_date(session, person_id), "person", person_id)
            points = queries.points_of_person(session, person_id)
        similarity = self._least_similar(person_id, points, offset + limit)
        ordered = list(similarity)
        if len(ordered) < offset + limit:
            ordered += sorted(points.keys() - similarity.keys())
        with self._database.read() as session:
            page = face_queries.faces_by_ids(session, ordered[offset : offset + limit])
        faces = [with_age(face, born, similarity.get(face.id)) for face in page]
        return ListPage(faces, len(points))

    def _least_similar(
        self, person_id: uuid.UUID, points: dict[uuid.UUID, uuid.UUID], number: int
    ) -> dict[uuid.UUID, float]:
        """At most so many faces and their similarities to the person's centroid, the least similar first: a
        search for those most similar to its opposite. points: by face."""
        centroid = self._centroids_in_memory.of(person_id)
        if centroid is None or not points:
            return {}
        face_of = {point: face for face, point in points.items()}
        where = FaceFilter(among=face_of.keys())
        matches = self._faces.search_similar_faces(-centroid, min(number, len(points)), where=where)
        return {face_of[match.point_id]: -match.score for match in matches}

    def nearest_persons(self, cluster_id: uuid.UUID, limit: int) -> list[NearPerson]:
        """Persons whom a cluster resembles, the most similar first. One fetch.

        Without persons who are ruled out for one of its faces: rejected, in the same photo, or by a
        difference.
        """
        with self._database.read() as session:
            required(cluster_queries.cluster_by_id(session, cluster_id), "cluster", cluster_id)
            points = queries.points_of_cluster(session, cluster_id, CLUSTER_SAMPLE)
        mean = self._mean(list(points.values()))
        if mean is None:
            return []
        people = self._centroids_in_memory.now()
        scores = {
            person: round(score, 6) for person, score in most_similar(mean, people, set(), free=limit + SPARE)
        }
        with self._database.read() as session:
            barred = _barred(session, list(points), list(scores))
            shown = person_queries.faces_to_show(session, list(scores))
        ranked = [person for person in scores if person in shown and person not in barred][:limit]
        return [
            NearPerson(
                person,
                *shown[person],
                scores[person],
                self._thresholds.likeness(scores[person]),
            )
            for person in ranked
        ]

    def _mean(self, points: list[uuid.UUID]) -> FloatArray | None:
        """``(d,)`` of unit length."""
        batch = EmbeddingBatch.from_mapping(self._faces.get_embeddings_by_point_ids(points, FETCH_BATCH))
        total: FloatArray = batch.matrix.sum(axis=0) if len(batch) else np.zeros(1, dtype=np.float32)
        length = float(np.linalg.norm(total))
        return None if length == 0 else (total / length).astype(np.float32)


def _barred(session: Session, face_ids: list[uuid.UUID], person_ids: list[uuid.UUID]) -> set[uuid.UUID]:
    """Persons who are ruled out for one of these faces."""
    rejected = suggestion_queries.rejected_pairs(session, face_ids)
    apart = differences.apart_pairs(session, face_ids, person_ids)
    beside = queries.persons_beside(session, face_ids)
    return {person for _, person in rejected | apart} | beside
