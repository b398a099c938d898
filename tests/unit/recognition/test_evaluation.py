"""Scores against hand-computed examples and against the definitions, pair by pair and face by face."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from image_search_service.core.errors import InvalidInputError
from image_search_service.recognition.evaluation import PrecisionRecall, Scores, score_clustering


def scores(truth: list[int], labels: list[int]) -> Scores:
    return score_clustering(np.array(truth, dtype=np.int64), np.array(labels, dtype=np.int64))


def by_definition(truth: list[int], labels: list[int]) -> tuple[PrecisionRecall, PrecisionRecall]:
    """Pairwise and BCubed, as they are defined, in n² steps."""
    n = len(truth)
    alone = [label if label >= 0 else -1 - i for i, label in enumerate(labels)]
    clustered = np.array([[alone[i] == alone[j] for j in range(n)] for i in range(n)])
    same = np.array([[truth[i] == truth[j] for j in range(n)] for i in range(n)])
    both, off = clustered & same, ~np.eye(n, dtype=bool)

    def ratio(part: int, whole: int) -> float:
        return part / whole if whole else 1.0

    pairwise = PrecisionRecall(
        ratio((both & off).sum(), (clustered & off).sum()), ratio((both & off).sum(), (same & off).sum())
    )
    bcubed = PrecisionRecall(
        float(np.mean(both.sum(1) / clustered.sum(1))), float(np.mean(both.sum(1) / same.sum(1)))
    )
    return pairwise, bcubed


def test_an_example_by_hand() -> None:
    """Five faces of A and B in clusters A A B | A | B score as worked out on paper."""
    found = scores([0, 0, 1, 0, 1], [7, 7, 7, -1, 3])
    assert found.pairwise.precision == pytest.approx(1 / 3)
    assert found.pairwise.recall == pytest.approx(1 / 4)
    assert found.pairwise.f == pytest.approx(2 / 7)
    assert found.bcubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 / 3 + 1 + 1) / 5)
    assert found.bcubed.recall == pytest.approx((2 / 3 + 2 / 3 + 1 / 2 + 1 / 3 + 1 / 2) / 5)
    assert found.purity == pytest.approx(2 / 3)
    assert found.coverage == pytest.approx(3 / 5)
    assert found.clusters == 1


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 4)), min_size=1, max_size=30))
def test_they_are_what_the_definitions_say(faces: list[tuple[int, int]]) -> None:
    """Computed from the table, pairwise and BCubed equal the sums over pairs and faces."""
    truth, labels = [face[0] for face in faces], [face[1] for face in faces]
    pairwise, bcubed = by_definition(truth, labels)
    found = scores(truth, labels)
    assert (found.pairwise.precision, found.pairwise.recall) == pytest.approx(
        (pairwise.precision, pairwise.recall)
    )
    assert (found.bcubed.precision, found.bcubed.recall) == pytest.approx((bcubed.precision, bcubed.recall))


def test_the_truth_scores_one() -> None:
    """Clusters that are the people score 1 by every measure, whatever they are called."""
    found = scores([0, 0, 5, 5, 5], [9, 9, 2, 2, 2])
    assert (found.pairwise.f, found.bcubed.f, found.purity, found.coverage) == (1.0, 1.0, 1.0, 1.0)


def test_all_noise() -> None:
    """Nothing put together is perfectly pure and covers nothing."""
    found = scores([0, 0, 1], [-1, -1, -1])
    assert (found.pairwise.precision, found.pairwise.recall) == (1.0, 0.0)
    assert found.pairwise.f == 0.0
    assert (found.purity, found.coverage, found.clusters) == (1.0, 0.0, 0)


@pytest.mark.parametrize(("truth", "labels"), [([], []), ([1, 2], [1])])
def test_arrays_that_do_not_fit(truth: list[int], labels: list[int]) -> None:
    """No faces, or a label missing, is refused."""
    with pytest.raises(InvalidInputError, match="shape"):
        scores(truth, labels)
