"""Finds the persons that clusters resemble: one fetch of faces and one product with everybody's centroid
for all clusters."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from math import ceil

import numpy as np

from image_search_service.core.types import FloatArray
from image_search_service.db.models import ClusterRow
from image_search_service.db.queries.review import clusters as queries
from image_search_service.db.queries.review.clusters import ClusterFace
from image_search_service.library.stores import Stores
from image_search_service.recognition.matching import nearest_persons
from image_search_service.vector.embedding_batch import EmbeddingBatch

SAMPLE = 5
"""A cluster is compared by the mean of its clearest faces, this many."""
NEAREST = 8
"""Persons whom a cluster is looked at with; some may be ruled out."""
BARRED_SHARE = 1 / 3
"""A person who is ruled out for this share of a cluster's sample is ruled out for the cluster."""
FETCH_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ComparedCluster:
    """A cluster and the persons that it may be, with their similarities, the most similar first. alike: faces
    of other clusters that look like the same person."""

    cluster: ClusterRow
    persons: Sequence[tuple[uuid.UUID, float]] = ()
    alike: int = 0


@dataclass(slots=True)
class _Sample:
    faces: list[ClusterFace] = field(default_factory=list)


class NearestPersons:
    """Compares groups with everybody who has a centroid. Raises UnavailableError, and DataIntegrityError
    where a stored centroid is lost."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = stores.centroids_in_memory

    def of_clusters(self, rows: Sequence[ClusterRow], same: float) -> list[ComparedCluster]:
        """Two statements, a fetch of ``SAMPLE`` faces for each, and what ``CentroidsInMemory.now`` costs.

        same: similarity from which two groups are taken for one person's.
        """
        if not rows:
            return []
        with self._database.read() as session:
            faces = queries.clearest_faces(session, [row.id for row in rows], SAMPLE)
            barred = queries.barred_persons(session, [face.id for face in faces])
        samples = _by_cluster(faces)
        batch = EmbeddingBatch.from_mapping(
            self._faces.get_embeddings_by_point_ids([face.point_id for face in faces], FETCH_BATCH)
        )
        stored = [row for row in rows if any(face.point_id in batch for face in samples.get(row.id, []))]
        means = _means([samples[row.id] for row in stored], batch)
        near_each = nearest_persons(means, self._centroids.now(), NEAREST) if stored else []
        alike = _alike(means, [row.size for row in stored], same)
        compared = {
            row.id: ComparedCluster(row, _allowed(samples[row.id], barred, near), others)
            for row, near, others in zip(stored, near_each, alike, strict=True)
        }
        return [compared.get(row.id, ComparedCluster(row)) for row in rows]


def _by_cluster(faces: Iterable[ClusterFace]) -> dict[uuid.UUID, list[ClusterFace]]:
    samples: dict[uuid.UUID, list[ClusterFace]] = {}
    for face in faces:
        samples.setdefault(face.cluster_id, []).append(face)
    return samples


def _means(samples: Sequence[Sequence[ClusterFace]], batch: EmbeddingBatch) -> FloatArray:
    """``(n, d)`` of unit length: the mean of each sample's embeddings that are there, one at least."""
    row_of = {point: row for row, point in enumerate(batch.ids)}
    means = [
        batch.matrix[[row_of[face.point_id] for face in sample if face.point_id in row_of]].mean(axis=0)
        for sample in samples
    ]
    if not means:
        return np.empty((0, batch.matrix.shape[1]), dtype=np.float32)
    matrix = np.stack(means)
    unit: FloatArray = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    return unit


def _alike(means: FloatArray, sizes: Sequence[int], same: float) -> list[int]:
    """For each group the faces of the others that look the same."""
    near = (means @ means.T >= same) & ~np.eye(len(means), dtype=np.bool_)
    return [int(number) for number in near @ np.array(sizes, dtype=np.int64)] if len(means) else []


def _allowed(
    sample: Sequence[ClusterFace],
    barred: Mapping[uuid.UUID, Set[uuid.UUID]],
    near: Sequence[tuple[uuid.UUID, float]],
) -> list[tuple[uuid.UUID, float]]:
    """Persons that are not ruled out (rejected, or in the same photo) for too many faces of the sample."""
    rejected_for = [barred[face.id] for face in sample if face.id in barred]
    too_many = max(1, ceil(len(sample) * BARRED_SHARE))
    return [person for person in near if sum(person[0] in persons for persons in rejected_for) < too_many]


def least_alike(
    faces: Sequence[ClusterFace], batch: Mapping[uuid.UUID, int], matrix: FloatArray
) -> list[uuid.UUID]:
    """The faces of one group, those least like its mean first; without those whose embedding is not there.

    batch: each point's row of ``matrix``.
    """
    stored = [face for face in faces if face.point_id in batch]
    if not stored:
        return []
    rows = matrix[[batch[face.point_id] for face in stored]]
    order = np.argsort(rows @ rows.mean(axis=0), kind="stable")
    return [stored[row].id for row in order.tolist()]
