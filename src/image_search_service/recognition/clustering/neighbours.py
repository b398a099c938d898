"""The sparse graph that all clustering works on: which faces look alike, without an n×n matrix.

Similarities come from products of blocks of rows: of all faces with all while they are few enough, else of
each face with those of the cells nearest to it (``cells.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from image_search_service.core.blas import as_many_threads_for_each_product
from image_search_service.core.types import FloatArray, IntArray, Progress
from image_search_service.recognition.clustering.candidates import BestCandidates, Candidates, Indices
from image_search_service.recognition.clustering.cells import neighbours_by_cells

EXACT_FACES = 20_000
"""Up to so many faces all are compared with all: of more, that takes most of a grouping's time."""

LARGEST_BLOCK = 2048
SMALLEST_BLOCK = 128
BYTES_PER_CELL = 64
"""Of a block at its worst, every pair a hit: product, mask, positions, rows, columns and their copies."""


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


@as_many_threads_for_each_product()
def neighbour_graph(
    embeddings: FloatArray,
    photos: IntArray,
    *,
    similarity: float,
    neighbours: int,
    memory: int,
    progress: Progress | None = None,
) -> NeighbourGraph:
    """Joins each face with its most similar faces of other photos: exactly up to ``EXACT_FACES``, beyond that
    with nearly all of them (``cells.RECALL``).

    embeddings: (n, d) float32, rows of unit length.
    photos: (n,) int64; faces of equal value are of one photo and never joined.
    similarity: two faces less similar than this are not joined.
    neighbours: how many each face chooses at most; an edge stays if one of its ends chose it.
        Of equally similar faces those in the earlier rows are chosen, where all are compared.
    memory: bytes that may be used for working, beyond the arrays given and returned.
    progress: called with the number of blocks done and of all.

    Raises NotEnoughMemoryError when the edges themselves do not fit.
    """
    search = exact_neighbours if len(embeddings) <= EXACT_FACES else neighbours_by_cells
    source, target, value = search(
        embeddings, photos, similarity=similarity, neighbours=neighbours, memory=memory, progress=progress
    )
    return _graph(len(embeddings), source, target, value)


def exact_neighbours(
    embeddings: FloatArray,
    photos: IntArray,
    *,
    similarity: float,
    neighbours: int,
    memory: int,
    progress: Progress | None = None,
) -> Candidates:
    """The neighbours that each face chooses, all faces compared; arguments as in ``neighbour_graph``.

    The product is symmetric, so only the upper triangle is computed, which halves the work that dominates
    everything else. Blocks come in such an order that every face meets the others by ascending row.
    """
    n = len(embeddings)
    block = block_size(memory)
    best = BestCandidates.empty(n, neighbours, memory)
    starts = range(0, n, block)
    total, done = len(starts) * (len(starts) + 1) // 2, 0
    for top in starts:
        for left in range(top, n, block):
            first, second, values = _hits(
                embeddings, photos, slice(top, top + block), slice(left, left + block), similarity
            )
            best.offer(second, first, values)  # in a block, a face's earlier rows first
            best.offer(first, second, values)
            best.choose_if_enough()
            done += 1
            if progress is not None:
                progress(done, total)
    return best.choose()


def _graph(faces: int, source: Indices, target: Indices, value: FloatArray) -> NeighbourGraph:
    """Each pair once, whichever of its ends chose it."""
    left, right = np.minimum(source, target), np.maximum(source, target)
    _, first = np.unique(left.astype(np.int64) * faces + right, return_index=True)
    return NeighbourGraph(faces, left[first], right[first], value[first])


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
