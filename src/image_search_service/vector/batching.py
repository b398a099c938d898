"""Embeddings by id, many at once: the heart of the project.

``BatchReader.read`` → ``_Reading._fetch`` (several batches in flight; again, while Qdrant is unavailable)
→ ``Transport.start`` (one batch) → ``EmbeddingRows.fill`` (its rows of the array).

Missing and unavailable are different things. A point that is not there is reported in ``missing``; a server
that does not answer is an error for the whole call, never a result made of what happened to arrive.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID

import numpy as np

from image_search_service.core.errors import (
    ImageSearchError,
    InvalidInputError,
    RateLimitedError,
    RequestTooLargeError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.core.logging import get_logger
from image_search_service.core.parallel import chunks
from image_search_service.vector.calls import MISSING, POINTS, Retry
from image_search_service.vector.embedding_batch import EmbeddingBatch, EmbeddingRows, as_matrix
from image_search_service.vector.limits import PartSize
from image_search_service.vector.transport import PendingResponse, Transport, transport_for

if TYPE_CHECKING:
    from image_search_service.vector.transport import AnyQdrant

log = get_logger(__name__)

__all__ = ["DEFAULT_BATCH_SIZE", "FETCH_BATCH", "BatchReader", "EmbeddingBatch", "as_matrix"]

FETCH_BATCH = 1_000
"""Points in one request of services and jobs: fewer requests than with the specification's 100, while the
memory of two such batches stays small (``docs/performance.md``)."""

DEFAULT_BATCH_SIZE = 100

InFlight: TypeAlias = tuple[list[int], dict[str, int], PendingResponse]
"""A request in flight: its rows, the row of each id, and the pending response."""

MAX_UNREADABLE = 8
"""Points read one by one without any success, after which the server is held responsible and not the
points."""


class BatchReader:
    """Reads embeddings of one collection by id.

    client: any ``QdrantClient``, of a server or in memory, or this package's embedded one.
    dimension: numbers in each embedding.
    vector_name: the vector to read where points have several named ones.
    retry: pauses before a failed request is sent again; by default three, of 0.1, 0.4 and 1.6 seconds.
    size: the limit of points in a request, halved whenever the server refuses one for its size; by default
    none.
    """

    def __init__(
        self,
        client: AnyQdrant,
        collection_name: str,
        dimension: int,
        *,
        vector_name: str | None = None,
        retry: Retry | None = None,
        size: PartSize | None = None,
    ) -> None:
        self._client = client
        self._collection_name = collection_name
        self._dimension = dimension
        self._vector_name = vector_name
        self._retry = retry or Retry()
        self._size = size or PartSize()

    def read(self, ids: Sequence[UUID], batch_size: int = DEFAULT_BATCH_SIZE) -> EmbeddingBatch:
        """The embeddings of ``ids``, ``(n, dimension)`` float32 in that order; repeated ids count once.

        batch_size: most ids in one request, 1 or more; several requests are sent at once.
        Raises InvalidInputError for ``batch_size < 1``, UnavailableError when Qdrant does not answer,
        LostCollectionError (a NotFoundError) when the collection does not exist, VectorStoreError when
        nothing can be read.
        """
        if batch_size < 1:
            raise InvalidInputError(f"batch_size is {batch_size}, it must be 1 or more.")
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return EmbeddingBatch((), np.empty((0, self._dimension), dtype=np.float32))
        transport = transport_for(self._client, self._collection_name)
        rows = EmbeddingRows(wanted, self._dimension, self._vector_name)
        try:
            _Reading(transport, rows, self._retry, self._size).run(batch_size)
        finally:
            transport.close()
        batch = rows.batch()
        self._report(batch)
        return batch

    def _report(self, batch: EmbeddingBatch) -> None:
        POINTS.inc(len(batch))
        MISSING.inc(len(batch.missing))
        if batch.missing:
            some = {str(point_id): reason for point_id, reason in list(batch.missing.items())[:5]}
            log.warning(
                "Embeddings are missing",
                collection=self._collection_name,
                missing=len(batch.missing),
                asked=len(batch) + len(batch.missing),
                examples=some,
            )


class _Reading:
    """One call of ``BatchReader.read``: the requests in flight and the rows still to request."""

    def __init__(self, transport: Transport, rows: EmbeddingRows, retry: Retry, size: PartSize) -> None:
        self._transport = transport
        self._rows = rows
        self._retry = retry
        self._size = size
        self._in_flight = 1

    def run(self, batch_size: int) -> None:
        most = self._transport.ids_in_flight
        batch_size = min(batch_size, most // 2, self._size.most)
        self._in_flight = min(self._transport.in_flight, most // batch_size)
        self._fetch(deque(chunks(range(len(self._rows)), batch_size)))
        self._confirm(self._rows.absent(), batch_size)

    def _confirm(self, absent: Sequence[int], batch_size: int) -> None:
        """Request ids that were missing from a response once more before they count as missing.

        Raises UnavailableError when the server returns any of them now: its responses are incomplete.
        """
        self._fetch(deque(chunks(absent, batch_size)))
        if came := sum(1 for row in absent if self._rows.found[row]):
            raise UnavailableError(
                f"Qdrant has left out {came} embeddings that it has; its answers are incomplete.",
                hint="Try again when it works as it should; its log may say what is wrong.",
            )

    def _fetch(self, todo: deque[list[int]]) -> None:
        """Read all batches in ``todo``. After a failure one request at a time, until one succeeds."""
        flying: deque[InFlight] = deque()
        failures = 0
        try:
            while todo or flying:
                while todo and len(flying) < (1 if failures else self._in_flight):
                    names = self._rows.row_by_id(todo[0])
                    flying.append((todo.popleft(), names, self._transport.start(list(names))))
                rows, names, answer = flying.popleft()
                try:
                    self._rows.fill(answer.points(), names)
                    failures = 0
                except RequestTooLargeError as error:
                    todo.extendleft(reversed(self._halves(rows, error)))
                except (InvalidInputError, VectorStoreError) as error:
                    failures = 0
                    self._one_by_one(rows, error)
                except UnavailableError as error:
                    failures += 1
                    if isinstance(error, RateLimitedError):
                        self._in_flight = 1
                    todo.extendleft(reversed([rows, *_cancelled(flying)]))
                    self._retry.wait(failures, error)
        finally:
            _cancelled(flying)

    def _halves(self, rows: list[int], error: RequestTooLargeError) -> list[list[int]]:
        """A batch that is too large in two; none, and a reason, for a single point that is."""
        if len(rows) == 1:
            self._give_up(rows[0], error)
            return []
        self._size.refused(len(rows), error)
        middle = len(rows) // 2
        return [rows[:middle], rows[middle:]]

    def _one_by_one(self, rows: Sequence[int], error: ImageSearchError) -> None:
        """Read a failed batch point by point, so that one bad point does not cost the others."""
        if len(rows) == 1:
            self._give_up(rows[0], error)
        else:
            log.warning("A batch cannot be read, reading its points one by one", error=error.message)
            self._fetch(deque([row] for row in rows))

    def _give_up(self, row: int, error: ImageSearchError) -> None:
        """Record a point that cannot be read even alone; raises when the server is at fault."""
        self._rows.reasons[row] = error.message
        blameless = sum(_is_point_id(self._rows.wanted[row]) for row in self._rows.reasons)
        if not self._rows.found.any() and blameless >= min(MAX_UNREADABLE, len(self._rows)):
            raise error


def _cancelled(flying: deque[InFlight]) -> list[list[int]]:
    """Cancel the requests in flight; returns their rows."""
    for _, _, answer in flying:
        answer.cancel()
    cancelled = [rows for rows, _, _ in flying]
    flying.clear()
    return cancelled


def _is_point_id(value: object) -> bool:
    """Whether this can be the id of a Qdrant point: a UUID, or a whole number from 0."""
    if isinstance(value, UUID):
        return True
    try:
        UUID(str(value))
    except ValueError:
        return str(value).isdecimal()
    return True
