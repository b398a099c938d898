"""Corrects the clusters that an algorithm found by what humans decided. Pure functions on arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from image_search_service.core.types import BoolArray, FloatArray, IntArray
from image_search_service.recognition.clustering.clustering import (
    NOISE,
    Clustering,
    confidences,
    numbered,
)


def drop_faces(clustering: Clustering, embeddings: FloatArray, stays: BoolArray, min_size: int) -> Clustering:
    """Remove the faces that do not stay from their clusters; clusters that get too small become noise.

    stays: (n,) bool. min_size: the fewest faces of a cluster, 1 or more.
    """
    if stays.all():
        return clustering
    labels = numbered(np.where(stays, clustering.labels, NOISE), min_size)
    return Clustering(labels, confidences(embeddings, labels))


def split_by_differences(
    clustering: Clustering, embeddings: FloatArray, sides: Sequence[IntArray], min_size: int
) -> Clustering:
    """Split each cluster that has faces of both sides of a difference into two.

    Its other faces go with the side that they resemble more. Clusters of fewer than ``min_size`` faces become
    noise.

    sides: for each pair of groups that are known to be different (n,) int64: 0 or 1 for faces of the first or
        second group, −1 for all others.
    """
    labels = clustering.labels
    for side in sides:
        labels = _split(labels, embeddings, side)
    if labels is clustering.labels:
        return clustering
    labels = numbered(labels, min_size)
    return Clustering(labels, confidences(embeddings, labels))


def _split(labels: IntArray, embeddings: FloatArray, side: IntArray) -> IntArray:
    """(n,) int64; the very same array if no cluster has faces of both sides."""
    both = set(labels[side == 0].tolist()) & set(labels[side == 1].tolist()) - {NOISE}
    for label in sorted(both):
        rows = np.flatnonzero(labels == label)
        first, second = (embeddings[rows[side[rows] == number]].mean(axis=0) for number in (0, 1))
        nearer_second = embeddings[rows] @ second > embeddings[rows] @ first
        goes = np.where(side[rows] >= 0, side[rows] == 1, nearer_second)
        labels = labels.copy()
        labels[rows[goes]] = labels.max() + 1
    return labels


def keep_groups_together(
    clustering: Clustering,
    embeddings: FloatArray,
    groups: IntArray,
    *,
    photos: IntArray,
    sides: Sequence[IntArray],
    min_size: int,
) -> Clustering:
    """Give each group of faces that a human put together a cluster of its own.

    A group takes along the rest of the cluster that has more than half of it, unless another group has more
    faces there. It takes no face of a photo that it has a face of, and none that is known to be different.
    Other clusters of fewer than ``min_size`` faces become noise.

    groups: (n,) int64, 0 … g − 1 for faces of a group, else −1. photos: (n,) int64, equal for faces of one
        photo. sides: as ``split_by_differences`` takes them.
    """
    if groups.max(initial=-1) < 0:
        return clustering
    labels = clustering.labels.copy()
    home = _homes(labels, groups)
    first = labels.max(initial=NOISE) + 1
    for group, cluster in enumerate(home.tolist()):
        rows = np.flatnonzero(groups == group)
        rest = np.flatnonzero((clustering.labels == cluster) & (groups < 0)) if cluster >= 0 else rows[:0]
        rest = rest[~np.isin(photos[rest], photos[rows])]
        for side in sides:
            rest = rest[~np.isin(side[rest], 1 - side[rows][side[rows] >= 0])]
        labels[np.concatenate([rows, rest])] = first + group
    labels = numbered(labels, min_size, kept=first + np.arange(len(home)))
    return Clustering(labels, confidences(embeddings, labels))


def _homes(labels: IntArray, groups: IntArray) -> IntArray:
    """(g,) int64: the cluster that each group takes along, or −1."""
    rows = np.flatnonzero(groups >= 0)
    size = np.bincount(groups[rows])
    pairs, common = np.unique(
        np.stack([groups[rows], labels[rows]])[:, labels[rows] >= 0], axis=1, return_counts=True
    )
    home = np.full(len(size), NOISE, dtype=np.int64)
    taken: set[int] = set()
    for i in np.argsort(-common, kind="stable").tolist():
        group, label = pairs[:, i].tolist()
        if label not in taken and 2 * common[i] > size[group]:
            home[group] = label
        taken.add(label)
    return home
