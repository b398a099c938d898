"""Groups faces without a person into clusters: load, decide, save."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from image_search_service.core.errors import LostEmbeddingsError
from image_search_service.core.parallel import chunks
from image_search_service.core.types import (
    DEFAULT_METHOD,
    FloatArray,
    IntArray,
    JsonObject,
    Progress,
)
from image_search_service.db.queries import clusters, differences, faces, library
from image_search_service.db.queries.batches import BATCH, Row
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.recognition.clustering.cluster_identity import match_clusters
from image_search_service.recognition.clustering.clustering import (
    Clustering,
    ClusteringParameters,
    cluster_embeddings,
)
from image_search_service.recognition.clustering.constraints import (
    drop_faces,
    keep_groups_together,
    split_by_differences,
)
from image_search_service.recognition.clustering.representative import representatives
from image_search_service.vector.batching import FETCH_BATCH


@dataclass(frozen=True, slots=True)
class GroupingResult:
    """The result of a grouping. noise_faces: faces in no cluster."""

    faces: int
    clusters: int
    noise_faces: int
    seconds: float
    parameters: ClusteringParameters


class FaceGrouper:
    """Groups the faces without a name into clusters."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._vectors = stores.faces
        self._thresholds = stores.thresholds
        self._memory = stores.settings.grouping_memory

    def check(self, method: str, min_cluster_size: int) -> None:
        """Raises InvalidInputError for what ``group`` would not accept."""
        ClusteringParameters.for_engine(self._thresholds, 0, method, min_cluster_size)

    def group(
        self,
        *,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
        progress: Progress | None = None,
    ) -> GroupingResult:
        """Cluster all unnamed faces again; a cluster with essentially the same faces keeps its id.

        A face whose embedding Qdrant lacks stays in its cluster. Raises InvalidInputError for an unknown
        method or a size below 2, UnavailableError when the embeddings cannot all be read, LostEmbeddingsError
        when Qdrant lacks most of them: nothing is changed then.
        """
        started = time.monotonic()
        with self._database.read() as session:
            groupable = faces.groupable_faces(session)
        batch = self._vectors.get_embeddings_by_point_ids([face.point_id for face in groupable], FETCH_BATCH)
        comparable = [face for face in groupable if face.point_id in batch]
        if len(comparable) < len(groupable) / 2:
            raise LostEmbeddingsError(len(comparable), len(groupable))
        parameters = ClusteringParameters.for_engine(
            self._thresholds, len(comparable), method, min_cluster_size
        )
        clustering = cluster_embeddings(
            batch.matrix, _photo_codes(comparable), parameters, self._memory, progress
        )
        seen = {face.id for face in groupable}
        saved = self._save(seen, comparable, batch.matrix, clustering, parameters)
        return GroupingResult(
            faces=len(groupable),
            clusters=saved.clusters,
            noise_faces=len(groupable) - int((saved.labels >= 0).sum()),
            seconds=time.monotonic() - started,
            parameters=parameters,
        )

    def _save(
        self,
        seen: Set[uuid.UUID],
        comparable: Sequence[GroupableFace],
        matrix: FloatArray,
        clustering: Clustering,
        parameters: ClusteringParameters,
    ) -> Clustering:
        """One transaction: the parameters, the new clusters, the faces whose cluster has changed.

        Faces named since they were read stay out of the clusters; faces found since then wait for the next
        grouping. Faces of different sides of a difference do not share a cluster, and groups made by a
        human stay together. The library's row is written first: of two groupings at once, the second waits
        there and then sees the first one's clusters.
        """
        with self._database.write() as session:
            library.set_grouped(session, _choice(parameters))
            rows = {face.id: face for face in faces.groupable_faces(session)}
            now = {face_id: face.cluster_id for face_id, face in rows.items()}
            min_size = parameters.min_cluster_size
            stays = np.array([face.id in now for face in comparable], dtype=np.bool_)
            sides = _sides(session, comparable)
            by_hand = _by_hand([rows[face.id].group_id if face.id in rows else None for face in comparable])
            kept = drop_faces(clustering, matrix, stays, min_size)
            kept = split_by_differences(kept, matrix, sides, min_size)
            kept = keep_groups_together(
                kept, matrix, by_hand.codes, photos=_photo_codes(comparable), sides=sides, min_size=min_size
            )
            ids = _cluster_ids([now.get(face.id) for face in comparable], kept, by_hand)
            clusters.save_clusters(session, _cluster_rows(comparable, matrix, kept, ids))
            faces.set_clusters(session, _changed(now, comparable, kept, ids))
            clusters.delete_empty_clusters(session)
            _keep_without_embedding(session, now, comparable)
            if now.keys() - seen:
                library.set_grouping_stale(session)
        return kept


