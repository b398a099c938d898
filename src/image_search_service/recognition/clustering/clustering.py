"""Which faces are of one person: pure functions on an array of embeddings.

All methods work on one sparse graph of exact nearest neighbours (``neighbours.py``). Each face is
first moved a little towards its neighbours (``linkage.expanded``); then

- ``hdbscan``, the default: HDBSCAN (Campello et al. 2013) finds dense cores, and these and the faces left
  over are joined by centroid linkage;
- ``agglomerative``: centroid linkage alone (``linkage.join_groups``);
- ``dbscan``: DBSCAN* alone (same source), which is DBSCAN without border faces.

No method puts two faces of one photo together. The result depends on nothing but the arguments.
``scripts/choose_clustering.py`` is where the default parameters come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from image_search_service.core.errors import InvalidInputError, NotEnoughMemoryError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import ClusteringMethod, FloatArray, IntArray, Progress
from image_search_service.recognition.clustering import linkage
from image_search_service.recognition.clustering.neighbours import NeighbourGraph, neighbour_graph
from image_search_service.recognition.thresholds import Thresholds

NOISE = -1
SMALLEST_DISTANCE = 1e-3
"""Distance of equal faces. Rounding of float32 alone makes as much, and 1 / 0 has no place in a hierarchy."""

FALSE_NEIGHBOURS = 1 / 8
"""Strangers that a face may have among its neighbours, on average. Of 0.30, 0.33 … 0.48 the best
``neighbour`` for MobileFaceNet was 0.33 for 150 faces (of 50 people in Labeled Faces in the Wild), 0.39 for
575, 0.42 for 2,200 and 0.45 for 6,300: each lets this many through (``choose_clustering.py sizes``)."""

SMALLEST_SEARCH = 16 << 20
"""Bytes below which a search for neighbours is not begun."""
BYTES_PER_FACE = 100

Confidences = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ClusteringParameters:
    """How to cluster. The two similarities belong to the engine, the rest serves every engine.

    neighbour: cosine below which two faces are no neighbours; see ``for_engine``.
    baseline: mean cosine of two strangers; ``Thresholds.baseline``.
    min_cluster_size: smaller groups are noise.
    neighbours: neighbours that each face chooses at most.
    core_size: faces that HDBSCAN's cores and DBSCAN's clusters need within reach, themselves left out,
        and faces in the smallest core.
    core, join: from which similarity faces may be in one core and groups are joined, as a share of
        the way from ``neighbour`` (0) to the same picture (1).
    """

    neighbour: float
    baseline: float = 0.0
    method: ClusteringMethod = "hdbscan"
    min_cluster_size: int = 2
    neighbours: int = 32
    core_size: int = 3
    core: float = 0.3
    join: float = 0.18

    def __post_init__(self) -> None:
        """Raises InvalidInputError, which says what would be right."""
        methods = get_args(ClusteringMethod)
        _require(self.method in methods, f"method is one of {', '.join(methods)}", self.method)
        _require(self.min_cluster_size >= 2, "min_cluster_size is at least 2", self.min_cluster_size)
        _require(self.neighbours >= 1, "neighbours is at least 1", self.neighbours)
        _require(self.core_size >= 2, "core_size is at least 2", self.core_size)
        _require(0 <= self.baseline < 1, "baseline is from 0 to below 1", self.baseline)
        _require(
            self.baseline < self.neighbour < 1, "neighbour is above baseline and below 1", self.neighbour
        )
        _require(0 <= self.core <= 1, "core is from 0 to 1", self.core)
        _require(0 <= self.join <= 1, "join is from 0 to 1", self.join)

    @classmethod
    def for_engine(
        cls,
        thresholds: Thresholds,
        faces: int,
        method: ClusteringMethod = "hdbscan",
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
            method=method,
            min_cluster_size=min_cluster_size,
        )

    def above_baseline(self, share: float) -> float:
        """A share of the way from ``neighbour`` to 1, as similarity measured from the baseline."""
        neighbour = (self.neighbour - self.baseline) / (1 - self.baseline)
        return neighbour + share * (1 - neighbour)


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
    """(n,) int64 groups by the method chosen; −1 for faces that are in none."""
    weights = ((graph.similarity - parameters.neighbour) / (1 - parameters.neighbour)).astype(np.float32)
    vectors = linkage.expanded(linkage.lifted(embeddings, parameters.baseline), graph, weights)
    groups = np.full(graph.faces, NOISE, dtype=np.int64)
    if parameters.method != "agglomerative":
        groups = _density_groups(linkage.measured(vectors, graph), photos, parameters)
    if parameters.method == "dbscan":
        return groups
    similarity = parameters.above_baseline(parameters.join)
    return linkage.join_groups(vectors, graph, photos, _singled(groups), similarity=similarity, memory=memory)


def _density_groups(graph: NeighbourGraph, photos: IntArray, parameters: ClusteringParameters) -> IntArray:
    """HDBSCAN's leaves, or DBSCAN*'s clusters: the same hierarchy, cut at the reach of the graph.

    Leaves are the densest clusters, too small rather than too large, which the second pass puts right.
    Excess of mass would take each connected part of the graph whole: all of them begin at density 0.
    """
    near = graph.at_least(parameters.above_baseline(parameters.core))
    if len(near.left) == 0:
        return np.full(near.faces, NOISE, dtype=np.int64)
    distances = sparse.csr_array(
        (
            np.maximum(np.sqrt(np.maximum(2 - 2 * near.similarity, 0)), SMALLEST_DISTANCE),
            (near.left, near.right),
        ),
        shape=(near.faces, near.faces),
    )
    model = _hdbscan(near, photos, parameters.core_size).fit(distances)
    found: IntArray = (
        model.dbscan_clustering(np.inf) if parameters.method == "dbscan" else model.labels_
    ).astype(np.int64)
    return found


def _hdbscan(graph: NeighbourGraph, photos: IntArray, size: int) -> Any:
    import fast_hdbscan

    if not any((Path(fast_hdbscan.__file__).parent / "__pycache__").glob("*.nbi")):
        log.warning("compiling", what="fast_hdbscan", expect="about 20 seconds, once after an installation")
    return fast_hdbscan.HDBSCAN(
        min_cluster_size=size,
        min_samples=size,
        metric="precomputed",
        algorithm="kruskal",
        cluster_selection_method="leaf",
        cannot_link=_cannot_link(graph, photos),
        validate_cannot_link=False,
    )


def _cannot_link(graph: NeighbourGraph, photos: IntArray) -> sparse.csr_array:
    """Pairs of one photo, (n, n), symmetric; those that the graph does not connect anyway are left out.

    ``cannot_link_groups`` of fast_hdbscan says the same with a bit for each face and photo: n² bits.
    """
    edges = sparse.csr_array(
        (np.ones(len(graph.left), dtype=np.int8), (graph.left, graph.right)), shape=(graph.faces, graph.faces)
    )
    _, component = connected_components(edges, directed=False)
    _, place = np.unique(np.stack([component, photos]), axis=1, return_inverse=True)
    place = place.ravel()
    crowded = np.flatnonzero(np.bincount(place)[place] > 1)
    ones = np.ones(len(crowded), dtype=np.int8)
    members = sparse.csr_array((ones, (crowded, place[crowded])), shape=(graph.faces, graph.faces))
    pairs = sparse.coo_array(members @ members.T)
    apart = pairs.row != pairs.col
    return sparse.csr_array(
        (pairs.data[apart], (pairs.row[apart], pairs.col[apart])), shape=(graph.faces, graph.faces)
    )


def _singled(groups: IntArray) -> IntArray:
    """Groups numbered from 0, with one of its own for each face that had none."""
    alone = groups == NOISE
    complete = groups.copy()
    complete[alone] = groups.max(initial=NOISE) + 1 + np.arange(np.count_nonzero(alone))
    return np.unique(complete, return_inverse=True)[1].astype(np.int64)


def numbered(groups: IntArray, min_cluster_size: int, kept: IntArray | None = None) -> IntArray:
    """Labels by decreasing size, then first row; −1 for groups smaller than ``min_cluster_size``, but for
    those that are kept whatever their size."""
    found, first, inverse, size = np.unique(
        groups, return_index=True, return_inverse=True, return_counts=True
    )
    large = (size >= min_cluster_size) & (found != NOISE)
    if kept is not None:
        large |= np.isin(found, kept)
    order = np.lexsort((first, -size, ~large))
    label = np.full(len(found), NOISE, dtype=np.int64)
    label[order[: np.count_nonzero(large)]] = np.arange(np.count_nonzero(large))
    return label[inverse]


def _search_memory(embeddings: FloatArray, memory: int) -> int:
    """What the search for neighbours may use beside the two arrays of vectors that come after it.

    Raises NotEnoughMemoryError if nothing is left for it.
    """
    faces, dimension = embeddings.shape
    vectors: int = 2 * 4 * faces * (dimension + 1)
    least = vectors + BYTES_PER_FACE * faces + SMALLEST_SEARCH
    if memory < least:
        raise NotEnoughMemoryError(faces, least, memory)
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
