"""The one algorithm for a person's centroid: a trimmed mean of unit vectors.

The mean of all embeddings, then once more without the share that is least like it: in a large album some
faces are blurred, half hidden or wrongly named, and each of these would pull the mean a little.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from uuid import UUID

import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import FloatArray, IntArray

ALGORITHM_VERSION = 1
"""Grows with every change of this module's result: a centroid of another version is stale."""

SMALL, LARGE = 50, 300
"""Below SMALL faces every one counts; up to LARGE the worst 5 % are left out, above it 10 %."""


@dataclass(frozen=True, slots=True)
class TrimmedCentroid:
    """vector: ``(d,)`` float32 of unit length. used: the rows that count, ascending."""

    vector: FloatArray
    used: IntArray


@dataclass(frozen=True, slots=True)
class CentroidMatrix:
    """Persons' centroids. person_ids: ``p``, ascending. matrix: ``(p, d)`` float32, rows of unit length."""

    person_ids: list[UUID]
    matrix: FloatArray


@dataclass(frozen=True, slots=True)
class ActiveCentroids(CentroidMatrix):
    """Persons' stored centroids. centroid_ids: ``p``, row for row."""

    centroid_ids: list[UUID]


def source_hash(face_ids: Iterable[UUID]) -> str:
    """SHA-256 (hex) over a set of faces and the version of the algorithm."""
    text = "\n".join([str(ALGORITHM_VERSION), *sorted(str(face_id) for face_id in face_ids)])
    return hashlib.sha256(text.encode()).hexdigest()


def trim_share(faces: int) -> float:
    """The share of a person's faces, 0 to 0.1, that is left out as least typical."""
    if faces < SMALL:
        return 0.0
    return 0.05 if faces <= LARGE else 0.10


def trimmed_centroid(embeddings: FloatArray) -> TrimmedCentroid:
    """The centroid of a person's faces, ``(n, d)`` with rows of unit length, n ≥ 1.

    The order of the rows makes no difference but between equally atypical ones, of which the later go first.
    Raises InvalidInputError for no rows, or for rows whose mean is zero.
    """
    if len(embeddings) == 0:
        raise InvalidInputError("A centroid needs at least one face.")
    left_out = ceil(trim_share(len(embeddings)) * len(embeddings))
    similarities = embeddings @ _unit(embeddings.sum(axis=0, dtype=np.float64))
    typical_first = np.argsort(-similarities, kind="stable")
    used = np.sort(typical_first[: len(embeddings) - left_out])
    return TrimmedCentroid(_unit(embeddings[used].sum(axis=0, dtype=np.float64)), used)


def _unit(vector: np.ndarray[tuple[int], np.dtype[np.float64]]) -> FloatArray:
    length = np.linalg.norm(vector)
    if length < 1e-6:  # the sum of opposite vectors: no direction that means anything
        raise InvalidInputError("These faces have no common direction; they cannot be one person's.")
    unit: FloatArray = (vector / length).astype(np.float32)
    return unit
