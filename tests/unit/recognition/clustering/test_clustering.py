"""Clustering of made-up faces: people are directions, their faces lie around them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from image_search_service.core.errors import InvalidInputError, NotEnoughMemoryError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering.clustering import (
    Clustering,
    ClusteringParameters,
    cluster_confidence,
    cluster_embeddings,
    confidences,
)
from image_search_service.recognition.evaluation import score_clustering
from image_search_service.recognition.thresholds import Thresholds

MEMORY = 1 << 28
METHODS = ("hdbscan", "dbscan", "agglomerative")
every_method = pytest.mark.parametrize("method", METHODS)


def people(sizes: list[int], d: int = 64, alike: float = 0.75, seed: int = 0) -> tuple[FloatArray, IntArray]:
    """Faces of people with so many each, of mean similarity ``alike`` within a person; and who each is."""
    random = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(sizes)), sizes)
    middle = random.standard_normal((len(sizes), d)) / np.sqrt(d)
    own = random.standard_normal((len(truth), d)) / np.sqrt(d)
    faces = np.sqrt(alike) * middle[truth] + np.sqrt(1 - alike) * own
    order = random.permutation(len(truth))
    unit = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return unit[order], truth[order].astype(np.int64)


def cluster(
    embeddings: FloatArray, photos: IntArray | None = None, memory: int = MEMORY, **options: Any
) -> Clustering:
    photos = np.arange(len(embeddings)) if photos is None else photos
    return cluster_embeddings(
        embeddings, photos, ClusteringParameters(**{"neighbour": 0.5} | options), memory
    )


def partition(labels: IntArray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels[labels >= 0])}


@every_method
def test_people_are_found(method: str) -> None:
    """Well separated people become clusters, single strangers noise."""
    embeddings, truth = people([40, 20, 10, 6] + [1] * 30)
    found = cluster(embeddings, method=method)
    assert found.clusters == 4
    assert [int((found.labels == label).sum()) for label in range(4)] == [40, 20, 10, 6]
    assert score_clustering(truth, found.labels).bcubed.f == 1.0


def test_fragments_and_strays_are_joined() -> None:
    """What HDBSCAN alone leaves out, pairs and faces at the edge, the second pass brings in."""
    embeddings, truth = people([30, 12, 2, 2, 3] + [1] * 20, alike=0.6)
    options = {"neighbour": 0.45}
    second = score_clustering(truth, cluster(embeddings, **options).labels)
    alone = score_clustering(truth, cluster(embeddings, join=1.0, **options).labels)
    assert second.bcubed.f > alone.bcubed.f
    assert second.bcubed.precision == 1.0


@every_method
def test_faces_of_one_photo_stay_apart(method: str) -> None:
    """Faces as alike as those of twins are not put together when a photo shows both."""
    embeddings, _ = people([20], alike=0.95)
    photos = np.arange(20) // 2
    labels = cluster(embeddings, photos, method=method).labels
    pairs = labels.reshape(10, 2)
    assert not np.any((pairs[:, 0] == pairs[:, 1]) & (pairs[:, 0] >= 0))
    assert np.count_nonzero(labels >= 0) > 0


@every_method
@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), faces_per_photo=st.integers(1, 4), alike=st.floats(0.3, 1.0))
def test_no_photo_has_two_faces_in_a_cluster(
    method: str, seed: int, faces_per_photo: int, alike: float
) -> None:
    """Whatever the faces look like, however many are in a photo."""
    embeddings, _ = people([8, 5, 3, 2, 1, 1], alike=alike, seed=seed)
    photos = np.random.default_rng(seed).permutation(len(embeddings)) // faces_per_photo
    labels = cluster(embeddings, photos, method=method).labels
    members = np.flatnonzero(labels >= 0)
    assert len(np.unique(np.stack([labels, photos])[:, members], axis=1)[0]) == len(members)


@every_method
@pytest.mark.parametrize("n", [0, 1, 2, 3, 50])
def test_identical_embeddings(method: str, n: int) -> None:
    """Equal faces of different photos are one cluster as soon as there are enough; none vanishes."""
    embeddings = np.repeat(people([1])[0], n, axis=0)
    found = cluster(embeddings, method=method, neighbours=8)
    enough = 4 if method == "dbscan" else 2
    assert found.labels.tolist() == ([0] * n if n >= enough else [-1] * n)


@every_method
def test_all_noise(method: str) -> None:
    """Where nobody is alike there is no cluster."""
    found = cluster(people([1] * 60)[0], method=method)
    assert found.clusters == 0
    assert set(found.labels.tolist()) == {-1}
    assert found.confidences.shape == (0,)


@every_method
def test_one_person_only(method: str) -> None:
    """A library that shows one person alone gives one cluster: the hierarchy's root is a cluster too."""
    found = cluster(people([15])[0], method=method)
    assert found.labels.tolist() == [0] * 15


@every_method
def test_same_input_same_result(method: str) -> None:
    """Again, and with the rows in another order, the same faces are together."""
    embeddings, _ = people([25, 10, 5, 3, 2] + [1] * 10, alike=0.55)
    order = np.random.default_rng(1).permutation(len(embeddings))
    first = cluster(embeddings, method=method, neighbour=0.4)
    np.testing.assert_array_equal(cluster(embeddings, method=method, neighbour=0.4).labels, first.labels)
    shuffled = cluster(embeddings[order], method=method, neighbour=0.4).labels
    back = np.empty_like(shuffled)
    back[order] = shuffled
    assert partition(back) == partition(first.labels)


