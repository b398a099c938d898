"""The trimmed mean."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import FloatArray
from image_search_service.recognition.centroid import trim_share, trimmed_centroid


def faces(count: int, seed: int = 0, dimension: int = 16) -> FloatArray:
    random = np.random.default_rng(seed)
    rows = 1.5 + random.normal(size=(count, dimension))
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.mark.parametrize(
    ("count", "share"), [(1, 0.0), (49, 0.0), (50, 0.05), (300, 0.05), (301, 0.10), (5000, 0.10)]
)
def test_share_left_out_grows_with_the_album(count: int, share: float) -> None:
    """Nothing below 50 faces, 5 % to 300, 10 % above."""
    assert trim_share(count) == share
    assert len(trimmed_centroid(faces(count)).used) == count - int(np.ceil(share * count))


def test_small_albums_are_averaged_whole() -> None:
    """Below 50 faces the centroid is the plain mean, brought to unit length."""
    rows = faces(30)
    mean = rows.mean(axis=0)
    np.testing.assert_allclose(trimmed_centroid(rows).vector, mean / np.linalg.norm(mean), atol=1e-6)


def test_strangers_among_many_do_not_count() -> None:
    """Five faces of somebody else among a hundred are the ones left out."""
    rows = faces(100)
    rows[[3, 20, 41, 77, 98]] *= -1
    assert set(range(100)) - set(trimmed_centroid(rows).used.tolist()) == {3, 20, 41, 77, 98}


@given(st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_centroid_is_of_unit_length_whatever_the_order(count: int, seed: int) -> None:
    """The centroid has length 1 and does not depend on the order of the faces."""
    rows = faces(count, seed)
    shuffled = np.random.default_rng(seed).permutation(rows)
    vector = trimmed_centroid(rows).vector
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(trimmed_centroid(shuffled).vector, vector, atol=1e-5)


def test_no_faces_and_opposite_faces_are_refused() -> None:
    """There is no mean of nothing, and no direction in what cancels out."""
    with pytest.raises(InvalidInputError):
        trimmed_centroid(faces(0))
    with pytest.raises(InvalidInputError):
        trimmed_centroid(np.concatenate([faces(3), -faces(3)]))
