"""Chooses the face that represents a group: clear, and typical of it."""

from __future__ import annotations

import numpy as np

from image_search_service.core.types import FloatArray, IntArray


def representatives(embeddings: FloatArray, labels: IntArray, quality: FloatArray) -> IntArray:
    """For each cluster ``0…k−1`` the row with the greatest quality × similarity to the cluster's mean.

    embeddings ``(n, d)`` of unit length, labels ``(n,)`` with −1 for noise, quality ``(n,)`` 0 to 1.
    Returns ``(k,)`` row numbers; among equals the first.
    """
    count = int(labels.max(initial=-1)) + 1
    rows = np.flatnonzero(labels >= 0)
    sums = np.zeros((count, embeddings.shape[1]), dtype=np.float32)
    np.add.at(sums, labels[rows], embeddings[rows])
    centroids = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    typical = np.einsum("nd,nd->n", embeddings[rows], centroids[labels[rows]])
    score = quality[rows] * np.maximum(typical, 0)
    order = np.lexsort((rows, -score, labels[rows]))
    first = np.unique(labels[rows][order], return_index=True)[1]
    best: IntArray = rows[order][first]
    return best
