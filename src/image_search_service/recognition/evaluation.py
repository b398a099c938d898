"""How well clusters agree with the truth. All measures come from one sparse table of people × clusters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import IntArray

Counts = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrecisionRecall:
    """precision: how much of what was put together belongs together; recall: the other way round. 0 to 1."""

    precision: float
    recall: float

    @property
    def f(self) -> float:
        """Their harmonic mean, F₁."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement of clusters with the truth; what is called a cluster here has at least two of the faces.

    pairwise: over pairs of faces. Large people dominate: their pairs are quadratic in their faces.
        Precision is 1 where no two faces were put together, recall where no two belong together.
    bcubed: averaged over faces (Bagga & Baldwin 1998; Amigó et al. 2009, A comparison of extrinsic clustering
        evaluation metrics, section 4.2): of the faces in a face's cluster, itself included, the share that
        is of its person; and of the faces of its person the share that is in its cluster.
    purity: share of the faces in clusters that are of the person most frequent in theirs (Zhao & Karypis
        2001); 1 where there is no cluster. High for tiny clusters, so it means nothing without coverage.
    coverage: share of all faces that are in a cluster. High for one cluster of all, so it means nothing
        without purity.
    clusters: number of clusters.
    """

    pairwise: PrecisionRecall
    bcubed: PrecisionRecall
    purity: float
    coverage: float
    clusters: int


def score_clustering(truth: IntArray, labels: IntArray) -> Scores:
    """Scores of ``labels`` against ``truth``, at cost n log n.

    truth: (n,) int64, who each face is. labels: (n,) int64, its cluster; each face of −1 counts as
    a cluster of one.

    Raises InvalidInputError when the two do not fit each other or there is no face.
    """
    if truth.shape != labels.shape or truth.ndim != 1 or len(truth) == 0:
        raise InvalidInputError(
            f"Scores need a truth and a label for each of one or more faces; given were arrays of shape "
            f"{truth.shape} and {labels.shape}."
        )
    people, clusters, common = _contingency(truth, _noise_alone(labels))
    person_size = np.bincount(people, weights=common)
    cluster_size = np.bincount(clusters, weights=common)
    together = np.sum(common * (common - 1))
    large = cluster_size > 1
    most = np.zeros(len(cluster_size))
    np.maximum.at(most, clusters, common)
    return Scores(
        pairwise=PrecisionRecall(
            precision=_ratio(together, np.sum(cluster_size * (cluster_size - 1))),
            recall=_ratio(together, np.sum(person_size * (person_size - 1))),
        ),
        bcubed=PrecisionRecall(
            precision=float(np.sum(common**2 / cluster_size[clusters]) / len(truth)),
            recall=float(np.sum(common**2 / person_size[people]) / len(truth)),
        ),
        purity=_ratio(np.sum(most[large]), np.sum(cluster_size[large])),
        coverage=float(np.sum(cluster_size[large]) / len(truth)),
        clusters=int(np.count_nonzero(large)),
    )


def _contingency(truth: IntArray, labels: IntArray) -> tuple[IntArray, IntArray, Counts]:
    """The table's entries that are not zero: person, cluster, and how many faces they have in common."""
    person = np.unique(truth, return_inverse=True)[1]
    clusters, cluster = np.unique(labels, return_inverse=True)
    cells, counts = np.unique(person * len(clusters) + cluster, return_counts=True)
    return cells // len(clusters), cells % len(clusters), counts.astype(np.float64)


def _noise_alone(labels: IntArray) -> IntArray:
    alone = labels < 0
    complete = labels.copy()
    complete[alone] = labels.max() + 1 + np.arange(np.count_nonzero(alone))
    return complete


def _ratio(part: float | np.number, whole: float | np.number) -> float:
    """1 where there was nothing to get wrong."""
    return float(part) / float(whole) if whole else 1.0
