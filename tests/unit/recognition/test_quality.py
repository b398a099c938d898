from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter

from image_search_service.core.types import Box, Pixels
from image_search_service.recognition.engines.base import Detection
from image_search_service.recognition.engines.calibrated import MOBILEFACENET, quality_tables
from image_search_service.recognition.quality import FaceQuality, face_quality, sharpness, turn

FRONTAL = ((120.0, 100.0), (160.0, 100.0), (140.0, 120.0), (125.0, 145.0), (155.0, 145.0))
FACE = Detection(Box(100, 80, 80, 80), FRONTAL, 0.9)


def quality(face: Detection, chip: Pixels) -> FaceQuality:
    return face_quality(face, chip, quality_tables(MOBILEFACENET))


def chip(blur: float = 0) -> Pixels:
    """Coarse light and shadow with fine grain, as a face has them; ``blur`` takes the grain away first."""
    random = np.random.default_rng(0)
    coarse = Image.fromarray(random.integers(0, 255, (7, 7, 3), dtype=np.uint8)).resize((112, 112))
    grain = random.normal(0, 12, (112, 112, 3))
    picture = Image.fromarray(np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8))
    return np.asarray(picture.filter(ImageFilter.GaussianBlur(blur)))


def test_a_large_sharp_frontal_face_loses_nothing() -> None:
    """Only the detector's doubt is left in the score."""
    found = quality(FACE, chip())
    assert found == FaceQuality(1, 1, 1, 0.9)
    assert found.score == pytest.approx(0.9)


def test_a_smaller_face_is_worth_less() -> None:
    """Size counts by the shorter side, from nothing at 12 pixels to all at 56."""
    sizes = [
        quality(replace(FACE, box=Box(0, 0, 90, side)), chip()).size for side in (5, 12, 20, 30, 56, 400)
    ]
    assert sizes[:2] == [0, 0]
    assert sizes[-2:] == [1, 1]
    assert sizes == sorted(sizes)


def test_a_blurred_face_is_worth_less() -> None:
    """The more a chip is blurred, the less its sharpness, down to nothing."""
    found = [quality(FACE, chip(blur)).sharpness for blur in (0, 1, 2, 4, 12)]
    assert found == sorted(found, reverse=True)
    assert found[0] == 1
    assert found[-1] < 0.2


def test_exposure_does_not_count_as_blur() -> None:
    """A dark chip of little contrast is as sharp as a bright one."""
    bright = chip(1)
    dark = (20 + bright * 0.25).astype(np.uint8)
    assert sharpness(dark) == pytest.approx(sharpness(bright), rel=0.15)


def test_one_colour_is_not_sharp() -> None:
    """A chip without any contrast has sharpness 0, not a division by zero."""
    assert sharpness(np.full((112, 112, 3), 77, np.uint8)) == 0


def test_a_turned_head_is_worth_less() -> None:
    """The nose leaves the middle as a head turns; tilting it changes nothing."""
    turned = [
        ((120.0, 100.0), (160.0, 100.0), (140.0 + x, 120.0), (125.0, 145.0), (155.0, 145.0))
        for x in (0, 14, 30, 60)
    ]
    parts = [quality(replace(FACE, landmarks=points), chip()).pose for points in turned]
    assert parts == sorted(parts, reverse=True)
    assert parts[0] == 1
    assert parts[-1] == 0
    tilted = tuple((0.8 * x - 0.6 * y, 0.6 * x + 0.8 * y) for x, y in turned[1])
    assert turn(tilted) == pytest.approx(turn(turned[1]))


def test_eyes_in_one_point_are_as_turned_as_can_be() -> None:
    """A detector that sees both eyes in one place sees a profile."""
    profile = ((120.0, 100.0), (120.0, 100.0), *FRONTAL[2:])
    assert quality(replace(FACE, landmarks=profile), chip()).pose == 0


def test_parts_are_named_so_that_a_reason_can_be_given() -> None:
    """What made a face poor can be read from its parts."""
    parts = quality(replace(FACE, box=Box(0, 0, 14, 14)), chip()).parts()
    assert parts == {"size": 0.17, "sharpness": 1.0, "pose": 1.0, "confidence": 0.9}
    assert min(parts, key=parts.__getitem__) == "size"
