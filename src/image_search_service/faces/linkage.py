"""Joining groups of faces by how alike they are as wholes; the pass after, or instead of, density clustering.

Similarities are measured from the engine's ``baseline``, what two strangers have on average:
``(x·y − b) / (1 − b)``. So 0 means strangers and 1 the same picture for every engine, also for those
whose embeddings all lie in one corner. This is still an inner product, only an indefinite one: each
vector carries one more number, ``√b``, whose product is subtracted (``lifted``, ``mirrored``).
"""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt
from scipy import sparse

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.faces.neighbours import NeighbourGraph

CHUNK = 32_768
"""Edges whose similarities are computed at a time, so that their vectors need little memory."""
BYTES_PER_EDGE = 250
"""Of an edge between two groups: a place in two sets, in the heap, and the numbers themselves."""

Vectors = npt.NDArray[np.float32]


def lifted(embeddings: FloatArray, baseline: float) -> Vectors:
    """(n, d + 1) float32: unit vectors of the inner product that is 0 for strangers."""
    last = np.full((len(embeddings), 1), np.sqrt(baseline), dtype=np.float32)
    vectors: Vectors = np.hstack([embeddings, last])
    vectors /= np.float32(np.sqrt(1 - baseline))
    return vectors


def mirrored(vectors: Vectors) -> Vectors:
    """The same with the last number's sign turned: ``a @ mirrored(b)`` is the inner product of a and b."""
    turned = vectors.copy()
    turned[..., -1] *= -1
    return turned


def expanded(vectors: Vectors, graph: NeighbourGraph, weights: FloatArray) -> Vectors:
    """Each face moved towards its neighbours, then brought back to unit length.

    A blurred or turned face lies far from the middle of its person, but near some other such faces;
    moved towards these it is nearer to all. This is query expansion as in image retrieval
    (Chum et al. 2007, Total Recall; Radenović et al. 2018 weight by similarity, as is done here).

    vectors: (n, d + 1) from ``lifted``. weights: (m,) of the edges, ≥ 0.
    """
    moved: Vectors = _symmetric(graph, weights) @ vectors
    moved += vectors
    moved /= np.sqrt(_squares(moved, np.ones(len(moved), dtype=np.float32)))[:, None]
    return moved


def measured(vectors: Vectors, graph: NeighbourGraph) -> NeighbourGraph:
    """The same edges with the similarities that ``vectors``, (n, d + 1), have."""
    similarity = _products(vectors, graph.left, graph.right)
    return NeighbourGraph(graph.faces, graph.left, graph.right, similarity)


def join_groups(
    vectors: Vectors,
    graph: NeighbourGraph,
    photos: IntArray,
    groups: IntArray,
    *,
    similarity: float,
    memory: int,
) -> IntArray:
    """Joins groups, the most alike first, until no two are alike enough or only forbidden pairs are left.

    Two groups are as alike as their centroids (centroid linkage; a centroid's similarity to a stranger
    does not change with the size of the group, so one threshold serves small and large ones). Groups
    between which there is no edge, and groups that have faces of one photo, are not joined.

    vectors: (n, d + 1) unit vectors. groups: (n,) int64, 0 … k − 1, each with one face or more.
    memory: bytes that the edges between groups may take; NotEnoughMemoryError if they do not fit.
    Returns (n,) int64, 0 … k' − 1.
    """
    edges = _group_edges(graph, groups)
    if len(edges[0]) * BYTES_PER_EDGE > memory:
        raise NotEnoughMemoryError(graph.faces, len(edges[0]) * BYTES_PER_EDGE, memory)
    forest = _Forest(vectors, edges, photos, groups)
    heap = forest.candidates(similarity)
    heapq.heapify(heap)
    while heap:
        _, left, right = heapq.heappop(heap)
        if forest.may_join(left, right):
            for candidate in forest.join(left, right, similarity):
                heapq.heappush(heap, candidate)
    return forest.labels(groups)


Candidate = tuple[float, int, int]
"""Similarity, negated for the heap, and two groups. Ties go to the groups that are older."""


