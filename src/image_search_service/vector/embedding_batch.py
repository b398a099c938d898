"""Embeddings by point id over one array, filled from a vendor's responses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias
from uuid import UUID

import numpy as np

from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import FloatArray

NOT_FOUND = "not found"
NO_EMBEDDING = "has no embedding"

RawVector: TypeAlias = Any
"""A vendor's vector: numbers, a dict from names to numbers, or None."""

RawPoint: TypeAlias = tuple[str, RawVector]
"""A point's id and its vector."""


class EmbeddingBatch(Mapping[UUID, list[float]]):
    """Embeddings by point id: reads as a ``dict[UUID, list[float]]``, computes as one array.

    ids: the points that were found, in the requested order, each once.
    matrix: their embeddings, ``(n, d)`` float32, read-only, row i for ``ids[i]``; as Qdrant stores them, of
    unit length where the collection compares by cosine.
    missing: why each of the other requested points has no embedding here; ``batch[point_id]`` of such a point
    raises KeyError.

    Raises DataIntegrityError for a matrix that has not one row for each id.
    """

    def __init__(
        self, ids: Sequence[UUID], matrix: FloatArray, missing: Mapping[UUID, str] | None = None
    ) -> None:
        if matrix.ndim != 2 or len(ids) != len(matrix):
            raise DataIntegrityError(f"{len(ids)} ids do not fit an array of shape {matrix.shape}.")
        self.ids = tuple(ids)
        self.matrix = matrix.view()
        self.matrix.flags.writeable = False
        self.missing: Mapping[UUID, str] = MappingProxyType(dict(missing or {}))
        self._rows = {point_id: row for row, point_id in enumerate(self.ids)}

    @classmethod
    def from_mapping(
        cls, embeddings: Mapping[UUID, Sequence[float]], ids: Sequence[UUID] | None = None
    ) -> EmbeddingBatch:
        """A batch from any mapping, such as a plain dict; a matching batch is returned without a copy.

        ids: the ids to take, in this order; by default all. Ids that the mapping lacks are missing.
        Raises DataIntegrityError for embeddings of different lengths.
        """
        wanted = tuple(dict.fromkeys(embeddings if ids is None else ids))
        if isinstance(embeddings, EmbeddingBatch):
            return embeddings if wanted == embeddings.ids else embeddings._select(wanted)
        existing = [point_id for point_id in wanted if point_id in embeddings]
        missing = {point_id: NOT_FOUND for point_id in wanted if point_id not in embeddings}
        rows = [embeddings[point_id] for point_id in existing]
        if len({len(row) for row in rows}) > 1:
            raise DataIntegrityError("The embeddings are not all of the same dimension.")
        matrix = np.array(rows, dtype=np.float32).reshape(len(rows), len(rows[0]) if rows else 0)
        return cls(existing, matrix, missing)

    @classmethod
    def concatenated(cls, batches: Sequence[EmbeddingBatch], dimension: int) -> EmbeddingBatch:
        """Batches of different points as one; dimension: d, also of an empty result."""
        empty = np.empty((0, dimension), dtype=np.float32)
        matrix = np.concatenate([empty, *(batch.matrix for batch in batches)])
        missing = {point_id: why for batch in batches for point_id, why in batch.missing.items()}
        return cls([point_id for batch in batches for point_id in batch.ids], matrix, missing)

    def _select(self, wanted: Sequence[UUID]) -> EmbeddingBatch:
        existing = [point_id for point_id in wanted if point_id in self._rows]
        missing = {
            point_id: self.missing.get(point_id, NOT_FOUND)
            for point_id in wanted
            if point_id not in self._rows
        }
        return EmbeddingBatch(existing, self.matrix[[self._rows[point_id] for point_id in existing]], missing)

    def __getitem__(self, point_id: UUID) -> list[float]:
        numbers: list[float] = self.matrix[self._rows[point_id]].tolist()
        return numbers

    def __contains__(self, point_id: object) -> bool:
        return point_id in self._rows

    def __iter__(self) -> Iterator[UUID]:
        return iter(self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"EmbeddingBatch({len(self)} × {self.matrix.shape[1]}, {len(self.missing)} missing)"


def as_matrix(
    embeddings: Mapping[UUID, Sequence[float]], ids: Sequence[UUID] | None = None
) -> tuple[list[UUID], FloatArray]:
    """The ids that ``embeddings`` has and their array ``(n, d)`` float32; by default all, in its order."""
    batch = EmbeddingBatch.from_mapping(embeddings, ids)
    return list(batch.ids), batch.matrix


class EmbeddingRows:
    """An array with a row for each wanted id, filled point by point.

    vector_name: the vector to read where points have several named ones.
    """

    def __init__(self, wanted: Sequence[UUID], dimension: int, vector_name: str | None = None) -> None:
        self.wanted = wanted
        self.found = np.zeros(len(wanted), dtype=np.bool_)
        self.reasons: dict[int, str] = {}
        self._vector_name = vector_name
        self._matrix: FloatArray = np.empty((len(wanted), dimension), dtype=np.float32)

    def __len__(self) -> int:
        return len(self.wanted)

    def absent(self) -> list[int]:
        """The rows whose points no response contained."""
        missing: list[int] = np.flatnonzero(~self.found).tolist()
        return [row for row in missing if row not in self.reasons]

    def row_by_id(self, rows: Iterable[int]) -> dict[str, int]:
        """The row of each id of these rows; ids as text, as vendors write them."""
        return {str(self.wanted[row]): row for row in rows}

    def fill(self, points: Iterable[RawPoint], row_of: Mapping[str, int]) -> None:
        """Write points into their rows; record a reason for each whose vector is not an embedding."""
        matrix, dimension, filled = self._matrix, self._matrix.shape[1], []
        for name, raw_vector in points:
            row = row_of.get(name)
            if row is None:
                continue
            vector = (
                raw_vector
                if raw_vector is not None and not isinstance(raw_vector, dict)
                else self._select_vector(row, raw_vector)
            )
            if vector is None:
                continue
            if len(vector) != dimension:
                self.reasons[row] = _wrong_length(len(vector), dimension)
                continue
            try:
                matrix[row] = vector
            except (TypeError, ValueError):
                self.reasons[row] = "is not made of numbers"
            else:
                filled.append(row)
        self._accept(filled)

    def _accept(self, filled: list[int]) -> None:
        """Mark rows as found if all their numbers are finite."""
        finite = np.isfinite(self._matrix[filled]).all(axis=1)
        self.found[filled] = finite
        for row in np.flatnonzero(~finite).tolist():
            self.reasons[filled[row]] = "has a number that is infinite or NaN"

    def _select_vector(self, row: int, vectors: RawVector) -> RawVector:
        """The selected one of a point's named vectors; None, with a recorded reason, if it has none of that
        name."""
        if vectors and self._vector_name is None and len(vectors) > 1:
            self.reasons[row] = f"has the vectors {sorted(vectors)}: their name is needed"
            return None
        self.reasons[row] = NO_EMBEDDING
        name = self._vector_name
        return vectors.get(next(iter(vectors)) if name is None else name) if vectors else None

    def batch(self) -> EmbeddingBatch:
        if self.found.all():
            return EmbeddingBatch(self.wanted, self._matrix)
        rows = np.flatnonzero(self.found).tolist()
        missing = {
            self.wanted[row]: self.reasons.get(row, NOT_FOUND) for row in np.flatnonzero(~self.found).tolist()
        }
        return EmbeddingBatch([self.wanted[row] for row in rows], self._matrix[rows], missing)


def _wrong_length(length: int, dimension: int) -> str:
    return f"has {length} numbers, expected {dimension}" if length else NO_EMBEDDING
