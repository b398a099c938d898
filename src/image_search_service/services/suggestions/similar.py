"""Finds the persons and faces that one face resembles: chosen by SQL, compared by its embedding.

Two requests to Qdrant at most, plus those for persons whose faces have changed since their centroid was
computed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_search_service.core.errors import NotFoundError
from image_search_service.core.types import FloatArray
from image_search_service.db.queries import faces as face_queries, persons
from image_search_service.db.queries.suggestions import explanation
from image_search_service.library.stores import Stores
from image_search_service.recognition.matching import most_similar
from image_search_service.vector.collections import FaceFilter

SHOWN_ALIKE = 5
"""The most confirmed faces shown as similar to a suggested one."""
MOST_CONFIRMED = 5_000
"""The number of a person's clearest confirmed faces that are compared."""


@dataclass(frozen=True, slots=True)
class ResembledPerson:
    """A person whom a face resembles. margin: similarity minus that of the most similar other person; None
    without another person."""

    person_id: uuid.UUID
    name: str
    similarity: float
    margin: float | None


@dataclass(frozen=True, slots=True)
class FaceSimilarity:
    """A confirmed face that another one resembles. similarity: cosine, −1 to 1."""

    face_id: uuid.UUID
    similarity: float


class Resemblance:
    """Compares single faces. Raises UnavailableError, and DataIntegrityError where a centroid is lost."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = stores.centroids_in_memory
        self._thresholds = stores.thresholds

    def persons_like(self, face_id: uuid.UUID, limit: int) -> list[ResembledPerson]:
        """Persons whom a face resembles, by their centroids, the most similar first.

        Without persons who are ruled out: rejected, in the photo with another face, or by a difference.
        Empty without an embedding. Raises NotFoundError for an unknown face.
        """
        with self._database.read() as session:
            facts = explanation.face_facts(session, face_id)
        if facts is None:
            raise NotFoundError(f"There is no face {face_id}.")
        embedding = self._embedding(facts.face.qdrant_point_id)
        if embedding is None:
            return []
        people = self._centroids.now()
        ranked = most_similar(embedding, people, facts.barred, free=max(limit, 2))
        return self._named(ranked)[:limit]

    def confirmed_alike(
        self, point_id: uuid.UUID, person_ids: Sequence[uuid.UUID]
    ) -> dict[uuid.UUID, list[FaceSimilarity]]:
        """For each person the faces that humans assigned to them, the most similar to a face first; at most
        500.

        They are read from SQL and not from payloads, which may be late, so that a decision counts at once.
        """
        embedding = self._embedding(point_id)
        with self._database.read() as session:
            confirmed = face_queries.confirmed_faces(session, person_ids, MOST_CONFIRMED)
        ids = {face.point_id: face.id for face in confirmed if face.point_id != point_id}
        points_by_person: dict[uuid.UUID, list[uuid.UUID]] = {}
        for face in confirmed:
            if face.point_id in ids:
                points_by_person.setdefault(face.person_id, []).append(face.point_id)
        if embedding is None or not points_by_person:
            return {}
        wheres = [FaceFilter(among=points) for points in points_by_person.values()]
        matches = self._faces.search_many(
            np.repeat(embedding[None], len(wheres), 0), SHOWN_ALIKE, None, wheres
        )
        return {
            person: [FaceSimilarity(ids[match.point_id], match.score) for match in found_faces]
            for person, found_faces in zip(points_by_person, matches, strict=True)
        }

    def _embedding(self, point_id: uuid.UUID) -> FloatArray | None:
        """The embedding ``(d,)`` of unit length, None if missing."""
        batch = self._faces.get_embeddings_by_point_ids([point_id])
        return batch.matrix[0] if batch else None

    def _named(self, ranked: Sequence[tuple[uuid.UUID, float]]) -> list[ResembledPerson]:
        """The persons similar enough to suggest, each with the margin to the most similar other person."""
        with self._database.read() as session:
            names = persons.names(session, [person for person, _ in ranked])
        scores = [score for _, score in ranked]
        others = [max(scores[:i] + scores[i + 1 :], default=None) for i in range(len(scores))]
        return [
            ResembledPerson(person, names[person], score, None if other is None else round(score - other, 6))
            for (person, score), other in zip(ranked, others, strict=True)
            if score >= self._thresholds.suggest
        ]