class _Forest:
    """Groups and what they have become. A join makes a new group, with the next number, out of two.

    ``sums`` has a row for each group that there was in the beginning; a new group takes over the row of
    one that it was made of (``row``), so that joining takes no further memory.
    """

    def __init__(
        self, vectors: Vectors, edges: tuple[IntArray, IntArray], photos: IntArray, groups: IntArray
    ) -> None:
        self.count = int(groups.max()) + 1
        self.parent = np.arange(2 * self.count)
        self.row = np.arange(2 * self.count)
        self.size = np.bincount(groups, minlength=self.count).astype(np.float32)
        self.sums = _member_matrix(groups, self.count) @ vectors
        self.length = np.sqrt(_squares(self.sums, self.size))
        self.photos = _photos_of_groups(photos, groups, self.count)
        self.left, self.right = edges
        self.adjacent: list[set[int]] = [set() for _ in range(self.count)]
        for left, right in zip(self.left.tolist(), self.right.tolist(), strict=True):
            self.adjacent[left].add(right)
            self.adjacent[right].add(left)

    def candidates(self, similarity: float) -> list[Candidate]:
        """All pairs of groups with an edge between them that are alike enough."""
        value = _products(self.sums, self.left, self.right) / (
            self.length[self.left] * self.length[self.right]
        )
        kept = value >= similarity
        return list(
            zip((-value[kept]).tolist(), self.left[kept].tolist(), self.right[kept].tolist(), strict=True)
        )

    def may_join(self, left: int, right: int) -> bool:
        """Whether both still exist and no photo has a face in each."""
        alive = self.parent[left] == left and self.parent[right] == right
        return bool(alive) and self.photos[left].isdisjoint(self.photos[right])

    def join(self, left: int, right: int, similarity: float) -> list[Candidate]:
        """Makes one group of two; returns it with those that are now alike enough."""
        new = self.count
        self.count += 1
        self.parent[left] = self.parent[right] = new
        into, out_of = self.row[left], self.row[right]
        self.row[new] = into
        self.sums[into] += self.sums[out_of]
        self.size[into] += self.size[out_of]
        self.length[into] = np.sqrt(_squares(self.sums[into], self.size[into]))
        self.photos.append(self.photos[left] | self.photos[right])
        around = self._move_edges(left, right, new)
        rows = self.row[around]
        value = self.sums[rows] @ mirrored(self.sums[into]) / (self.length[rows] * self.length[into])
        kept = np.flatnonzero(value >= similarity)
        return [(-float(value[i]), int(around[i]), new) for i in kept]

    def _move_edges(self, left: int, right: int, new: int) -> IntArray:
        around = (self.adjacent[left] | self.adjacent[right]) - {left, right}
        self.adjacent[left] = self.adjacent[right] = set()
        self.adjacent.append(around)
        for other in around:
            self.adjacent[other] -= {left, right}
            self.adjacent[other].add(new)
        return np.array(sorted(around), dtype=np.int64)

    def labels(self, groups: IntArray) -> IntArray:
        """What has become of each face's group, numbered from 0."""
        root = np.arange(self.count)
        for group in range(self.count - 1, -1, -1):  # a parent is always younger than its children
            root[group] = root[self.parent[group]]
        return np.unique(root[groups], return_inverse=True)[1].astype(np.int64)


def _products(vectors: Vectors, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> FloatArray:
    """Inner products of many pairs of rows."""
    products = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(products), CHUNK):
        part = slice(start, start + CHUNK)
        products[part] = np.einsum("ij,ij->i", vectors[left[part]], mirrored(vectors[right[part]]))
    return products


def _squares(vectors: Vectors, size: FloatArray) -> FloatArray:
    """Squared lengths. Never below what strangers would have (their number), so that it is safe to divide."""
    squares = np.einsum("...j,...j->...", vectors, vectors) - 2 * vectors[..., -1] ** 2
    floored: FloatArray = np.maximum(squares, size)
    return floored


def _symmetric(graph: NeighbourGraph, weights: FloatArray) -> sparse.csr_array:
    rows, columns = np.concatenate([graph.left, graph.right]), np.concatenate([graph.right, graph.left])
    shape = (graph.faces, graph.faces)
    return sparse.csr_array((np.concatenate([weights, weights]), (rows, columns)), shape=shape)


def _member_matrix(groups: IntArray, count: int) -> sparse.csr_array:
    faces = np.arange(len(groups))
    ones = np.ones(len(groups), dtype=np.float32)
    return sparse.csr_array((ones, (groups, faces)), shape=(count, len(groups)))


def _group_edges(graph: NeighbourGraph, groups: IntArray) -> tuple[IntArray, IntArray]:
    """The pairs of groups between which there is an edge, each once."""
    ends = np.sort(np.stack([groups[graph.left], groups[graph.right]]), axis=0)
    ends = ends[:, ends[0] != ends[1]]
    pairs = np.unique(ends[0] * len(groups) + ends[1])
    left, right = np.divmod(pairs, len(groups))
    return left, right


def _photos_of_groups(photos: IntArray, groups: IntArray, count: int) -> list[set[int]]:
    """For each group its photos, but for photos of one face, which can never be in the way."""
    found: list[set[int]] = [set() for _ in range(count)]
    _, inverse, faces = np.unique(photos, return_inverse=True, return_counts=True)
    crowded = np.flatnonzero(faces[inverse] > 1)
    for group, photo in zip(groups[crowded].tolist(), photos[crowded].tolist(), strict=True):
        found[group].add(photo)
    return found
