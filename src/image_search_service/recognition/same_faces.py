"""Which faces of a photo are which faces of another one, one to one. Pure functions."""

from __future__ import annotations

import numpy as np

from image_search_service.core.types import BoolArray, FloatArray

TIE = 1e-3
"""Weight of the place: it decides between faces that are equally alike, such as those of one photo twice in a
picture."""


def pair_faces(
    similarity: FloatArray, shares: FloatArray, *, min_similarity: float, may_be: BoolArray | None = None
) -> list[tuple[int, int]]:
    """Pairs (row, column) of faces that are the same, so that the sum of their similarities is greatest.

    similarity: ``(n, m)`` cosine, −1 to 1. shares: ``(n, m)`` how much of their places they have in common,
    0 to 1. min_similarity: below it two faces are not the same. may_be: ``(n, m)`` pairs that may be at all.
    """
    if similarity.size == 0:
        return []
    from scipy.optimize import linear_sum_assignment

    allowed = similarity >= min_similarity
    if may_be is not None:
        allowed &= may_be
    order = np.abs(
        np.linspace(0, 1, similarity.shape[0])[:, None] - np.linspace(0, 1, similarity.shape[1])[None, :]
    )
    value = np.where(allowed, similarity + 2 + TIE * (shares - TIE * order), 0.0)
    rows, columns = linear_sum_assignment(value, maximize=True)
    return [
        (int(row), int(column)) for row, column in zip(rows, columns, strict=True) if allowed[row, column]
    ]
