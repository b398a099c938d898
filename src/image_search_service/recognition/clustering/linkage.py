"""Joining groups of faces by how alike they are as wholes.

Similarities are measured from the engine's ``baseline``, what two strangers have on average:
``(x·y − b) / (1 − b)``. So 0 means strangers and 1 the same picture for every engine, also for those
whose embeddings all lie in one corner. This is still an inner product, only an indefinite one: each
vector carries one more number, ``√b``, whose product is subtracted (``lifted``, ``mirrored``).
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering.neighbours import NeighbourGraph

CHUNK = 2_048
"""Edges whose similarities are computed at a time, so that their vectors stay in the processor's cache."""
EQUAL = 0.01
"""Similarities that differ by less are equal to a group that looks for partners, so that it takes them all at
once. Else somebody with thousands of photos would take as many steps, each as long as there are photos."""
LONG_WAY = 8
BYTES_PER_EDGE = 120
"""Of an edge: its ends and their similarity, several times while they are sorted."""

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


@dataclass(frozen=True, slots=True)
class JoinRule:
    """From which similarity of their centroids two groups are joined.

    similarity: for groups of which one has a single face.
    evidence: how much more it takes for two groups of many faces. The more faces a group has, the less of its
        centroid is chance, so that two centroids of one person are more alike than two faces of theirs,
        while centroids of strangers are as alike as before. When the smaller group has n faces,
        ``evidence · (1 − 1/n)`` more is needed.
    """

    similarity: float
    evidence: float


def join_groups(
    vectors: Vectors, graph: NeighbourGraph, photos: IntArray, rule: JoinRule, *, memory: int
) -> IntArray:
    """Starts with a group for each face and joins groups, the most alike first, until no two are alike enough
    or only forbidden pairs are left.

    Two groups are as alike as their centroids (centroid linkage) less what ``rule`` takes off. Groups between
    which there is no edge, and groups that have faces of one photo, are not joined.

    vectors: (n, d + 1) unit vectors.
    memory: bytes that the edges may take; NotEnoughMemoryError if they do not fit.
    Returns (n,) int64, 0 … k − 1.
    """
    needed = len(graph.left) * BYTES_PER_EDGE
    if needed > memory:
        raise NotEnoughMemoryError(graph.faces, needed, memory)
    forest = _Forest(vectors, graph, photos, rule)
    heap = forest.first_offers()
    heapq.heapify(heap)
    while heap:
        _, age, partners = heapq.heappop(heap)
        group = -age
        if not forest.exists(group):
            continue
        for partner in partners:
            if forest.exists(partner) and forest.allowed(group, partner):
                group = forest.join(group, partner)
        if (offer := forest.best_offer(group)) is not None:
            heapq.heappush(heap, offer)
    return forest.labels()


Offer = tuple[float, int, tuple[int, ...]]
"""Similarity, rounded, and a group, both negated so that the heap gives the greatest; and those that the
group would most like to be joined with. Of equal offers the youngest group's is taken: it is growing."""


