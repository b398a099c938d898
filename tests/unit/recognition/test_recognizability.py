"""Which faces can be told from others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.media.decode import decode_photo
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.calibrated import MOBILEFACENET
from image_search_service.recognition.engines.calibration import RecognizabilityRule
from image_search_service.recognition.engines.onnx import OnnxEngine
from image_search_service.recognition.engines.opencv import OpenCvEngine
from image_search_service.recognition.recognizability import (
    RecognizabilityTest,
    blank_embedding,
    visible_share,
)


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
    ("rule", "visible", "expected"),
    [
        (None, 0.8, [True, True, True]),
        (None, 0.79, [False, False, False]),
        (RecognizabilityRule("blank", 0.2), 1.0, [True, True, False]),
        (RecognizabilityRule("blank", 0.2), 0.79, [False, False, False]),
        (RecognizabilityRule("length", 7.0), 1.0, [True, False, True]),
    ],
)
def test_a_face_must_be_more_than_nothing_and_mostly_visible(
    rule: RecognizabilityRule | None, visible: float, expected: list[bool]
) -> None:
    """What resembles a blank picture or has a short embedding, as the engine's rule says, or is cut off, is
    not recognisable."""
    engine = Planar(rule)
    faces: FloatArray = np.array([[0, 1], [0.19, 0.98], [0.21, 0.978]], dtype=np.float32)
    lengths: FloatArray = np.array([7.0, 6.9, 12.0], dtype=np.float32)
    shown = np.full(3, visible, dtype=np.float32)
    assert RecognizabilityTest(engine).passes(faces, lengths, shown).tolist() == expected


class Planar(FaceEngine):
    """Sees the same in every picture of nothing: (1, 0)."""

    identity = EngineIdentity("planar", "0", 2)

    def __init__(self, rule: RecognizabilityRule | None) -> None:
        self.calibration = replace(MOBILEFACENET, recognizability=rule)

    def _detect(self, image: Pixels) -> list[Detection]:
        return []

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return image

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        return np.tile(np.array([[3.0, 0.0]], dtype=np.float32), (len(chips), 1))


def test_an_unknown_sign_is_refused() -> None:
    """A stored rule that this version does not know is an error, not ignored."""
    with pytest.raises(InvalidInputError, match="colour"):
        RecognizabilityRule("colour", 1.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["opencv", "onnx"])
def test_clear_faces_are_recognizable_and_heavily_blurred_ones_are_not(
    name: str, photos: Path, models: Path
) -> None:
    """Large faces of press photos pass each engine's own rule; blurred beyond recognition they do not."""
    detector, kind = (
        models / "face_detection_yunet_2023mar.onnx",
        {
            "opencv": (OpenCvEngine, "face_recognition_sface_2021dec.onnx"),
            "onnx": (OnnxEngine, "mobilefacenet.onnx"),
        }[name],
    )
    engine = kind[0](detector, models / kind[1])
    chips = []
    for file in sorted((photos / "groups").glob("Putin_[1-3].jpg")):
        image = decode_photo(file, max_pixels=10**8).pixels
        largest = max(engine.detect(image), key=lambda face: face.box.width)
        chips.append(engine.align(image, largest))
    blurred = [np.asarray(Image.fromarray(chip).filter(ImageFilter.GaussianBlur(12))) for chip in chips]
    test = RecognizabilityTest(engine)
    whole = np.ones(len(chips), dtype=np.float32)
    assert test.passes(*engine.embed_with_lengths(chips), whole).all()
    assert not test.passes(*engine.embed_with_lengths(blurred), whole).any()


def test_what_is_seen_in_nothing_is_always_the_same(models: Path) -> None:
    """The blank embedding depends on the engine alone."""
    engine = OnnxEngine(models / "face_detection_yunet_2023mar.onnx", models / "mobilefacenet.onnx")
    np.testing.assert_array_equal(blank_embedding(engine), blank_embedding(engine))
