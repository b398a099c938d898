"""Faces in Qdrant: embeddings with a payload derived from SQL. The id of a face's point is the face's own.

What every method raises, and what it costs: see ``qdrant_collection``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from image_search_service.core.errors import (
    DataIntegrityError,
    InvalidInputError,
    UnavailableError,
)
from image_search_service.core.types import FloatArray
from image_search_service.vector.batching import DEFAULT_BATCH_SIZE, EmbeddingBatch
from image_search_service.vector.collections import (
    CLUSTER_ID,
    EVERY_FACE,
    FACE_INDEXES,
    HIDDEN,
    PERSON_ID,
    FaceFilter,
    FaceMatch,
    FacePayload,
    FacePoint,
)
from image_search_service.vector.embedding_batch import EmbeddingRows
from image_search_service.vector.limits import WRITE_BATCH
from image_search_service.vector.qdrant_collection import QdrantCollection, similarity
from image_search_service.vector.stored_points import PointId

if TYPE_CHECKING:
    from qdrant_client import models

SCROLL_PAGE = 1000


@dataclass(frozen=True, slots=True)
class FaceScrollPage:
    """Some faces in the order of their ids. embeddings: empty unless asked for."""

    payloads: dict[UUID, FacePayload]
    embeddings: EmbeddingBatch


class FaceQdrantClient(QdrantCollection):
    """The faces of one library, in the collection of its engine (``collections.faces_collection``).

    Embeddings are float32 unit vectors ``(dimension,)``; similarities are cosines, −1 to 1. Every method that
    asks Qdrant raises UnavailableError when it does not answer after a few tries, LostCollectionError when
    the collection does not exist, and VectorStoreError when an answer cannot be used.
    """

    indexes = FACE_INDEXES

    def get_embedding_by_point_id(self, point_id: UUID) -> list[float] | None:
        """Retrieve the embedding vector for a specific face point.

        For retrieving multiple embeddings, use get_embeddings_by_point_ids()
        which batches the request for better performance.

        Args:
            point_id: Face point ID (qdrant_point_id from FaceInstance)

        Returns:
            The embedding, as many numbers as the engine's dimension (512 for ArcFace), or None if not found

        Raises:
            UnavailableError: Qdrant does not answer
        """
        return self.get_embeddings_by_point_ids([point_id]).get(point_id)

    def get_embeddings_by_point_ids(
        self, point_ids: Sequence[UUID], batch_size: int = DEFAULT_BATCH_SIZE
    ) -> EmbeddingBatch:
        """Retrieve embedding vectors for many face points, ``batch_size`` a request, several at once.

        Args:
            point_ids: Face point IDs; repeats are asked for once
            batch_size: Maximum IDs per request, 1 or more (Qdrant recommendation: 100)

        Returns:
            What behaves as a dict from point_id to embedding, over one array (``.matrix``, ``.ids``). A point
            that is not there is not in it; ``.missing`` says why, and one warning is logged for all of them.

        Raises:
            InvalidInputError: batch_size is below 1
            UnavailableError: Qdrant does not answer; never a result made of what happened to arrive
        """
        return self._reader.read(point_ids, batch_size)

    def upsert_faces(self, faces: Iterable[FacePoint], batch_size: int = WRITE_BATCH) -> None:
        """Stores faces, replacing those that are there: one request for each batch.

        Raises InvalidInputError for an embedding that is not ``(dimension,)`` finite numbers.
        """
        from image_search_service.vector import queries

        points = (
            queries.point(face.point_id, self._checked(face.embedding), face.payload.to_json())
            for face in faces
        )
        self._upsert(points, batch_size)

    def search_similar_faces(
        self,
        embedding: FloatArray | Sequence[float],
        limit: int = 10,
        score_threshold: float | None = None,
        where: FaceFilter = EVERY_FACE,
    ) -> list[FaceMatch]:
        """The faces most similar to one embedding, best first; equal ones by id.

        embedding: ``(dimension,)``. limit: 1 or more. score_threshold: least cosine similarity, −1 to 1.
        Raises InvalidInputError for another shape, numbers that are not finite, or ``limit < 1``.
        """
        return self.search_many([list(embedding)], limit, score_threshold, where)[0]

    def search_many(
        self,
        embeddings: FloatArray | Sequence[Sequence[float]],
        limit: int = 10,
        score_threshold: float | None = None,
        where: FaceFilter | Sequence[FaceFilter] = EVERY_FACE,
    ) -> list[list[FaceMatch]]:
        """The same for each row of ``(n, d)``, in one request for every hundred.

        where: one filter for all rows, or one for each.
        """
        from image_search_service.vector import queries

        wheres = [where] * len(embeddings) if isinstance(where, FaceFilter) else where
        filters = [queries.face_filter(filter_, self._limits.condition) for filter_ in wheres]
        results = self._search_many(embeddings, filters, limit, score_threshold)
        return [[_match(point) for point in points] for points in results]

    def update_person_ids(self, person_ids: Mapping[UUID, UUID | None]) -> None:
        """Set the persons of points; None removes the person. Missing points are skipped."""
        self._update_payload(PERSON_ID, person_ids)

    def update_cluster_ids(self, cluster_ids: Mapping[UUID, UUID | None]) -> None:
        """Set the clusters of points; None is noise. Missing points are skipped."""
        self._update_payload(CLUSTER_ID, cluster_ids)

    def update_hidden(self, hidden: Mapping[UUID, bool]) -> None:
        """Set whether points are hidden from searches for shown faces. Missing points are skipped."""
        stored: dict[UUID, UUID | bool | None] = {point: value or None for point, value in hidden.items()}
        self._update_payload(HIDDEN, stored)

    def overwrite_payloads(self, payloads: Mapping[UUID, FacePayload]) -> None:
        """Replace the whole payload of points. Missing points are skipped."""
        from image_search_service.vector import queries

        json_of = ((point_id, payload.to_json()) for point_id, payload in payloads.items())
        self._update(json_of, lambda chunk: queries.payload_overwrites(dict(chunk)))

    def get_unlabeled_faces_with_embeddings(
        self, *, limit: int | None = None, min_quality: float | None = None
    ) -> EmbeddingBatch:
        """Faces without a person, in the order of their ids, at most ``limit`` of them.

        min_quality: 0 to 1; faces without a quality are left out then.
        """
        where = FaceFilter(unlabeled=True, min_quality=min_quality)
        pages = [page.embeddings for page in self.scroll_faces(where, limit=limit, with_embeddings=True)]
        return EmbeddingBatch.concatenated(pages, self.dimension)

    def scroll_faces(
        self,
        where: FaceFilter = EVERY_FACE,
        *,
        page_size: int = SCROLL_PAGE,
        limit: int | None = None,
        with_embeddings: bool = False,
    ) -> Iterator[FaceScrollPage]:
        """All faces that match ``where``, in the order of their ids, one request for each page.

        Raises InvalidInputError for ``page_size < 1``.
        """
        if page_size < 1:
            raise InvalidInputError(f"page_size is {page_size}, it must be 1 or more.")
        from image_search_service.vector import queries

        condition = queries.face_filter(where, self._limits.condition)
        offset: Any = None
        while limit is None or limit > 0:
            size = page_size if limit is None else min(page_size, limit)
            records, offset = self._page_of_points(
                size, offset, with_vectors=with_embeddings, where=condition
            )
            if records:
                yield self._page(records, with_embeddings)
            if offset is None:
                return
            limit = None if limit is None else limit - len(records)

    def _page(self, records: Sequence[models.Record], with_embeddings: bool) -> FaceScrollPage:
        payloads = {UUID(str(record.id)): _payload(record) for record in records}
        rows = EmbeddingRows(list(payloads) if with_embeddings else [], self.dimension, self._vector_name)
        points = ((str(record.id), record.vector) for record in records)
        rows.fill(points, rows.row_by_id(range(len(rows))))
        return FaceScrollPage(payloads, rows.batch())

    def delete_faces(self, point_ids: Iterable[PointId]) -> None:
        """Delete the points of faces; missing ones are skipped."""
        self.delete(point_ids)


def _payload(point: models.Record | models.ScoredPoint) -> FacePayload:
    try:
        return FacePayload.from_json(point.payload or {})
    except (KeyError, TypeError, ValueError) as error:
        raise DataIntegrityError(
            f"The point {point.id} has a payload that is not a face's: {point.payload}.",
            hint="image-search doctor compares Qdrant with SQL and repairs the difference.",
        ) from error


def _match(point: models.ScoredPoint) -> FaceMatch:
    return FaceMatch(UUID(str(point.id)), similarity(point), _payload(point))


_configured: list[FaceQdrantClient] = []


def configure_face_qdrant_client(client: FaceQdrantClient | None) -> None:
    """Set the client that ``get_face_qdrant_client`` returns; None unsets it. ``library/vectors.py`` calls
    it.

    The specification fixes these two names; the project's own code passes ``Stores`` instead.
    """
    _configured[:] = [] if client is None else [client]


def get_face_qdrant_client() -> FaceQdrantClient:
    """The client of the open library. Raises UnavailableError when none is open."""
    if not _configured:
        raise UnavailableError(
            "No library is open, so that no face can be looked up.",
            hint="open_library() opens one and calls configure_face_qdrant_client().",
        )
    return _configured[0]
