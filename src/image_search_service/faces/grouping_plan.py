"""What a grouping changes: its clusters and the faces that move, from what was compared and what is said now.

Pure functions; ``grouper.py`` reads before and saves after.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from image_search_service.core.types import FloatArray, IntArray
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.differences import Side
from image_search_service.db.queries.faces import GroupableFace
from image_search_service.recognition.clustering.cluster_identity import match_clusters
from image_search_service.recognition.clustering.clustering import Clustering, ClusteringParameters
from image_search_service.recognition.clustering.constraints import (
    drop_faces,
    keep_groups_together,
    split_by_differences,
)
from image_search_service.recognition.clustering.representative import representatives

ClusterOf = Mapping[uuid.UUID, uuid.UUID | None]
"""The cluster, or None, of each face."""


@dataclass(frozen=True, slots=True)
class ComparedFaces:
    """Faces whose embeddings were compared: ``matrix`` (n, d) float32 has a unit row for each."""

    faces: Sequence[GroupableFace]
    matrix: FloatArray


@dataclass(frozen=True, slots=True)
class GroupingPlan:
    """What is to be saved. clusters: all that the compared faces are in now; moves: faces whose cluster
    changes; noise: compared faces in no cluster."""

    clusters: list[Row]
    moves: dict[uuid.UUID, uuid.UUID | None]
    noise: int


def plan_grouping(
    compared: ComparedFaces,
    clustering: Clustering,
    parameters: ClusteringParameters,
    now: Sequence[GroupableFace],
    differences: Sequence[Side],
) -> GroupingPlan:
    """Correct a clustering by what humans decided, and keep the ids of clusters that go on.

    Faces that are not among those of ``now`` have been named since and stay out. Faces of different sides of
    a difference do not share a cluster, and groups made by a human stay together.
    """
    rows = {face.id: face for face in now}
    faces, matrix, min_size = compared.faces, compared.matrix, parameters.min_cluster_size
    stays = np.array([face.id in rows for face in faces], dtype=np.bool_)
    sides = _sides(differences, faces)
    by_hand = _by_hand([rows[face.id].group_id if face.id in rows else None for face in faces])
    kept = drop_faces(clustering, matrix, stays, min_size)
    kept = split_by_differences(kept, matrix, sides, min_size)
    kept = keep_groups_together(
        kept, matrix, by_hand.codes, photos=photo_codes(faces), sides=sides, min_size=min_size
    )
    former = {face_id: face.cluster_id for face_id, face in rows.items()}
    ids = _cluster_ids([former.get(face.id) for face in faces], kept, by_hand)
    moves = _moves(former, faces, kept, ids)
    return GroupingPlan(_cluster_rows(compared, kept, ids), moves, int((kept.labels < 0).sum()))


def _moves(
    former: ClusterOf, faces: Sequence[GroupableFace], clustering: Clustering, ids: Sequence[uuid.UUID]
) -> dict[uuid.UUID, uuid.UUID | None]:
    """The new cluster, or None, of each compared face whose cluster changes."""
    member = {
        face.id: ids[label] if label >= 0 else None
        for face, label in zip(faces, clustering.labels, strict=True)
    }
    return {face: cluster for face, cluster in member.items() if face in former and former[face] != cluster}


def photo_codes(faces: Sequence[GroupableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in faces], dtype=np.int64)


def _sides(sides: Sequence[Side], faces: Sequence[GroupableFace]) -> list[IntArray]:
    """For each difference an array ``(n,)``: the side, 0 or 1, of its faces, else −1."""
    rows = {face.id: row for row, face in enumerate(faces)}
    codes: dict[uuid.UUID, IntArray] = {}
    for side in sides:
        if side.face_id in rows:
            no_side = np.full(len(faces), -1, dtype=np.int64)
            codes.setdefault(side.difference_id, no_side)[rows[side.face_id]] = side.side
    return list(codes.values())


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


def _cluster_rows(compared: ComparedFaces, clustering: Clustering, ids: Sequence[uuid.UUID]) -> list[Row]:
    labels = clustering.labels
    quality = np.array([face.quality for face in compared.faces], dtype=np.float32)
    best = representatives(compared.matrix, labels, quality)
    sizes = np.bincount(labels[labels >= 0], minlength=len(ids))
    return [
        {
            "id": cluster_id,
            "size": int(sizes[i]),
            "confidence": float(clustering.confidences[i]),
            "representative_face_id": compared.faces[int(best[i])].id,
        }
        for i, cluster_id in enumerate(ids)
    ]
