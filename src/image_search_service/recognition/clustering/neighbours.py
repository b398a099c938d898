"""The sparse graph that all clustering works on: which faces look alike, exactly, without an n×n matrix.

Similarities come from products of blocks of rows. The product is symmetric, so only the upper triangle
is computed, which halves the work that dominates everything else.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import FloatArray, IntArray, Progress

LARGEST_BLOCK = 2048
SMALLEST_BLOCK = 128
BYTES_PER_CELL = 64
"""Of a block at its worst, every pair a hit: product, mask, positions, rows, columns and their copies."""
BYTES_PER_CANDIDATE = 64
"""Of a candidate while candidates are sorted: itself, twice, and the order of three keys."""

ENOUGH_TO_SORT = 2_000_000

Indices = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class NeighbourGraph:
    """Undirected edges between faces, each once, ordered by ``left``, then ``right``.

    An edge of similarity 0, or of distance 0, is an edge like every other: nothing here is a sparse
    matrix, where a stored zero can vanish.

    faces: number of faces, n; those without edges included.
    left, right: (m,) int32 rows, left < right.
    similarity: (m,) float32 cosine.
    """

    faces: int
    left: Indices
    right: Indices
    similarity: FloatArray

    def at_least(self, similarity: float) -> NeighbourGraph:
        """The edges of at least this similarity."""
        kept = self.similarity >= similarity
        return NeighbourGraph(self.faces, self.left[kept], self.right[kept], self.similarity[kept])


def neighbour_graph(
    embeddings: FloatArray,
    photos: IntArray,
    *,
    similarity: float,
    neighbours: int,
    memory: int,
    progress: Progress | None = None,
) -> NeighbourGraph:
    """Joins each face with its most similar faces of other photos.

    embeddings: (n, d) float32, rows of unit length.
    photos: (n,) int64; faces of equal value are of one photo and never joined.
    similarity: two faces less similar than this are not joined.
    neighbours: how many each face chooses at most; an edge stays if one of its ends chose it.
        Of equally similar faces those in the earlier rows are chosen.
    memory: bytes that may be used for working, beyond the arrays given and returned.
    progress: called with the number of blocks done and of all.

    Raises NotEnoughMemoryError when the edges themselves do not fit.
    """
    n = len(embeddings)
    block = block_size(memory)
    fit = memory // 4 // BYTES_PER_CANDIDATE
    best = _Best.empty(n, neighbours, limit=fit, enough=min(fit, max(n * neighbours, ENOUGH_TO_SORT)))
    starts = range(0, n, block)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for top in starts:
        for left in range(top, n, block):
            best.offer(
                *_hits(embeddings, photos, slice(top, top + block), slice(left, left + block), similarity)
            )
            done += 1
            if progress is not None:
                progress(done, total)
    return best.graph()


def block_size(memory: int) -> int:
    """Rows of a block, so that one takes at most half of ``memory``, between 128 and 2048."""
    return int(np.clip(np.sqrt(memory / 2 / BYTES_PER_CELL), SMALLEST_BLOCK, LARGEST_BLOCK))


def _hits(
    embeddings: FloatArray, photos: IntArray, rows: slice, columns: slice, similarity: float
) -> tuple[Indices, Indices, FloatArray]:
    """Pairs of one block, row < column, of different photos, at least ``similarity``."""
    product = embeddings[rows] @ embeddings[columns].T
    places = np.flatnonzero(product >= similarity)
    values = np.minimum(product.ravel()[places], np.float32(1))
    left, right = np.divmod(places, product.shape[1])
    left, right = (left + rows.start).astype(np.int32), (right + columns.start).astype(np.int32)
    kept = (left < right) & (photos[left] != photos[right])
    return left[kept], right[kept], values[kept]


@dataclass(slots=True)
class _Best:
    """The best candidates of each face so far, and others that came since the last sorting."""

    faces: int
    neighbours: int
    limit: int
    """How many candidates fit."""
    enough: int
    """How many new ones are worth sorting; the sooner, the fewer will come, as ``floor`` rises."""
    floor: FloatArray
    """(n,) what a new candidate must exceed; −inf until a face has all its neighbours."""
    chosen: tuple[Indices, Indices, FloatArray]
    pending: list[tuple[Indices, Indices, FloatArray]] = field(default_factory=list)
    waiting: int = 0

    @classmethod
    def empty(cls, faces: int, neighbours: int, limit: int, enough: int) -> _Best:
        floor = np.full(faces, -np.inf, dtype=np.float32)
        nothing = np.empty(0, dtype=np.int32)
        return cls(faces, neighbours, limit, enough, floor, (nothing, nothing, np.empty(0, dtype=np.float32)))

    def offer(self, left: Indices, right: Indices, values: FloatArray) -> None:
        """Takes the pairs in, in both directions, where they may still be among a face's best.

        Blocks come in such an order that every face meets the others by ascending row; so an equal
        candidate that comes later may be dropped, and ties go to the earlier row.
        """
        for source, target in ((right, left), (left, right)):  # in a block, a face's earlier rows first
            better = values > self.floor[source]
            self.pending.append((source[better], target[better], values[better]))
            self.waiting += int(np.count_nonzero(better))
        if self.waiting > self.enough:
            self._choose()

    def _choose(self) -> None:
        """Keeps the best ``neighbours`` candidates of each face.

        Candidates of one face lie by ascending row already, and the sorting keeps that among equals.
        """
        source, target, value = (
            np.concatenate([self.chosen[i], *(candidates[i] for candidates in self.pending)])
            for i in range(3)
        )
        order = np.argsort(_sort_keys(source, value), kind="stable")
        source, target, value = source[order], target[order], value[order]
        first = np.searchsorted(source, np.arange(self.faces, dtype=np.int32))
        rank = np.arange(len(source)) - first[source]
        last = rank == self.neighbours - 1
        self.floor[source[last]] = value[last]
        kept = rank < self.neighbours
        if (needed := int(np.count_nonzero(kept))) > self.limit:
            raise NotEnoughMemoryError(
                self.faces, 4 * needed * BYTES_PER_CANDIDATE, 4 * self.limit * BYTES_PER_CANDIDATE
            )
        self.chosen = (source[kept], target[kept], value[kept])
        self.pending.clear()
        self.waiting = 0

    def graph(self) -> NeighbourGraph:
        """Each pair once, whichever of its ends chose it."""
        self._choose()
        source, target, value = self.chosen
        left, right = np.minimum(source, target), np.maximum(source, target)
        _, first = np.unique(left.astype(np.int64) * self.faces + right, return_index=True)
        return NeighbourGraph(self.faces, left[first], right[first], value[first])


def _sort_keys(source: Indices, value: FloatArray) -> npt.NDArray[np.uint64]:
    """Keys that sort by source, then by descending value: five times faster than sorting by two arrays.

    The bits of a float sort like the number once the sign bit of positive and all bits of negative
    ones are turned; ``+ 0`` makes one zero of two.
    """
    bits = (value + np.float32(0)).view(np.uint32)
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (source.astype(np.uint64) << np.uint64(32)) | ~ascending