def test_clusters_are_numbered_by_size_then_row() -> None:
    """The largest cluster is 0; of equal ones the one whose first face comes first."""
    embeddings, _ = people([3, 5, 3, 5, 3])
    labels = cluster(embeddings).labels
    sizes = np.bincount(labels)
    firsts = [int(np.flatnonzero(labels == label)[0]) for label in range(5)]
    assert sizes.tolist() == [5, 5, 3, 3, 3]
    assert firsts[:2] == sorted(firsts[:2])
    assert firsts[2:] == sorted(firsts[2:])


def test_small_groups_are_noise() -> None:
    """Groups below the least size are noise, however alike their faces are."""
    embeddings, _ = people([6, 3, 2])
    assert cluster(embeddings, min_cluster_size=3).clusters == 2
    assert cluster(embeddings, min_cluster_size=7).clusters == 0


@every_method
def test_a_baseline_changes_nothing_but_the_scale(method: str) -> None:
    """Embeddings that all lie in one corner, measured from there, give the same clusters."""
    embeddings, _ = people([25, 10, 5, 3, 2] + [1] * 10, alike=0.6)
    baseline, neighbour = 0.8, 0.45
    corner = np.full((len(embeddings), 1), np.sqrt(baseline))
    cornered = np.hstack([embeddings * np.sqrt(1 - baseline), corner]).astype(np.float32)
    plain = cluster(embeddings, method=method, neighbour=neighbour).labels
    scaled = cluster(
        cornered, method=method, baseline=baseline, neighbour=baseline + (1 - baseline) * neighbour
    ).labels
    np.testing.assert_array_equal(scaled, plain)


def test_confidence_is_the_mean_over_all_pairs() -> None:
    """From the length of the sum, as exact as pair by pair."""
    embeddings, truth = people([7, 4, 1], alike=0.5)
    for person, confidence in enumerate(confidences(embeddings, truth)):
        own = embeddings[truth == person]
        similarity = (own @ own.T)[np.triu_indices(len(own), 1)]
        assert confidence == pytest.approx(similarity.mean() if len(own) > 1 else 1.0, abs=1e-6)
    assert cluster_confidence(embeddings[truth == 0]) == pytest.approx(confidences(embeddings, truth)[0])
    assert cluster_confidence(embeddings[:0]) == 0.0


def test_noise_has_no_confidence() -> None:
    """Only clusters are given one."""
    embeddings, _ = people([3])
    assert confidences(embeddings, np.array([-1, 0, -1])).tolist() == [1.0]
    assert confidences(embeddings, np.array([-1, -1, -1])).shape == (0,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("method", "kmeans"),
        ("min_cluster_size", 1),
        ("neighbours", 0),
        ("core_size", 1),
        ("baseline", -0.1),
        ("neighbour", 1.0),
        ("core", 1.5),
        ("join", -0.1),
    ],
)
def test_wrong_parameters_are_refused(field: str, value: Any) -> None:
    """The message names the parameter and what would be right."""
    with pytest.raises(InvalidInputError, match=rf"{field} is .*{value}"):
        ClusteringParameters(**{"neighbour": 0.5} | {field: value})


def test_parameters_of_an_engine() -> None:
    """The engine gives the similarities, the caller the rest."""
    thresholds = Thresholds(same_person=0.3, assign=0.5, suggest=0.2, neighbour=0.45, baseline=0.1)
    found = ClusteringParameters.for_engine(thresholds, 6_250, method="dbscan", min_cluster_size=4)
    assert (round(found.neighbour, 6), found.baseline, found.method, found.min_cluster_size) == (
        0.45,
        0.1,
        "dbscan",
        4,
    )


def test_neighbours_must_be_more_alike_the_more_faces_there_are() -> None:
    """What is a neighbour in a small library would be chance in a large one; both ends are bounded."""
    thresholds = Thresholds(same_person=0.3, assign=0.5, suggest=0.2, neighbour=0.45, baseline=0.1)
    sizes = [0, 1, 125, 1_000, 6_250, 12_500, 10**6]
    found = [ClusteringParameters.for_engine(thresholds, size).neighbour for size in sizes]
    assert found == sorted(found)
    assert (found[0], found[2], found[4], found[-1]) == pytest.approx((0.3, 0.3, 0.45, 0.5))


def test_arrays_that_do_not_fit_are_refused() -> None:
    """A photo missing, a row of other length than one, or NaN."""
    embeddings, _ = people([3])
    with pytest.raises(InvalidInputError, match="photos"):
        cluster(embeddings, np.arange(2))
    with pytest.raises(InvalidInputError, match="unit length"):
        cluster(embeddings * 2)
    with pytest.raises(InvalidInputError, match="unit length"):
        cluster(embeddings * np.float32(np.nan))
    with pytest.raises(InvalidInputError, match="shape"):
        cluster(embeddings[0])


def test_too_little_memory_is_refused() -> None:
    """Rather than take more than allowed."""
    with pytest.raises(NotEnoughMemoryError, match="MiB"):
        cluster(people([5])[0], memory=1000)
