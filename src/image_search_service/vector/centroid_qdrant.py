"""Centroids in Qdrant: one point for each person's active centroid, in a collection of their own.

What every method raises, and what it costs: see ``qdrant_collection``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from image_search_service.core.types import FloatArray
from image_search_service.vector.batching import DEFAULT_BATCH_SIZE, EmbeddingBatch
from image_search_service.vector.collections import CENTROID_INDEXES, PERSON_ID
from image_search_service.vector.limits import WRITE_BATCH
from image_search_service.vector.qdrant_collection import QdrantCollection
from image_search_service.vector.stored_points import PointId


@dataclass(frozen=True, slots=True)
class CentroidPoint:
    """A centroid as it is stored. embedding: ``(d,)`` float32 of unit length."""

    point_id: UUID
    embedding: FloatArray
    person_id: UUID


class CentroidQdrantClient(QdrantCollection):
    """The centroids of one library (``collections.centroids_collection``)."""

    indexes = CENTROID_INDEXES

    def upsert_centroids(self, centroids: Iterable[CentroidPoint], batch_size: int = WRITE_BATCH) -> None:
        """Stores centroids, replacing those that are there: one request for each batch."""
        from image_search_service.vector import queries

        points = (
            queries.point(
                centroid.point_id, self._checked(centroid.embedding), {PERSON_ID: str(centroid.person_id)}
            )
            for centroid in centroids
        )
        self._upsert(points, batch_size)

    def get_centroids_by_point_ids(
        self, point_ids: Sequence[UUID], batch_size: int = DEFAULT_BATCH_SIZE
    ) -> EmbeddingBatch:
        """Centroids by id, as ``FaceQdrantClient.get_embeddings_by_point_ids`` gives faces."""
        return self._reader.read(point_ids, batch_size)

    def delete_centroids(self, point_ids: Iterable[PointId]) -> None:
        """Delete retired centroids; missing ones are skipped."""
        self.delete(point_ids)
