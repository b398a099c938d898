from __future__ import annotations

import cmath
import math

import cv2
import numpy as np
import pytest

from image_search_service.recognition.engines.alignment import (
    TEMPLATE,
    align_face,
    scaled_template,
    similarity_transform,
)
from image_search_service.recognition.engines.base import Landmarks


def moved(points: Landmarks, scale: float, degrees: float, x: float, y: float) -> Landmarks:
    turn = cmath.rect(scale, math.radians(degrees))
    found = [complex(*point) * turn + complex(x, y) for point in points]
    return tuple((point.real, point.imag) for point in found)


@pytest.mark.parametrize(("scale", "degrees"), [(1, 0), (0.3, 20), (4.5, -75), (2, 180)])
def test_a_moved_template_is_moved_back(scale: float, degrees: float) -> None:
    """Landmarks that are the template scaled, turned and shifted come back to it exactly."""
    landmarks = moved(TEMPLATE, scale, degrees, 200, -30)
    matrix = similarity_transform(landmarks, TEMPLATE)
    back = np.column_stack([np.array(landmarks), np.ones(5)]) @ matrix.T
    np.testing.assert_allclose(back, np.array(TEMPLATE), atol=1e-9)


def test_the_transform_is_opencv_s_least_squares_similarity() -> None:
    """With landmarks that fit no similarity, no small change of the transform brings them nearer."""
    landmarks = np.array(moved(TEMPLATE, 1.7, 12, 40, 50)) + np.random.default_rng(0).normal(0, 3, (5, 2))
    matrix = similarity_transform(tuple(map(tuple, landmarks.tolist())), TEMPLATE)

    def distance(matrix: np.ndarray) -> float:
        return float(((np.column_stack([landmarks, np.ones(5)]) @ matrix.T - np.array(TEMPLATE)) ** 2).sum())

    for change in (
        [[1, 0, 0], [0, 1, 0]],
        [[0, -1, 0], [1, 0, 0]],
        [[0, 0, 9], [0, 0, 0]],
        [[0, 0, 0], [0, 0, 9]],
    ):
        for step in (1e-3, -1e-3):
            assert distance(matrix + step * np.array(change)) > distance(matrix)


def test_a_chip_shows_the_landmarks_where_the_template_has_them() -> None:
    """Five coloured dots in a photo are found on the template's places in the chip."""
    landmarks = moved(TEMPLATE, 1.5, 25, 120, 60)
    image = np.zeros((400, 400, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(image, (round(x), round(y)), 4, (255, 255, 255), -1)
    chip = align_face(image, landmarks)
    assert chip.shape == (112, 112, 3)
    assert all(chip[round(y), round(x), 0] > 200 for x, y in TEMPLATE)


@pytest.mark.parametrize("scale", [3.0, 7.5])
def test_a_large_face_is_averaged_not_sampled(scale: float) -> None:
    """A face many times the chip's size comes out in the place of a small one, without jagged edges."""
    size = 150
    fine = np.random.default_rng(1).integers(0, 255, (size, size, 3), dtype=np.uint8)
    small = cv2.GaussianBlur(fine, (0, 0), 3).astype(np.uint8)
    large = cv2.resize(small, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(2).normal(0, 40, large.shape)
    noisy = np.clip(large + noise, 0, 255).astype(np.uint8)
    # Pixel centres: cv2.resize maps x to (x + 0.5) · scale − 0.5.
    face = moved(TEMPLATE, 1, 5, 20, 15)
    enlarged = tuple(((x + 0.5) * scale - 0.5, (y + 0.5) * scale - 0.5) for x, y in face)
    expected = align_face(small, face).astype(float)
    found = align_face(noisy, enlarged).astype(float)
    assert np.abs(found - expected).mean() < 40 / scale


def test_what_lies_beyond_the_photo_is_black() -> None:
    """A face at the photo's edge, small or large, is aligned with black where there is no photo."""
    image = np.full((100, 100, 3), 200, np.uint8)
    for scale in (1.0, 4.0):
        chip = align_face(image, moved(TEMPLATE, scale, 0, -60 * scale, -60 * scale))
        assert chip[5, 5, 0] == 0
        assert chip.shape == (112, 112, 3)
    outside = align_face(image, moved(TEMPLATE, 4, 0, 5000, 5000))
    assert not outside.any()


def test_a_template_scales_with_the_chip() -> None:
    """A chip of 224 pixels has its landmarks twice as far out as one of 112."""
    assert scaled_template(224)[0] == pytest.approx((2 * TEMPLATE[0][0], 2 * TEMPLATE[0][1]))
