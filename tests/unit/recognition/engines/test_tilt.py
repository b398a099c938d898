"""Tilted heads are recognised."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from image_search_service.core.types import Box, Pixels
from image_search_service.media.decode import decode_photo
from image_search_service.recognition.engines.base import Detection, Landmarks
from image_search_service.recognition.engines.onnx import OnnxEngine
from image_search_service.recognition.engines.tilt import look_again, tilt

UPRIGHT: Landmarks = ((40, 40), (60, 40), (50, 50), (43, 60), (57, 60))
PEOPLE = 12


def turned(degrees: float) -> Landmarks:
    """The landmarks of a head turned clockwise around (50, 50)."""
    turn = complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    points = (complex(50, 50) + (complex(x, y) - complex(50, 50)) * turn for x, y in UPRIGHT)
    return tuple((point.real, point.imag) for point in points)


@pytest.mark.parametrize("degrees", [-90, -30, 0, 10, 45, 120])
def test_tilt_is_the_angle_of_the_head(degrees: float) -> None:
    """Landmarks that were turned say by how much."""
    assert tilt(turned(degrees)) == pytest.approx(degrees, abs=1e-6)


def test_landmarks_in_one_point_have_no_tilt() -> None:
    """What has no direction is taken as upright."""
    assert tilt(((1.0, 1.0),) * 5) == 0


def test_upright_heads_are_not_looked_at_again() -> None:
    """An upright head costs nothing."""
    face = Detection(Box(35, 30, 30, 40), UPRIGHT, 0.9)
    assert look_again(np.zeros((100, 100, 3), np.uint8), face, _never) == face


def test_a_head_not_found_again_stays_as_it_was() -> None:
    """If the second look finds nothing, the first one counts."""
    face = Detection(Box(35, 30, 30, 40), turned(20), 0.9)
    assert look_again(np.zeros((100, 100, 3), np.uint8), face, lambda _: []) == face


def _never(_: Pixels) -> list[Detection]:
    raise AssertionError("looked again")


@pytest.fixture(scope="module")
def pairs(photos: Path) -> list[tuple[Pixels, Pixels]]:
    """Two photos of each of some people, of whom there are several."""
    folders = [folder for folder in sorted((photos / "lfw").iterdir()) if len(list(folder.iterdir())) > 5]
    files = [sorted(folder.iterdir())[:2] for folder in folders[:PEOPLE]]
    return [tuple(decode_photo(file, max_pixels=10**6).pixels for file in two) for two in files]  # type: ignore[misc]


def test_a_tilted_head_is_recognised(pairs: list[tuple[Pixels, Pixels]], models: Path) -> None:
    """Turned by 30°, people are still like themselves; by the first look's landmarks they are not."""
    engine = OnnxEngine(models / "face_detection_yunet_2023mar.onnx", models / "mobilefacenet.onnx")

    def embedding(image: Pixels, face: Detection) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        vector: np.ndarray[tuple[int], np.dtype[np.float32]] = engine.embed([engine.align(image, face)])[0]
        return vector

    twice, once = [], []
    for upright, other in pairs:
        tilted = _turn(other, 30)
        reference = embedding(upright, _central(engine.detect(upright), upright))
        face = _central(engine.detect(tilted), tilted)
        first = _central(engine._detector._find(tilted), tilted)
        twice.append(float(reference @ embedding(tilted, replace(first, landmarks=face.landmarks))))
        once.append(float(reference @ embedding(tilted, first)))
    assert np.median(twice) > engine.thresholds.same_person > np.median(once)


def _turn(image: Pixels, degrees: float) -> Pixels:
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return cv2.warpAffine(image, turn, (width, height)).astype(np.uint8)


def _central(faces: list[Detection], image: Pixels) -> Detection:
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    return min(faces, key=lambda face: math.dist(face.box.center, middle))
