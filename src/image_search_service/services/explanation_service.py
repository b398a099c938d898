"""Why a face has no person: one fetch, one search, a few statements."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from image_search_service.core.errors import NotFoundError
from image_search_service.db.queries import explanation as queries
from image_search_service.db.session import Database
from image_search_service.faces.explanation import Because, Reason, Resembled, reasons, unrecognizable
from image_search_service.faces.thresholds import Thresholds
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.embedding_batch import EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient

LOOKED_AT = 25
"""Centroids that are compared with; some are of persons it was rejected for."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """reasons: empty for a face that has a person."""

    face_id: uuid.UUID
    person_id: uuid.UUID | None
    reasons: list[Reason]


class ExplanationService:
    """Explains single faces. Raises UnavailableError."""

    def __init__(
        self,
        database: Database,
        faces: FaceQdrantClient,
        centroids: CentroidQdrantClient,
        thresholds: Thresholds,
    ) -> None:
        self._database = database
        self._faces = faces
        self._centroids = centroids
        self._thresholds = thresholds

    def explain(self, face_id: uuid.UUID) -> Explanation:
        """Raises NotFoundError for a face that there is not."""
        with self._database.read() as session:
            facts = queries.face_facts(session, face_id)
        if facts is None:
            raise NotFoundError(f"There is no face {face_id}.")
        face = facts.face
        if face.person_id is not None:
            return Explanation(face_id, face.person_id, [])
        if not face.is_face:
            said = Reason(Because.NOT_A_FACE, "Somebody has said that it is no face.")
            return Explanation(face_id, None, [said])
        if not face.recognizable:
            parts = {name: float(value) for name, value in facts.quality_parts.items()}
            return Explanation(face_id, None, [unrecognizable(parts)])
        batch = self._faces.get_embeddings_by_point_ids([face.qdrant_point_id])
        if not batch:
            lost = Reason(
                Because.NO_EMBEDDING, "Its embedding is missing: image-search doctor --repair makes it again."
            )
            return Explanation(face_id, None, [lost])
        found = self._resembled(batch)
        why = reasons(found, facts.rejected, facts.in_photo, self._thresholds, different=facts.different)
        return Explanation(face_id, None, why)

    def _resembled(self, batch: EmbeddingBatch) -> list[Resembled]:
        matches = self._centroids.search_many(batch.matrix, LOOKED_AT)[0]
        with self._database.read() as session:
            persons = queries.persons_of_centroids(session, [match.point_id for match in matches])
        return [
            Resembled(persons[match.point_id].id, persons[match.point_id].name, match.score)
            for match in matches
            if match.point_id in persons
        ]
