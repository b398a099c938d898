"""Clusters: grouping, confidence (similarity of their faces), and representative faces."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import numpy as np

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import (
    DEFAULT_METHOD,
    FloatArray,
    Progress,
)
from image_search_service.db.queries import faces, library
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.faces.grouper import FaceGrouper, GroupingResult
from image_search_service.library.stores import Stores
from image_search_service.recognition.clustering.clustering import cluster_confidence
from image_search_service.recognition.clustering.representative import representatives
from image_search_service.vector.embedding_batch import EmbeddingBatch

log = get_logger(__name__)

DEFAULT_MAX_FACES = 20
"""Default number of faces from which a cluster's confidence is computed."""


class FaceClusteringService:
    """Groups unnamed faces, and computes a cluster's confidence and representative face."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._vectors = stores.faces
        self._grouper = FaceGrouper(stores)

    def group(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> GroupingResult:
        """Put unnamed faces into clusters; see ``FaceGrouper.group``."""
        return self._grouper.group(method=method, min_cluster_size=min_cluster_size, progress=progress)

    def group_if_stale(self, progress: Progress | None = None) -> None:
        """Put faces that were added since the last grouping to what they resemble; see ``FaceGrouper.grow``.

        The method is the one that the user chose for the last grouping of all.
        """
        with self._database.read() as session:
            row = library.get_library(session)
        if row is not None and row.grouping_stale:
            self._grouper.grow(**(row.grouping or {}), progress=progress)

    def calculate_cluster_confidence(
        self,
        cluster_id: uuid.UUID,
        qdrant_point_ids: Sequence[uuid.UUID] | None = None,
        max_faces_for_calculation: int | None = DEFAULT_MAX_FACES,
    ) -> float:
        """Mean cosine similarity over all pairs of a cluster's faces, −1 to 1; 1 for one face, 0 for none.

        qdrant_point_ids: its faces' points, if known already.
        max_faces_for_calculation: from more faces this number is sampled, evenly over their sorted ids; None
            takes all of them, exactly, at a cost of n · d.

        Raises InvalidInputError for a maximum below 2, UnavailableError.
        """
        if qdrant_point_ids is None:
            qdrant_point_ids = [face.point_id for face in self._faces_of(cluster_id)]
        chosen = _evenly(sorted(set(qdrant_point_ids)), max_faces_for_calculation)
        return cluster_confidence(_unit_rows(self._embeddings(chosen).matrix))

    def select_representative_face(self, cluster_id: uuid.UUID) -> uuid.UUID:
        """The cluster's face that is clear and typical; the clearest one if no embedding is there.

        Raises NotFoundError for a cluster without a face, UnavailableError.
        """
        faces = self._faces_of(cluster_id)
        if not faces:
            raise NotFoundError(f"There is no cluster {cluster_id}, or it has no face.")
        batch = self._embeddings([face.point_id for face in faces])
        comparable = [face for face in faces if face.point_id in batch]
        if not comparable:
            return max(faces, key=lambda face: face.quality).id
        quality = np.array([face.quality for face in comparable], dtype=np.float32)
        labels = np.zeros(len(comparable), dtype=np.int64)
        return comparable[int(representatives(_unit_rows(batch.matrix), labels, quality)[0])].id

    def _faces_of(self, cluster_id: uuid.UUID) -> list[GroupableFace]:
        with self._database.read() as session:
            return faces.faces_in_cluster(session, cluster_id)

    def _embeddings(self, point_ids: Sequence[uuid.UUID]) -> EmbeddingBatch:
        return EmbeddingBatch.from_mapping(
            self._vectors.get_embeddings_by_point_ids(list(point_ids)), point_ids
        )


def _evenly(ids: Sequence[uuid.UUID], most: int | None) -> Sequence[uuid.UUID]:
    """At most ``most`` of the ids, the first and the last among them."""
    if most is not None and most < 2:
        raise InvalidInputError(f"max_faces_for_calculation is {most}, it must be 2 or more, or None.")
    if most is None or len(ids) <= most:
        return ids
    return [ids[i] for i in np.linspace(0, len(ids) - 1, most).round().astype(int)]


def _unit_rows(embeddings: FloatArray) -> FloatArray:
    """``(n, d)`` with rows of unit length, as Qdrant gives them and a plain dict need not; zeros stay."""
    lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
    unit: FloatArray = (embeddings / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return unit