@dataclass(frozen=True, slots=True)
class _ManualClusters:
    """Clusters made by humans. codes: ``(n,)`` int64, index into ``ids`` of each face's cluster, or −1."""

    codes: IntArray
    ids: list[uuid.UUID]


def _by_hand(group_ids: Sequence[uuid.UUID | None]) -> _ManualClusters:
    ids = sorted({group for group in group_ids if group is not None})
    code = {group: number for number, group in enumerate(ids)}
    codes = [-1 if group is None else code[group] for group in group_ids]
    return _ManualClusters(np.array(codes, dtype=np.int64), ids)


def _changed(
    now: Mapping[uuid.UUID, uuid.UUID | None],
    comparable: Sequence[GroupableFace],
    clustering: Clustering,
    ids: Sequence[uuid.UUID],
) -> dict[uuid.UUID, uuid.UUID | None]:
    """The new cluster, or None, of each compared face whose cluster changes."""
    member = {
        face.id: ids[label] if label >= 0 else None
        for face, label in zip(comparable, clustering.labels, strict=True)
    }
    return {face: cluster for face, cluster in member.items() if face in now and now[face] != cluster}


def _keep_without_embedding(
    session: Session, now: Mapping[uuid.UUID, uuid.UUID | None], comparable: Sequence[GroupableFace]
) -> None:
    """Let faces that could not be compared stay in their clusters, unless a difference forbids it."""
    compared = {face.id for face in comparable}
    left = {face: cluster for face, cluster in now.items() if cluster is not None and face not in compared}
    if left:
        for part in chunks(sorted(left), BATCH):
            differences.leave_clusters(session, differences.faces_with_side(session, part))
        clusters.mend_clusters(session, {cluster for cluster in left.values() if cluster is not None})


def _sides(session: Session, comparable: Sequence[GroupableFace]) -> list[IntArray]:
    """For each difference an array ``(n,)``: the side, 0 or 1, of its faces, else −1."""
    rows = {face.id: row for row, face in enumerate(comparable)}
    sides: dict[uuid.UUID, IntArray] = {}
    for side in differences.sides_without_person(session):
        if side.face_id in rows:
            no_side = np.full(len(comparable), -1, dtype=np.int64)
            sides.setdefault(side.difference_id, no_side)[rows[side.face_id]] = side.side
    return list(sides.values())


def _choice(parameters: ClusteringParameters) -> JsonObject:
    """The parameters stored for the next run; the others follow from the engine."""
    return {"method": parameters.method, "min_cluster_size": parameters.min_cluster_size}


def _photo_codes(comparable: Sequence[GroupableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in comparable], dtype=np.int64)


def _cluster_ids(
    former: Sequence[uuid.UUID | None], clustering: Clustering, by_hand: _ManualClusters
) -> list[uuid.UUID]:
    """The id of each cluster: that of the group that a human made, its former one if it has essentially the
    same faces, else a new one.

    ``former``: each face's cluster so far.
    """
    rows = np.flatnonzero(by_hand.codes >= 0)
    made = dict(zip(clustering.labels[rows].tolist(), by_hand.codes[rows].tolist(), strict=True))
    former = [None if cluster_id in by_hand.ids else cluster_id for cluster_id in former]
    known = sorted({cluster_id for cluster_id in former if cluster_id is not None})
    index = {cluster_id: i for i, cluster_id in enumerate(known)}
    old = np.array([-1 if id_ is None else index[id_] for id_ in former], dtype=np.int64)
    inherited = match_clusters(old, clustering.labels)
    return [
        by_hand.ids[made[label]] if label in made else known[i] if i >= 0 else uuid.uuid4()
        for label, i in enumerate(inherited)
    ]


def _cluster_rows(
    comparable: Sequence[GroupableFace], matrix: FloatArray, clustering: Clustering, ids: Sequence[uuid.UUID]
) -> list[Row]:
    labels = clustering.labels
    quality = np.array([face.quality for face in comparable], dtype=np.float32)
    best = representatives(matrix, labels, quality)
    sizes = np.bincount(labels[labels >= 0], minlength=len(ids))
    return [
        {
            "id": cluster_id,
            "size": int(sizes[i]),
            "confidence": float(clustering.confidences[i]),
            "representative_face_id": comparable[int(best[i])].id,
        }
        for i, cluster_id in enumerate(ids)
    ]
