"""How much a face can be trusted: from its size, sharpness, pose and the detector's confidence.

Each part is the share of similarity that such a face keeps: how alike it is to other photos of the same
person, compared with a large, sharp, frontal face. So a part of 0.5 says that half is lost, whatever lost
it, and the parts may be multiplied.

How much is lost depends on the recogniser: ``engines/calibrated.py`` has a table for each engine and part,
``benchmarks/quality.py`` prints them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from image_search_service.core.types import FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, Landmarks
from image_search_service.recognition.engines.calibration import QualityTables, Table

_ROUNDING: Final = 20 / 12
"""Variance of the Laplacian that rounding to whole numbers makes: 1/12 for each pixel, times 4² + 4 · 1²."""

_MARGIN: Final = 1 / 7
"""Share of the chip that is cut off at each side for sharpness: hair and background, not the face."""


@dataclass(frozen=True, slots=True)
class FaceQuality:
    """Parts from 0 (useless) to 1 (nothing is lost)."""

    size: float
    sharpness: float
    pose: float
    confidence: float

    @property
    def score(self) -> float:
        """All in all, 0 to 1: the product of the parts."""
        return self.size * self.sharpness * self.pose * self.confidence

    def parts(self) -> dict[str, float]:
        """The parts by name, to three digits, so that it can be said why a face is not used."""
        return {name: round(getattr(self, name), 3) for name in ("size", "sharpness", "pose", "confidence")}


def face_quality(detection: Detection, chip: Pixels, tables: QualityTables) -> FaceQuality:
    """The quality of a face: ``detection`` in pixels of the full photo, ``chip`` as the engine aligned it."""
    return FaceQuality(
        size=_kept(min(detection.box.width, detection.box.height), tables.size),
        sharpness=_kept(sharpness(chip), tables.sharpness),
        pose=_kept(turn(detection.landmarks), tables.pose),
        confidence=min(max(detection.confidence, 0.0), 1.0),
    )


def sharpness(chip: Pixels) -> float:
    """Variance of the Laplacian ÷ variance, of the inner chip's green channel; 0 for one colour.

    The variance of the Laplacian is Pech-Pacheco et al.'s measure of focus (ICPR 2000); dividing makes it
    independent of exposure and contrast, once the part is taken off that rounding makes.
    """
    margin = round(chip.shape[0] * _MARGIN)
    inner = chip[margin:-margin, margin:-margin, 1].astype(np.float32)
    laplacian = inner[:-2, 1:-1] + inner[2:, 1:-1]
    laplacian += inner[1:-1, :-2]
    laplacian += inner[1:-1, 2:]
    laplacian -= 4 * inner[1:-1, 1:-1]
    contrast = _variance(inner)
    return max(0.0, _variance(laplacian) - _ROUNDING) / contrast if contrast > 0 else 0.0


def turn(landmarks: Landmarks) -> float:
    """How far the head is turned to the side: the nose's distance from the line between the middle of the
    eyes and of the mouth, measured along the eyes, ÷ the distance of the eyes. 0 is frontal."""
    right_eye, left_eye, nose, right_mouth, left_mouth = (complex(x, y) for x, y in landmarks)
    across = left_eye - right_eye
    if across == 0:
        return math.inf
    middle = (right_eye + left_eye + right_mouth + left_mouth) / 4
    # Dividing complex numbers measures in units of the line between the eyes, along it and across.
    return abs(float(((nose - middle) / across).real))


def pixels_keeping(share: float, tables: QualityTables) -> float:
    """How wide and high a face must be, in pixels, for its size to leave it this share, 0 to 1."""
    pixels, kept = tables.size
    return float(np.interp(share, kept, pixels))


def _variance(values: FloatArray) -> float:
    flat: FloatArray = values.ravel() - values.mean()
    return float(flat @ flat) / flat.size


def _kept(measure: float, table: Table) -> float:
    return float(np.interp(measure, *table))
