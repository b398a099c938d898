"""The base of the collections of faces and centroids: points, searches, creation and removal.

Every method costs ⌈n ÷ batch⌉ round trips for n points, and may be repeated without changing its effect.
Every method raises UnavailableError when Qdrant does not answer after a few tries, NotFoundError when the
collection is not there, and VectorStoreError when an answer cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar, cast
from uuid import UUID

import numpy as np

from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.core.logging import get_logger
from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray
from image_search_service.vector.batching import BatchReader
from image_search_service.vector.calls import Retry, call
from image_search_service.vector.collections import CollectionSettings, IndexKind
from image_search_service.vector.stored_points import PointId, StoredPoint, stored_points
from image_search_service.vector.transport import is_in_process

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

    from image_search_service.vector.transport import AnyQdrant

P = ParamSpec("P")
T = TypeVar("T")
log = get_logger(__name__)

WRITE_BATCH = 1000
"""Points in one writing request: at 512 numbers 2 MB over gRPC, 10 MB over REST; a server takes 32 MB."""

SEARCH_GROUP = 100
"""Searches in one request."""


class QdrantCollection:
    """One collection of unit vectors ``(dimension,)``, compared by cosine."""

    indexes: ClassVar[Mapping[str, IndexKind]]

    def __init__(
        self,
        client: AnyQdrant,
        collection_name: str,
        dimension: int,
        *,
        settings: CollectionSettings | None = None,
        vector_name: str | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.client = cast("QdrantClient", client)  # EmbeddedQdrant has the methods that are used
        self.collection_name = collection_name
        self.dimension = dimension
        self._settings = settings or CollectionSettings()
        self._vector_name = vector_name
        self._retry = retry or Retry()
        self._reader = BatchReader(
            client, collection_name, dimension, vector_name=vector_name, retry=self._retry
        )

    def ensure_collection(self) -> None:
        """Makes the collection and its payload indexes unless it is there.

        Raises ConflictError when it is there with vectors of another dimension or distance.
        """
        if not self.exists():
            self._create()
            return
        problem = self._problem()
        if problem is not None:
            raise ConflictError(
                problem, hint="It was made by another engine or program. Use that engine, or another library."
            )

    def problem(self) -> str | None:
        """Why the collection cannot hold these vectors; None if it can, or is not there."""
        return self._problem() if self.exists() else None

    def _problem(self) -> str | None:
        from image_search_service.vector import queries

        info = self._call("get_collection", self.client.get_collection, self.collection_name)
        vectors = info.config.params.vectors
        if queries.same_vectors(vectors, self.dimension):
            return None
        return (
            f"The collection {self.collection_name} does not hold vectors of {self.dimension} numbers "
            f"compared by cosine, but: {vectors}."
        )

    def _create(self) -> None:
        from image_search_service.vector import queries

        arguments = queries.new_collection(self.dimension, self._settings)
        try:
            self._call("create_collection", self.client.create_collection, self.collection_name, **arguments)
        except ConflictError:  # created by another process meanwhile, or by a try whose answer got lost
            log.info("The collection exists by now", collection=self.collection_name)
        for key, kind in self.indexes.items() if _has_indexes(self.client) else ():
            self._create_index(key, queries.index_schema(kind))

    def _create_index(self, key: str, schema: models.PayloadSchemaType) -> None:
        self._call(
            "create_payload_index",
            self.client.create_payload_index,
            self.collection_name,
            key,
            field_schema=schema,
        )

    def reset_collection(self, confirm: str | None = None) -> None:
        """Delete all points. confirm: the collection's name, required unless it is empty.

        Raises ConflictError without the confirmation.
        """
        number = self.count()
        if number and confirm != self.collection_name:
            raise ConflictError(
                f"The collection {self.collection_name} holds {number} points; they would be lost.",
                hint=f"To remove them all the same, confirm with its name: {self.collection_name}",
            )
        self._call("delete_collection", self.client.delete_collection, self.collection_name)
        self._create()

    def exists(self) -> bool:
        """Whether the collection is there."""
        return self._call("collection_exists", self.client.collection_exists, self.collection_name)

    def remove_collection(self) -> None:
        """Delete the collection with its points, if it exists."""
        if self.exists():
            self._call("delete_collection", self.client.delete_collection, self.collection_name)

    def count(self) -> int:
        """Number of points, exactly."""
        return self._call("count", self.client.count, self.collection_name, exact=True).count

    def scroll_stored(self, page_size: int = WRITE_BATCH) -> Iterator[StoredPoint]:
        """All points as stored, one request for each page: whole numbers first, then UUIDs, both
        ascending."""
        offset: Any = None
        while True:
            records, offset = self._call(
                "scroll",
                self.client.scroll,
                self.collection_name,
                limit=page_size,
                offset=offset,
                with_payload=True,
                with_vectors=True,
            )
            yield from stored_points(records, self.dimension, self._vector_name)
            if offset is None:
                return

    def retrieve_stored(self, point_ids: Iterable[PointId]) -> dict[PointId, StoredPoint]:
        """The existing ones among the points, as stored."""
        from image_search_service.vector import queries

        stored: dict[PointId, StoredPoint] = {}
        for chunk in chunks(point_ids, WRITE_BATCH):
            ids = queries.ids_of(chunk)
            records = self._call(
                "retrieve",
                self.client.retrieve,
                self.collection_name,
                ids,
                with_payload=True,
                with_vectors=True,
            )
            points = stored_points(records, self.dimension, self._vector_name)
            stored |= {point.id: point for point in points}
        return stored

    def delete(self, point_ids: Iterable[PointId]) -> None:
        """Delete points; missing ones are skipped."""
        from image_search_service.vector import queries

        for chunk in chunks(point_ids, WRITE_BATCH):
            ids = queries.ids_of(chunk)
            self._call("delete", self.client.delete, self.collection_name, ids)

    def _upsert(self, points: Iterable[models.PointStruct], batch_size: int) -> None:
        for chunk in chunks(points, batch_size):
            self._call("upsert", self.client.upsert, self.collection_name, chunk)

    def _checked(self, embedding: FloatArray) -> FloatArray:
        if embedding.shape != (self.dimension,) or not np.isfinite(embedding).all():
            raise InvalidInputError(
                f"An embedding has the shape {embedding.shape}; {self.dimension} finite numbers are needed."
            )
        return embedding

    def _update_payload(self, key: str, values: Mapping[UUID, UUID | bool | None]) -> None:
        """Set ``key`` of points by id; None removes it. Missing points are skipped."""
        from image_search_service.vector import queries

        for chunk in chunks(values.items(), WRITE_BATCH):
            operations = queries.payload_updates(key, dict(chunk))
            self._call("update_payload", self.client.batch_update_points, self.collection_name, operations)

    def _search_many(
        self,
        embeddings: FloatArray | Sequence[Sequence[float]],
        filters: Sequence[models.Filter | None],
        limit: int,
        score_threshold: float | None,
    ) -> Iterator[list[models.ScoredPoint]]:
        """The nearest points of each row, best first, equal scores by id."""
        from image_search_service.vector import queries

        rows = self._query_rows(embeddings, limit)
        requests = (
            queries.search(row, limit, score_threshold, where)
            for row, where in zip(rows, filters, strict=True)
        )
        for group in chunks(requests, SEARCH_GROUP):
            answers = self._call("search", self.client.query_batch_points, self.collection_name, group)
            for answer in answers:
                yield sorted(answer.points, key=lambda point: (-similarity(point), str(point.id)))

    def _query_rows(
        self, embeddings: FloatArray | Sequence[Sequence[float]], limit: int
    ) -> list[list[float]]:
        if limit < 1:
            raise InvalidInputError(f"limit is {limit}, it must be 1 or more.")
        matrix = np.asarray(embeddings, dtype=np.float32)
        if matrix.size == 0:
            return []
        if matrix.ndim != 2 or matrix.shape[1] != self.dimension or not np.isfinite(matrix).all():
            raise InvalidInputError(
                f"A search needs embeddings of {self.dimension} finite numbers, shape (n, {self.dimension}); "
                f"these have the shape {matrix.shape}."
            )
        rows: list[list[float]] = matrix.tolist()
        return rows

    def _call(self, operation: str, send: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Send one request by a method of the client; all requests go through here."""
        doing = f"in {operation} of {self.collection_name}"
        return call(operation, doing, lambda: send(*args, **kwargs), self._retry)


def similarity(point: models.ScoredPoint) -> float:
    """Cosine, −1 to 1, to six decimals: beyond them equal embeddings can differ by how an engine adds up."""
    return round(min(1.0, max(-1.0, float(point.score))), 6)


def _has_indexes(client: AnyQdrant) -> bool:
    """qdrant-client's local mode has no payload indexes and warns when asked for one."""
    return not (is_in_process(client) and hasattr(client, "init_options"))
