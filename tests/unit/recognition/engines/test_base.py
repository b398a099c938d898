from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.calibration import Calibration
from image_search_service.recognition.thresholds import Thresholds

FACE = Detection(Box(10, 10, 20, 20), ((14, 16), (26, 16), (20, 20), (16, 26), (24, 26)), 0.9)
PHOTO = np.zeros((50, 50, 3), np.uint8)


class Answering(FaceEngine):
    """Gives what it was told to give."""

    identity = EngineIdentity("answering", "", 3)
    calibration = Calibration(Thresholds(0.3, 0.4, 0.2, 0.35))

    def __init__(self, faces: Sequence[Detection] = (), embeddings: FloatArray | None = None) -> None:
        self._faces, self._embeddings = faces, embeddings

    def _detect(self, image: Pixels) -> list[Detection]:
        return list(self._faces)

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return image

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        assert self._embeddings is not None
        return self._embeddings


def test_faces_come_from_left_to_right() -> None:
    """Whatever order a detector has, faces are numbered from left to right, then from top to bottom."""
    boxes = [Box(30, 0, 5, 5), Box(1, 9, 5, 5), Box(1, 2, 5, 5)]
    found = Answering([replace(FACE, box=box) for box in boxes]).detect(PHOTO)
    assert [face.box for face in found] == boxes[::-1]


@pytest.mark.parametrize(
    "broken",
    [
        replace(FACE, box=Box(math.nan, 0, 5, 5)),
        replace(FACE, box=Box(0, 0, 0.5, 5)),
        replace(FACE, box=Box(0, 0, math.inf, 5)),
        replace(FACE, landmarks=((5.0, 5.0),) * 5),
        replace(FACE, landmarks=(*FACE.landmarks[:4], (math.nan, 3.0))),
    ],
)
def test_what_is_no_place_in_a_picture_is_left_out(broken: Detection) -> None:
    """A detection that is not a number, or smaller than a pixel, does not stop the others."""
    assert Answering([broken, FACE]).detect(PHOTO) == [FACE]


def test_embeddings_have_unit_length() -> None:
    """Whatever length a model gives, an embedding's is one."""
    given = np.array([[3, 4, 0], [0, 0, 0.1]], np.float32)
    found = Answering(embeddings=given).embed([PHOTO, PHOTO])
    assert found.tolist() == pytest.approx(np.array([[0.6, 0.8, 0], [0, 0, 1]]), rel=1e-6)
    assert found.dtype == np.float32


def test_no_chips_give_no_embeddings() -> None:
    """Photos without faces need no model."""
    assert Answering().embed([]).shape == (0, 3)


@pytest.mark.parametrize(
    "given",
    [
        np.ones((1, 4)),
        np.ones((2, 3)),
        np.zeros((1, 3)),
        np.array([[1, math.nan, 0]]),
        np.full((1, 3), math.inf),
    ],
)
def test_an_embedding_that_cannot_be_compared_is_refused(given: np.ndarray) -> None:
    """Another dimension or number, a zero vector, NaN and infinity never get into the library."""
    with pytest.raises(DataIntegrityError):
        Answering(embeddings=given.astype(np.float32)).embed([PHOTO])


def test_a_detection_scales_with_its_picture() -> None:
    """Box and landmarks grow with the picture, the confidence stays."""
    twice = FACE.scaled(2)
    assert (twice.box, twice.landmarks[0], twice.confidence) == (Box(20, 20, 40, 40), (28, 32), 0.9)
