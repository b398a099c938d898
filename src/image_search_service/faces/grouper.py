"""Grouping the faces that nobody has named: load, decide, save."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from image_search_service.core.types import (
    DEFAULT_METHOD,
    FloatArray,
    IntArray,
    JsonObject,
    Progress,
)
from image_search_service.db.queries import clusters, differences, faces, library
from image_search_service.db.queries.batches import Row
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
class Grouped:
    """What a grouping found. ``noise_faces`` are in no cluster."""

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
        self._memory = stores.settings.memory

    def check(self, method: str, min_cluster_size: int) -> None:
        """Raises InvalidInputError for what ``group`` would not accept."""
        ClusteringParameters.for_engine(self._thresholds, 0, method, min_cluster_size)

    def group(
        self,
        *,
        method: str = DEFAULT_METHOD,
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
        seen = {face.id for face in found}
        saved = self._save(seen, there, batch.matrix, clustering, parameters)
        return Grouped(
            faces=len(found),
            clusters=saved.clusters,
            noise_faces=len(found) - int((saved.labels >= 0).sum()),
            seconds=time.monotonic() - started,
            parameters=parameters,
        )

    def _save(
        self,
        seen: Set[uuid.UUID],
        there: Sequence[GroupableFace],
        matrix: FloatArray,
        clustering: Clustering,
        parameters: ClusteringParameters,
    ) -> Clustering:
        """One transaction: the parameters, the new clusters, the faces whose cluster has changed.

        What was named since the faces were read stays out of the clusters; what was found since then waits
        for the next grouping. What was said to be of different people is not in one cluster, what a human
        put together stays together. The library's row comes first: of two groupings at once, one waits for
        the other there, and finds what that one has left.
        """
        with self._database.write() as session:
            library.set_grouped(session, _choice(parameters))
            rows = {face.id: face for face in faces.groupable_faces(session)}
            now = {face_id: face.cluster_id for face_id, face in rows.items()}
            least = parameters.min_cluster_size
            stays = np.array([face.id in now for face in there], dtype=np.bool_)
            sides = _sides(session, there)
            by_hand = _by_hand([rows[face.id].group_id if face.id in rows else None for face in there])
            kept = drop_faces(clustering, matrix, stays, least)
            kept = split_by_differences(kept, matrix, sides, least)
            kept = keep_groups_together(
                kept, matrix, by_hand.codes, photos=_photo_codes(there), sides=sides, least=least
            )
            ids = _cluster_ids([now.get(face.id) for face in there], kept, by_hand)
            clusters.save_clusters(session, _cluster_rows(there, matrix, kept, ids))
            faces.set_clusters(session, _changed(now, there, kept, ids))
            clusters.delete_empty_clusters(session)
            if now.keys() - seen:
                library.set_grouping_stale(session)
        return kept


@dataclass(frozen=True, slots=True)
class _ByHand:
    """Faces that humans put into clusters. codes: (n,) int64, which of ``ids`` each face is in, or −1."""

    codes: IntArray
    ids: list[uuid.UUID]


def _by_hand(group_ids: Sequence[uuid.UUID | None]) -> _ByHand:
    ids = sorted({group for group in group_ids if group is not None})
    code = {group: number for number, group in enumerate(ids)}
    codes = [-1 if group is None else code[group] for group in group_ids]
    return _ByHand(np.array(codes, dtype=np.int64), ids)


def _changed(
    now: Mapping[uuid.UUID, uuid.UUID | None],
    there: Sequence[GroupableFace],
    clustering: Clustering,
    ids: Sequence[uuid.UUID],
) -> dict[uuid.UUID, uuid.UUID | None]:
    """The new cluster, or None, of each face that is in another one now."""
    member = {face.id: ids[label] for face, label in zip(there, clustering.labels, strict=True) if label >= 0}
    return {face_id: member.get(face_id) for face_id, old in now.items() if member.get(face_id) != old}


def _sides(session: Session, there: Sequence[GroupableFace]) -> list[IntArray]:
    """For each pair of groups that were said to be different ``(n,)``: 0 or 1 for their faces, else −1."""
    rows = {face.id: row for row, face in enumerate(there)}
    sides: dict[uuid.UUID, IntArray] = {}
    for one in differences.sides_without_person(session):
        if one.face_id in rows:
            nobody = np.full(len(there), -1, dtype=np.int64)
            sides.setdefault(one.difference_id, nobody)[rows[one.face_id]] = one.side
    return list(sides.values())


def _choice(parameters: ClusteringParameters) -> JsonObject:
    """What is kept of the parameters for the next run; the rest follows from the engine."""
    return {"method": parameters.method, "min_cluster_size": parameters.min_cluster_size}


def _photo_codes(found: Sequence[GroupableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in found], dtype=np.int64)


def _cluster_ids(
    former: Sequence[uuid.UUID | None], clustering: Clustering, by_hand: _ByHand
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
    old = np.array([-1 if one is None else index[one] for one in former], dtype=np.int64)
    inherited = match_clusters(old, clustering.labels)
    return [
        by_hand.ids[made[label]] if label in made else known[i] if i >= 0 else uuid.uuid4()
        for label, i in enumerate(inherited)
    ]


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
