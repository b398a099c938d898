"""Grouping the faces that nobody has named: load, decide, save."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.types import (
    ClusteringMethod,
    FloatArray,
    IntArray,
    JsonObject,
    Progress,
)
from image_search_service.db.queries import clusters, faces, library
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.db.session import Database
from image_search_service.faces.cluster_identity import match_clusters
from image_search_service.faces.clustering import (
    Clustering,
    ClusteringParameters,
    cluster_confidence,
    cluster_embeddings,
    confidences,
)
from image_search_service.faces.representative import representatives
from image_search_service.faces.thresholds import Thresholds
from image_search_service.vector.embedding_batch import EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient

log = structlog.get_logger(__name__)

FETCH_BATCH = 1_000
"""Embeddings in one request when all are wanted: ten times fewer round trips than a page for a screen."""

DEFAULT_MAX_FACES = 20
"""Of so many faces a cluster's confidence is computed when it is asked for."""


@dataclass(frozen=True, slots=True)
class Grouped:
    """What a grouping found. ``noise_faces`` are in no cluster."""

    faces: int
    clusters: int
    noise_faces: int
    seconds: float
    parameters: ClusteringParameters


class FaceClusteringService:
    """Groups the faces without a name into clusters."""

    def __init__(
        self, database: Database, vectors: FaceQdrantClient, thresholds: Thresholds, *, memory: int
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._thresholds = thresholds
        self._memory = memory

    def group(
        self,
        *,
        method: ClusteringMethod = "hdbscan",
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> Grouped:
        """Put the faces without a name into clusters, all anew; a cluster found again keeps its id.

        Raises InvalidInputError for an unknown method or a size below 2, UnavailableError when the
        embeddings cannot all be read: nothing is changed then.
        """
        started = time.monotonic()
        with self._database.read() as session:
            found = faces.groupable_faces(session)
        batch = self._vectors.get_embeddings_by_point_ids([face.point_id for face in found], FETCH_BATCH)
        there = [face for face in found if face.point_id in batch]
        parameters = ClusteringParameters.for_engine(self._thresholds, len(there), method, min_cluster_size)
        clustering = cluster_embeddings(batch.matrix, _photo_codes(there), parameters, self._memory, progress)
        self._save(found, there, batch.matrix, clustering, parameters)
        return Grouped(
            faces=len(found),
            clusters=clustering.clusters,
            noise_faces=len(found) - int((clustering.labels >= 0).sum()),
            seconds=time.monotonic() - started,
            parameters=parameters,
        )

    def person_confidences(self) -> dict[uuid.UUID, float]:
        """For each named person the mean pairwise similarity of their faces, −1 to 1."""
        with self._database.read() as session:
            named = faces.named_points(session)
        batch = self._vectors.get_embeddings_by_point_ids([point_id for _, point_id in named], FETCH_BATCH)
        there = [person_id for person_id, point_id in named if point_id in batch]
        persons = sorted(set(there))
        number = {person_id: i for i, person_id in enumerate(persons)}
        labels = np.array([number[person_id] for person_id in there], dtype=np.int64)
        return dict(zip(persons, confidences(batch.matrix, labels).tolist(), strict=True))

    def calculate_cluster_confidence(
        self,
        cluster_id: uuid.UUID,
        qdrant_point_ids: Sequence[uuid.UUID] | None = None,
        max_faces_for_calculation: int | None = DEFAULT_MAX_FACES,
    ) -> float:
        """Mean cosine similarity over all pairs of a cluster's faces, −1 to 1; 1 for one face, 0 for none.

        qdrant_point_ids: its faces' points, if they are known already.
        max_faces_for_calculation: of more faces so many are taken, evenly over their sorted ids; None takes
            all, exactly, at a cost of n · d.

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
        found = self._faces_of(cluster_id)
        if not found:
            raise NotFoundError(f"There is no cluster {cluster_id}, or it has no face.")
        batch = self._embeddings([face.point_id for face in found])
        there = [face for face in found if face.point_id in batch]
        if not there:
            return max(found, key=lambda face: face.quality).id
        quality = np.array([face.quality for face in there], dtype=np.float32)
        labels = np.zeros(len(there), dtype=np.int64)
        return there[int(representatives(_unit_rows(batch.matrix), labels, quality)[0])].id

    def _faces_of(self, cluster_id: uuid.UUID) -> list[GroupableFace]:
        with self._database.read() as session:
            return faces.faces_in_cluster(session, cluster_id)

    def _embeddings(self, point_ids: Sequence[uuid.UUID]) -> EmbeddingBatch:
        return EmbeddingBatch.from_mapping(
            self._vectors.get_embeddings_by_point_ids(list(point_ids)), point_ids
        )

    def _save(
        self,
        found: Sequence[GroupableFace],
        there: Sequence[GroupableFace],
        matrix: FloatArray,
        clustering: Clustering,
        parameters: ClusteringParameters,
    ) -> None:
        """One transaction: the new clusters, the faces whose cluster has changed, the parameters."""
        ids = _cluster_ids(there, clustering)
        rows = _cluster_rows(there, matrix, clustering, ids)
        member = {
            face.id: ids[label] for face, label in zip(there, clustering.labels, strict=True) if label >= 0
        }
        changed = {face.id: member.get(face.id) for face in found if member.get(face.id) != face.cluster_id}
        with self._database.write() as session:
            clusters.save_clusters(session, rows)
            faces.set_clusters(session, changed)
            clusters.delete_empty_clusters(session)
            library.set_grouped(session, _choice(parameters))


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


def _choice(parameters: ClusteringParameters) -> JsonObject:
    """What is kept of the parameters for the next run; the rest follows from the engine."""
    return {"method": parameters.method, "min_cluster_size": parameters.min_cluster_size}


def _photo_codes(found: Sequence[GroupableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in found], dtype=np.int64)


def _cluster_ids(found: Sequence[GroupableFace], clustering: Clustering) -> list[uuid.UUID]:
    """The id of each cluster: its former one if it has essentially the same faces, else a new one."""
    former = sorted({face.cluster_id for face in found if face.cluster_id is not None})
    index = {cluster_id: i for i, cluster_id in enumerate(former)}
    old = np.array([index[f.cluster_id] if f.cluster_id is not None else -1 for f in found], dtype=np.int64)
    inherited = match_clusters(old, clustering.labels)
    return [former[i] if i >= 0 else uuid.uuid4() for i in inherited]


def _cluster_rows(
    found: Sequence[GroupableFace], matrix: FloatArray, clustering: Clustering, ids: Sequence[uuid.UUID]
) -> list[Row]:
    labels = clustering.labels
    quality = np.array([face.quality for face in found], dtype=np.float32)
    best = representatives(matrix, labels, quality)
    sizes = np.bincount(labels[labels >= 0], minlength=len(ids))
    return [
        {
            "id": cluster_id,
            "size": int(sizes[i]),
            "confidence": float(clustering.confidences[i]),
            "representative_face_id": found[int(best[i])].id,
        }
        for i, cluster_id in enumerate(ids)
    ]
