"""Which faces can be told from others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from image_search_service.core.types import Box, FloatArray
from image_search_service.recognition.engines.onnx import OnnxEngine
from image_search_service.recognition.recognizability import blank_embedding, is_recognizable, visible_share
from image_search_service.recognition.thresholds import Thresholds

THRESHOLDS = Thresholds(same_person=0.3, assign=0.5, suggest=0.2, neighbour=0.4)
BLANK = np.array([1, 0], dtype=np.float32)


@pytest.mark.parametrize(
    ("box", "share"),
    [
        (Box(10, 10, 20, 20), 1.0),
        (Box(-10, 10, 20, 20), 0.5),
        (Box(90, 90, 20, 20), 0.25),
        (Box(200, 10, 20, 20), 0.0),
    ],
)
def test_visible_share_is_what_is_inside_of_the_photo(box: Box, share: float) -> None:
    """Of a photo of 100 × 100 pixels."""
    assert visible_share(box, width=100, height=100) == pytest.approx(share)


@pytest.mark.parametrize(
    ("similarity", "visible", "expected"),
    [(0.0, 1.0, True), (0.19, 0.8, True), (0.21, 1.0, False), (0.0, 0.79, False)],
)
def test_a_face_must_be_more_than_nothing_and_mostly_visible(
    similarity: float, visible: float, expected: bool
) -> None:
    """What resembles a blank picture, or is cut off, is not recognisable."""
    face: FloatArray = np.array([similarity, np.sqrt(1 - similarity**2)], dtype=np.float32)
    assert is_recognizable(face, visible, BLANK, THRESHOLDS) is expected


def test_faces_of_people_are_nothing_like_nothing(photos: Path, models: Path) -> None:
    """Clear faces are far from what the recogniser sees in pictures of nothing, which is always the same."""
    from image_search_service.media.decode import decode_photo

    engine = OnnxEngine(models / "face_detection_yunet_2023mar.onnx", models / "mobilefacenet.onnx")
    blank = blank_embedding(engine)
    np.testing.assert_array_equal(blank, blank_embedding(engine))
    for file in sorted((photos / "groups").glob("Putin_[1-3].jpg")):
        image = decode_photo(file, max_pixels=10**8).pixels
        largest = max(engine.detect(image), key=lambda face: face.box.width)
        embedding = engine.embed([engine.align(image, largest)])[0]
        assert is_recognizable(embedding, 1.0, blank, engine.thresholds)
