"""How embeddings were fetched before: one id a call, and the specification's batches. To compare with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from image_search_service.vector.embedding_batch import EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient


def get_embedding_by_point_id(client: Any, collection_name: str, point_id: UUID) -> list[float] | None:
    """The embedding of one point, in a request of its own; None if it is not there."""
    points = client.retrieve(
        collection_name=collection_name, ids=[str(point_id)], with_payload=False, with_vectors=True
    )
    if not points or not points[0].vector:
        return None
    vector = points[0].vector
    return list(next(iter(vector.values()))) if isinstance(vector, dict) else list(vector)


def get_embeddings_one_by_one(
    client: Any, collection_name: str, point_ids: Sequence[UUID]
) -> dict[UUID, list[float]]:
    """The loop that the specification's call sites had."""
    embeddings = {}
    for point_id in point_ids:
        embedding = get_embedding_by_point_id(client, collection_name, point_id)
        if embedding is not None:
            embeddings[point_id] = embedding
    return embeddings


def get_embeddings_as_specified(
    client: Any, collection_name: str, point_ids: Sequence[UUID], batch_size: int = 100
) -> dict[UUID, list[float]]:
    """The specification's own step 1: a batch a call, one after the other, every number checked."""
    embeddings: dict[UUID, list[float]] = {}
    for start in range(0, len(point_ids), batch_size):
        ids = [str(point_id) for point_id in point_ids[start : start + batch_size]]
        points = client.retrieve(
            collection_name=collection_name, ids=ids, with_payload=False, with_vectors=True
        )
        for point in points:
            if isinstance(point.vector, list) and all(isinstance(number, float) for number in point.vector):
                embeddings[UUID(str(point.id))] = point.vector
    return embeddings


class OneByOneFaces(FaceQdrantClient):
    """A collection of faces whose embeddings are fetched as they were before."""

    def get_embeddings_by_point_ids(self, point_ids: Sequence[UUID], batch_size: int = 100) -> EmbeddingBatch:
        del batch_size
        found = get_embeddings_one_by_one(self.client, self.collection_name, point_ids)
        return EmbeddingBatch.from_mapping(found, point_ids)