class _Forest:
    """Groups and what they have become. A join makes a new group, with the next number, out of two.

    The heap holds one offer of each group. An offer whose partner is gone is replaced when its turn comes;
    that is soon enough, since a new group offers itself to all around it when it is made.

    ``sums`` has a row for each face; a new group takes over the row of one that it was made of (``row``), so
    that joining takes no further memory. Lists of adjacent groups are not kept up to date either: who is
    meant by a group that is no more is looked up.
    """

    def __init__(self, vectors: Vectors, graph: NeighbourGraph, photos: IntArray, rule: JoinRule) -> None:
        self.count = graph.faces
        self.rule = rule
        self.parent = np.arange(2 * self.count)
        self.row = np.arange(2 * self.count)
        self.size = np.ones(self.count, dtype=np.float32)
        self.sums = vectors.copy()
        self.length = np.sqrt(_squares(self.sums, self.size))
        self.photos = _crowded_photos(photos)
        self.edges = graph.left.astype(np.int64), graph.right.astype(np.int64)
        self.adjacent = _adjacency(*self.edges, self.count)

    def first_offers(self) -> list[Offer]:
        """For each face the most similar one of those before it; best_offer for all at once."""
        left, right = self.edges
        value = _products(self.sums, left, right) / (self.length[left] * self.length[right])
        order = np.lexsort((left, -value, right))
        order = order[value[order] >= self.rule.similarity]
        best = order[np.unique(right[order], return_index=True)[1]]
        partners = ((partner,) for partner in left[best].tolist())
        return [
            (-round(similarity, 4), -group, partner)
            for similarity, group, partner in zip(
                value[best].tolist(), right[best].tolist(), partners, strict=True
            )
        ]

    def exists(self, group: int) -> bool:
        """Whether it has not been joined with another."""
        return bool(self.parent[group] == group)

    def allowed(self, group: int, other: int) -> bool:
        """Whether no photo has a face in each."""
        return self.photos[group].isdisjoint(self.photos[other])

    def best_offer(self, group: int) -> Offer | None:
        """The most similar group that this one may be joined with, if any is, with its equals."""
        around = self._around(group)
        value, enough = self._likeness(group, around), self.rule.similarity
        order = np.argsort(-value, kind="stable")
        for place, i in enumerate(order[value[order] >= enough]):
            if self.allowed(group, int(around[i])):
                alike = order[place:][value[order[place:]] >= max(value[i] - EQUAL, enough)]
                return -round(float(value[i]), 4), -group, tuple(around[alike].tolist())
        return None

    def _likeness(self, group: int, others: IntArray) -> FloatArray:
        """(m,) similarities of a group's centroid to those of others, less what their sizes demand."""
        rows, row = self.row[others], self.row[group]
        similarity = self.sums[rows] @ mirrored(self.sums[row]) / (self.length[rows] * self.length[row])
        smaller = np.minimum(self.size[rows], self.size[row])
        likeness: FloatArray = similarity - np.float32(self.rule.evidence) * (1 - 1 / smaller)
        return likeness

    def join(self, left: int, right: int) -> int:
        """Makes one group of two; returns it."""
        new, self.count = self.count, self.count + 1
        self.parent[left] = self.parent[right] = new
        into, out_of = self.row[left], self.row[right]
        self.row[new] = into
        self.sums[into] += self.sums[out_of]
        self.size[into] += self.size[out_of]
        self.length[into] = np.sqrt(_squares(self.sums[into], self.size[into]))
        self.photos.append(_united(self.photos[left], self.photos[right]))
        self.adjacent.append(np.concatenate([self.adjacent[left], self.adjacent[right]]))
        self.adjacent[left] = self.adjacent[right] = np.empty(0, dtype=np.int64)
        return new

    def _around(self, group: int) -> IntArray:
        """The groups adjacent to one, as they are now."""
        around: IntArray = np.unique(self._roots(self.adjacent[group]))
        self.adjacent[group] = around = around[around != group]
        return around

    def _roots(self, groups: IntArray) -> IntArray:
        """What has become of some groups; shortens the way for the next time."""
        root: IntArray = self.parent[groups]
        for step in itertools.count(1):
            further = self.parent[root]
            if np.array_equal(further, root):
                break
            root = further
            if step % LONG_WAY == 0:  # a group that took in thousands at once: halve all ways
                self.parent = self.parent[self.parent]
        self.parent[groups] = root
        return root

    def labels(self) -> IntArray:
        """What has become of each face, numbered from 0."""
        root = self._roots(np.arange(self.count))[: len(self.sums)]
        return np.unique(root, return_inverse=True)[1].astype(np.int64)


def _united(first: set[int], second: set[int]) -> set[int]:
    """Both together, at the cost of the smaller one; neither may be used any more."""
    small, large = sorted((first, second), key=len)
    large |= small
    return large


def _adjacency(left: IntArray, right: IntArray, count: int) -> list[IntArray]:
    """For each group the other ends of its edges."""
    ends, others = np.concatenate([left, right]), np.concatenate([right, left])
    order = np.argsort(ends, kind="stable")
    starts = np.searchsorted(ends[order], np.arange(1, count))
    return np.split(others[order], starts)


def _products(vectors: Vectors, left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> FloatArray:
    """Inner products of many pairs of rows."""
    products = np.empty(len(left), dtype=np.float32)
    for start in range(0, len(products), CHUNK):
        part = slice(start, start + CHUNK)
        first, second = vectors[left[part]], vectors[right[part]]
        products[part] = np.einsum("ij,ij->i", first, second) - 2 * first[:, -1] * second[:, -1]
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


def _crowded_photos(photos: IntArray) -> list[set[int]]:
    """For each face its photo, but for photos of one face, which can never be in the way."""
    photos_of: list[set[int]] = [set() for _ in range(len(photos))]
    _, inverse, faces = np.unique(photos, return_inverse=True, return_counts=True)
    for face in np.flatnonzero(faces[inverse] > 1).tolist():
        photos_of[face].add(int(photos[face]))
    return photos_of
