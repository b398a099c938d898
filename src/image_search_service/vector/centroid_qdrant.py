"""Centroids in Qdrant: one point for each person's active centroid, in a collection of their own.

What every method raises, and what it costs: see ``qdrant_collection``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np

from image_search_service.core.records.library import StoreMark
from image_search_service.core.types import FloatArray
from image_search_service.vector.batching import DEFAULT_BATCH_SIZE, EmbeddingBatch
from image_search_service.vector.collections import CENTROID_INDEXES, PERSON_ID
from image_search_service.vector.limits import WRITE_BATCH
from image_search_service.vector.qdrant_collection import QdrantCollection
from image_search_service.vector.stored_points import PointId, StoredPoint

MARK_ID: Final = UUID(int=0)
"""The point that no person's centroid is: it has the library's mark (``library/marks.py``)."""
_MARK: Final = "mark"


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

    def scroll_stored(self, page_size: int = WRITE_BATCH) -> Iterator[StoredPoint]:
        """All centroids as stored, see ``QdrantCollection``; without the library's mark."""
        return (point for point in super().scroll_stored(page_size) if point.id != MARK_ID)

    def count(self) -> int:
        """Number of centroids, see ``QdrantCollection``; without the library's mark. Two requests."""
        return super().count() - len(self.retrieve_stored([MARK_ID]))

    def mark(self) -> StoreMark | None:
        """The mark of whoever opened the collection last; None if nobody has left one."""
        point = self.retrieve_stored([MARK_ID]).get(MARK_ID)
        return None if point is None else StoreMark.of_json(point.payload.get(_MARK))

    def set_mark(self, mark: StoreMark) -> None:
        """Leave a mark, in place of the one that is there. Its vector means nothing."""
        from image_search_service.vector import queries

        vector = np.eye(1, self.dimension, dtype=np.float32)[0]
        self._upsert([queries.point(MARK_ID, vector, {_MARK: mark.to_json()})], 1)

    def delete_centroids(self, point_ids: Iterable[PointId]) -> None:
        """Delete retired centroids; missing ones are skipped."""
        self.delete(point_ids)
