"""Keeps ids of clusters: a new cluster with mostly the same faces as an earlier one gets its id."""

from __future__ import annotations

import numpy as np

from image_search_service.core.types import IntArray


def match_clusters(old: IntArray, new: IntArray) -> IntArray:
    """For each new cluster the old one that it continues, or −1.

    A cluster continues another when the two have more than half of all their faces in common (a Jaccard
    index above ½). No third cluster can then have more than half in common with either, so the answer
    is one-to-one and depends on no order.

    old: (n,) int64, each face's cluster in the earlier run, any numbers; −1 in none.
        Faces that the earlier run did not know may be left out, so that a cluster to which many photos were
        added stays the same cluster; given as −1 they count as faces that were not in it.
    new: (n,) int64, each face's cluster now, 0 … k − 1; −1 in none.
    Returns (k,) int64 of numbers from ``old``, or −1.
    """
    count = int(new.max(initial=-1)) + 1
    inherited = np.full(count, -1, dtype=np.int64)
    former, code = np.unique(old, return_inverse=True)
    both = np.flatnonzero((old >= 0) & (new >= 0))
    pairs, common = np.unique(np.stack([code[both], new[both]]), axis=1, return_counts=True)
    old_size = np.bincount(code, minlength=len(former))
    new_size = np.bincount(new[new >= 0], minlength=count)
    together = old_size[pairs[0]] + new_size[pairs[1]] - common
    same = 2 * common > together
    inherited[pairs[1, same]] = former[pairs[0, same]]
    return inherited
