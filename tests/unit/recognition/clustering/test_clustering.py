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


def test_people_are_found() -> None:
    """Well separated people become clusters, single strangers noise."""
    embeddings, truth = people([40, 20, 10, 6] + [1] * 30)
    found = cluster(embeddings)
    assert found.clusters == 4
    assert [int((found.labels == label).sum()) for label in range(4)] == [40, 20, 10, 6]
    assert score_clustering(truth, found.labels).bcubed.f == 1.0


def test_pairs_and_faces_at_the_edge_are_joined() -> None:
    """Of people with few faces, and of large ones, no face that is like the others is left out."""
    embeddings, truth = people([30, 12, 2, 2, 3] + [1] * 20, alike=0.6)
    scores = score_clustering(truth, cluster(embeddings, neighbour=0.45).labels)
    assert scores.bcubed.f > 0.98
    assert scores.bcubed.precision == 1.0


def test_large_groups_must_be_more_alike() -> None:
    """Two people who resemble each other stay apart when there are many photos of both, though single faces
    of theirs would be joined."""
    random = np.random.default_rng(0)
    middle = random.standard_normal((3, 64)) / 8
    two = np.stack([np.sqrt(0.7) * middle[0] + np.sqrt(0.3) * middle[i] for i in (1, 2)])
    own = random.standard_normal((2, 12, 64)) / 8
    faces = (np.sqrt(0.8) * two[:, None] + np.sqrt(0.2) * own).reshape(24, 64)
    unit = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    assert cluster(unit, neighbour=0.4, evidence=0.0).clusters == 1
    assert cluster(unit, neighbour=0.4, evidence=0.5).clusters == 2


def test_faces_of_one_photo_stay_apart() -> None:
    """Faces as alike as those of twins are not put together when a photo shows both."""
    embeddings, _ = people([20], alike=0.95)
    photos = np.arange(20) // 2
    labels = cluster(embeddings, photos).labels
    pairs = labels.reshape(10, 2)
    assert not np.any((pairs[:, 0] == pairs[:, 1]) & (pairs[:, 0] >= 0))
    assert np.count_nonzero(labels >= 0) > 0


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), faces_per_photo=st.integers(1, 4), alike=st.floats(0.3, 1.0))
def test_no_photo_has_two_faces_in_a_cluster(seed: int, faces_per_photo: int, alike: float) -> None:
    """Whatever the faces look like, however many are in a photo."""
    embeddings, _ = people([8, 5, 3, 2, 1, 1], alike=alike, seed=seed)
    photos = np.random.default_rng(seed).permutation(len(embeddings)) // faces_per_photo
    labels = cluster(embeddings, photos).labels
    members = np.flatnonzero(labels >= 0)
    assert len(np.unique(np.stack([labels, photos])[:, members], axis=1)[0]) == len(members)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 50])
def test_identical_embeddings(n: int) -> None:
    """Equal faces of different photos are one cluster as soon as there are enough; none vanishes."""
    embeddings = np.repeat(people([1])[0], n, axis=0)
    found = cluster(embeddings, neighbours=8)
    assert found.labels.tolist() == ([0] * n if n >= 2 else [-1] * n)


def test_all_noise() -> None:
    """Where nobody is alike there is no cluster."""
    found = cluster(people([1] * 60)[0])
    assert found.clusters == 0
    assert set(found.labels.tolist()) == {-1}
    assert found.confidences.shape == (0,)


def test_one_person_only() -> None:
    """A library that shows one person alone gives one cluster."""
    found = cluster(people([15])[0])
    assert found.labels.tolist() == [0] * 15


def test_same_input_same_result() -> None:
    """Again, and with the rows in another order, the same faces are together."""
    embeddings, _ = people([25, 10, 5, 3, 2] + [1] * 10, alike=0.55)
    order = np.random.default_rng(1).permutation(len(embeddings))
    first = cluster(embeddings, neighbour=0.4)
    np.testing.assert_array_equal(cluster(embeddings, neighbour=0.4).labels, first.labels)
    shuffled = cluster(embeddings[order], neighbour=0.4).labels
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


def test_a_baseline_changes_nothing_but_the_scale() -> None:
    """Embeddings that all lie in one corner, measured from there, give the same clusters."""
    embeddings, _ = people([25, 10, 5, 3, 2] + [1] * 10, alike=0.6)
    baseline, neighbour = 0.8, 0.45
    corner = np.full((len(embeddings), 1), np.sqrt(baseline))
    cornered = np.hstack([embeddings * np.sqrt(1 - baseline), corner]).astype(np.float32)
    plain = cluster(embeddings, neighbour=neighbour).labels
    scaled = cluster(cornered, baseline=baseline, neighbour=baseline + (1 - baseline) * neighbour).labels
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
        ("baseline", -0.1),
        ("neighbour", 1.0),
        ("evidence", 1.5),
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
    found = ClusteringParameters.for_engine(thresholds, 6_250, min_cluster_size=4)
    assert (round(found.neighbour, 6), found.baseline, found.method, found.min_cluster_size) == (
        0.45,
        0.1,
        "agglomerative",
        4,
    )


@pytest.mark.parametrize("former", ["hdbscan", "dbscan"])
def test_former_methods_are_accepted(former: str) -> None:
    """A library or a client that names a method of former versions gets the one that there is."""
    thresholds = Thresholds(same_person=0.3, assign=0.5, suggest=0.2, neighbour=0.45, baseline=0.1)
    assert ClusteringParameters.for_engine(thresholds, 10, method=former).method == "agglomerative"
    with pytest.raises(InvalidInputError, match="agglomerative"):
        ClusteringParameters.for_engine(thresholds, 10, method="kmeans")


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
