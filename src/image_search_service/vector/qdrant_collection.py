"""The base of the collections of faces and centroids: points, searches, creation and removal.

Every method costs ⌈n ÷ batch⌉ round trips for n points, and may be repeated without changing its effect. A
batch is smaller where the server allows less (``limits``).
Every method raises UnavailableError when Qdrant does not answer after a few tries, LostCollectionError (a
NotFoundError) when the collection is not there, and VectorStoreError when an answer cannot be used.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import UUID

import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray
from image_search_service.vector.collection_setup import CollectionSetup
from image_search_service.vector.limits import SEARCH_GROUP, WRITE_BATCH
from image_search_service.vector.stored_points import PointId, StoredPoint, stored_points

if TYPE_CHECKING:
    from qdrant_client import models

T = TypeVar("T")

SCORE_DECIMALS = 6


class QdrantCollection(CollectionSetup):
    """One collection of unit vectors ``(dimension,)``, compared by cosine."""

    def scroll_stored(self, page_size: int = WRITE_BATCH) -> Iterator[StoredPoint]:
        """All points as stored, one request for each page: whole numbers first, then UUIDs, both
        ascending."""
        offset: Any = None
        while True:
            records, offset = self._page_of_points(page_size, offset, with_vectors=True)
            yield from stored_points(records, self.dimension, self._vector_name)
            if offset is None:
                return

    def _page_of_points(
        self, size: int, offset: Any, *, with_vectors: bool, where: models.Filter | None = None
    ) -> tuple[list[models.Record], Any]:
        """At most ``size`` points, and where the next ones begin."""

        def send(limit: int) -> tuple[list[models.Record], Any]:
            return self._call(
                "scroll",
                self.client.scroll,
                self.collection_name,
                scroll_filter=where,
                limit=limit,
                offset=offset,
                with_payload=True,
                with_vectors=with_vectors,
            )

        return self._limits.pages.page(size, send)

    def retrieve_stored(self, point_ids: Iterable[PointId]) -> dict[PointId, StoredPoint]:
        """The existing ones among the points, as stored."""
        from image_search_service.vector import queries

        def send(chunk: list[PointId]) -> list[models.Record]:
            ids = queries.ids_of(chunk)
            options: Any = {"with_payload": True, "with_vectors": True}
            return self._call("retrieve", self.client.retrieve, self.collection_name, ids, **options)

        stored: dict[PointId, StoredPoint] = {}
        for records in self._limits.reads.send(point_ids, WRITE_BATCH, send):
            points = stored_points(records, self.dimension, self._vector_name)
            stored |= {point.id: point for point in points}
        return stored

    def delete(self, point_ids: Iterable[PointId]) -> None:
        """Delete points; missing ones are skipped."""
        from image_search_service.vector import queries

        def send(chunk: list[PointId]) -> None:
            self._call("delete", self.client.delete, self.collection_name, queries.ids_of(chunk))

        deque(self._limits.updates.send(point_ids, WRITE_BATCH, send))

    def _upsert(self, points: Iterable[models.PointStruct], batch_size: int) -> None:
        def send(chunk: list[models.PointStruct]) -> None:
            self._call("upsert", self.client.upsert, self.collection_name, chunk)

        deque(self._limits.writes.send(points, batch_size, send))

    def _checked(self, embedding: FloatArray) -> FloatArray:
        if embedding.shape != (self.dimension,) or not np.isfinite(embedding).all():
            raise InvalidInputError(
                f"An embedding has the shape {embedding.shape}; {self.dimension} finite numbers are needed."
            )
        return embedding

    def _update_payload(self, key: str, values: Mapping[UUID, UUID | bool | None]) -> None:
        """Set ``key`` of points by id; None removes it. Missing points are skipped."""
        from image_search_service.vector import queries

        self._update(values.items(), lambda chunk: queries.payload_updates(key, dict(chunk)))

    def _update(
        self, changes: Iterable[T], operations: Callable[[list[T]], list[models.UpdateOperation]]
    ) -> None:
        """Sends the operations that stand for changes, as many changes in a request as are allowed."""

        def send(chunk: list[T]) -> None:
            self._call(
                "update_payload", self.client.batch_update_points, self.collection_name, operations(chunk)
            )

        deque(self._limits.updates.send(changes, WRITE_BATCH, send))

    def _search_many(
        self,
        embeddings: FloatArray | Sequence[Sequence[float]],
        filters: Sequence[models.Filter | None],
        limit: int,
        score_threshold: float | None,
    ) -> Iterator[list[models.ScoredPoint]]:
        """The nearest points of each row, best first, equal scores by id; those that reach the threshold."""
        from image_search_service.vector import queries

        rows = self._query_rows(embeddings, limit)
        least = None if score_threshold is None else round(score_threshold, SCORE_DECIMALS)
        pages = queries.pages(limit, self._limits.results)
        template = queries.SearchTemplate(_below(least), self._limits.rescored, self._limits.oversampling)
        requests = (
            template.request(row, page, where)
            for row, where in zip(rows, filters, strict=True)
            for page in pages
        )

        def send(group: list[models.QueryRequest]) -> list[models.QueryResponse]:
            return self._call("search", self.client.query_batch_points, self.collection_name, group)

        answers = chain.from_iterable(self._limits.searches.send(requests, SEARCH_GROUP, send))
        for of_row in chunks(answers, len(pages)):
            points = (point for answer in of_row for point in answer.points)
            reaching = [point for point in points if least is None or similarity(point) >= least]
            yield sorted(reaching, key=lambda point: (-similarity(point), str(point.id)))

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


def similarity(point: models.ScoredPoint) -> float:
    """Cosine, −1 to 1, to six decimals: beyond them equal embeddings can differ by how an engine adds up."""
    return round(min(1.0, max(-1.0, float(point.score))), SCORE_DECIMALS)


def _below(least: float | None) -> float | None:
    """What is asked for so that ``least`` itself is found: Qdrant leaves out what equals a threshold."""
    return None if least is None else least - 10.0**-SCORE_DECIMALS
