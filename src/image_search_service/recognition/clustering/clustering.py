"""Finds which faces are of one person: pure functions on an array of embeddings.

All clustering works on one sparse graph of nearest neighbours (``neighbours.py``). Each face is first
moved a little towards its neighbours (``linkage.expanded``); then groups are joined, the most similar first,
by centroid linkage (``linkage.join_groups``). Two faces of one photo are never put together. The result
depends on nothing but the arguments. ``benchmarks/grouping.py`` measures the default parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse

from image_search_service.core.errors import InvalidInputError, NotEnoughMemoryError
from image_search_service.core.types import (
    DEFAULT_METHOD,
    ClusteringMethod,
    FloatArray,
    IntArray,
    Progress,
)
from image_search_service.recognition.clustering import linkage
from image_search_service.recognition.clustering.neighbours import NeighbourGraph, neighbour_graph
from image_search_service.recognition.thresholds import Thresholds

NOISE = -1
FALSE_NEIGHBOURS = 1 / 8
"""Strangers that a face may have among its neighbours, on average; ``benchmarks/grouping.py sizes``."""

SMALLEST_SEARCH = 16 << 20
"""Bytes below which a search for neighbours is not begun."""
BYTES_PER_FACE = 100

Confidences = npt.NDArray[np.float64]

FORMER_METHODS = ("hdbscan", "dbscan")
"""Accepted as ``agglomerative``: libraries, scripts and clients may still name them. What HDBSCAN's cores
before the joining changed could not be told from chance, for any engine (docs/performance.md)."""


def current_method(name: str) -> ClusteringMethod:
    """The method of this name; ``agglomerative`` for a former one. Raises InvalidInputError."""
    methods = get_args(ClusteringMethod)
    _require(name in (*methods, *FORMER_METHODS), f"method is {' or '.join(methods)}", name)
    return DEFAULT_METHOD if name in FORMER_METHODS else cast(ClusteringMethod, name)


@dataclass(frozen=True, slots=True)
class ClusteringParameters:
    """How to cluster. The two similarities belong to the engine, the rest serves every engine.

    neighbour: cosine below which two faces are no neighbours; see ``for_engine``.
    baseline: mean cosine of two strangers; ``Thresholds.baseline``.
    min_cluster_size: smaller groups are noise.
    neighbours: neighbours that each face chooses at most.
    join: from which similarity groups are joined, as a share of the way from ``neighbour`` (0) to the same
        picture (1).
    evidence: how much more similarity joining two groups of many faces takes, as such a share, too;
        see ``linkage.JoinRule``.
    """

    neighbour: float
    baseline: float = 0.0
    method: ClusteringMethod = DEFAULT_METHOD
    min_cluster_size: int = 2
    neighbours: int = 32
    join: float = 0.12
    evidence: float = 0.34

    def __post_init__(self) -> None:
        """Raises InvalidInputError, which says what would be right."""
        methods = get_args(ClusteringMethod)
        _require(self.method in methods, f"method is {' or '.join(methods)}", self.method)
        _require(self.min_cluster_size >= 2, "min_cluster_size is at least 2", self.min_cluster_size)
        _require(self.neighbours >= 1, "neighbours is at least 1", self.neighbours)
        _require(0 <= self.baseline < 1, "baseline is from 0 to below 1", self.baseline)
        _require(
            self.baseline < self.neighbour < 1, "neighbour is above baseline and below 1", self.neighbour
        )
        _require(0 <= self.join <= 1, "join is from 0 to 1", self.join)
        _require(0 <= self.evidence < 1, "evidence is from 0 to below 1", self.evidence)

    @classmethod
    def for_engine(
        cls,
        thresholds: Thresholds,
        faces: int,
        method: str = DEFAULT_METHOD,
        min_cluster_size: int = 2,
    ) -> ClusteringParameters:
        """What suits an engine and a number of faces.

        The more faces there are, the more strangers look alike by chance, so the more alike neighbours must
        be: a face has ``FALSE_NEIGHBOURS`` strangers among its neighbours, however many faces there are. But
        however few there are, two that would not pass as the same person are no neighbours.
        Raises InvalidInputError for an unknown method or a size below 2.
        """
        return cls(
            neighbour=max(
                thresholds.same_person, thresholds.reached_by(min(1.0, FALSE_NEIGHBOURS / max(faces, 1)))
            ),
            baseline=thresholds.baseline,
            method=current_method(method),
            min_cluster_size=min_cluster_size,
        )

    def above_baseline(self, share: float) -> float:
        """A share of the way from ``neighbour`` to 1, as similarity measured from the baseline."""
        return 1 - (1 - share) * self.room

    @property
    def room(self) -> float:
        """The way from ``neighbour`` to 1, in similarity measured from the baseline."""
        return (1 - self.neighbour) / (1 - self.baseline)


@dataclass(frozen=True, slots=True)
class Clustering:
    """Faces put into clusters.

    labels: (n,) int64; clusters are 0 … k − 1, the largest first, of equal ones the one with the earlier
        row; noise is −1.
    confidences: (k,) float64, each cluster's mean similarity over all pairs of its faces.
    """

    labels: IntArray
    confidences: Confidences

    @property
    def clusters(self) -> int:
        """Number of clusters, k."""
        return len(self.confidences)


def cluster_embeddings(
    embeddings: FloatArray,
    photos: IntArray,
    parameters: ClusteringParameters,
    memory: int,
    progress: Progress | None = None,
) -> Clustering:
    """Puts the faces of each person together, as far as their embeddings tell.

    embeddings: (n, d) float32, rows of unit length.
    photos: (n,) int64; faces of equal value are of one photo and never put together.
    memory: bytes that may be used beyond the embeddings given.
    progress: called with the blocks of the search for neighbours done and in all; it takes most of the time.

    Raises InvalidInputError when the arrays do not fit each other, a row is no unit vector, or the
    memory cannot do.
    """
    _check(embeddings, photos)
    if len(embeddings) == 0:
        return Clustering(np.empty(0, dtype=np.int64), np.empty(0))
    graph = neighbour_graph(
        embeddings,
        photos,
        similarity=parameters.neighbour,
        neighbours=parameters.neighbours,
        memory=_search_memory(embeddings, memory),
        progress=progress,
    )
    labels = numbered(_groups(embeddings, graph, photos, parameters, memory), parameters.min_cluster_size)
    return Clustering(labels, confidences(embeddings, labels))


def confidences(embeddings: FloatArray, labels: IntArray) -> Confidences:
    """Mean pairwise similarity of each cluster, exact, in one pass over the embeddings.

    The squared length of a sum of unit vectors is the sum over all pairs, so the mean over pairs of
    different faces is ``(|s|² − n) / (n (n − 1))``.

    embeddings: (n, d) float32 unit rows. labels: (n,) int64, −1 for noise.
    Returns (k,) float64 for labels 0 … k − 1; 1 for a cluster of one face, 0 for an empty one.
    """
    k = int(labels.max(initial=NOISE)) + 1
    rows = np.flatnonzero(labels >= 0)
    entries = (np.ones(len(rows)), (labels[rows], rows))
    sums = sparse.csr_array(entries, shape=(k, len(labels))) @ embeddings
    size = np.bincount(labels[rows], minlength=k)
    pairs = np.maximum(size * (size - 1), 1)
    mean = (np.einsum("ij,ij->i", sums, sums) - size) / pairs
    return np.where(size == 1, 1.0, np.clip(mean, -1.0, 1.0))


def cluster_confidence(embeddings: FloatArray) -> float:
    """Mean pairwise similarity of one group, (n, d) float32 unit rows; 1 for one face, 0 for none."""
    if len(embeddings) == 0:
        return 0.0
    return float(confidences(embeddings, np.zeros(len(embeddings), dtype=np.int64))[0])


def _groups(
    embeddings: FloatArray,
    graph: NeighbourGraph,
    photos: IntArray,
    parameters: ClusteringParameters,
    memory: int,
) -> IntArray:
    """(n,) int64: the group of each face."""
    weights = ((graph.similarity - parameters.neighbour) / (1 - parameters.neighbour)).astype(np.float32)
    vectors = linkage.expanded(linkage.lifted(embeddings, parameters.baseline), graph, weights)
    rule = linkage.JoinRule(
        similarity=parameters.above_baseline(parameters.join), evidence=parameters.evidence * parameters.room
    )
    return linkage.join_groups(vectors, graph, photos, rule, memory=memory)


def numbered(groups: IntArray, min_cluster_size: int, kept: IntArray | None = None) -> IntArray:
    """Labels by decreasing size, then first row; −1 for groups smaller than ``min_cluster_size``, but for
    those that are kept whatever their size."""
    distinct, first, inverse, size = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    large = (size >= min_cluster_size) & (distinct != NOISE)
    if kept is not None:
        large |= np.isin(distinct, kept)
    order = np.lexsort((first, -size, ~large))
    label = np.full(len(distinct), NOISE, dtype=np.int64)
    label[order[: np.count_nonzero(large)]] = np.arange(np.count_nonzero(large))
    return label[inverse]


def _search_memory(embeddings: FloatArray, memory: int) -> int:
    """What the search for neighbours may use beside the two arrays of vectors that come after it.

    Raises NotEnoughMemoryError if nothing is left for it.
    """
    faces, dimension = embeddings.shape
    vectors: int = 2 * 4 * faces * (dimension + 1)
    needed = vectors + BYTES_PER_FACE * faces + SMALLEST_SEARCH
    if memory < needed:
        raise NotEnoughMemoryError(faces, needed, memory)
    return memory - vectors


def _check(embeddings: FloatArray, photos: IntArray) -> None:
    _require(embeddings.ndim == 2, "embeddings are an array of shape (n, d)", embeddings.shape)
    _require(photos.shape == embeddings.shape[:1], "photos has an entry for each embedding", photos.shape)
    squares = np.einsum("ij,ij->i", embeddings, embeddings)
    wrong = np.flatnonzero(~(np.abs(squares - 1) < 1e-3))
    _require(len(wrong) == 0, "every embedding has unit length", f"row {wrong[:1]}")


def _require(condition: bool, right: str, given: object) -> None:
    if not condition:
        raise InvalidInputError(
            f"Grouping needs other input: {right}; given was {given}.",
            hint="`image-search cluster --help` shows what can be chosen.",
        )
