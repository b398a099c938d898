"""How much a face can be trusted: from its size, sharpness, pose and the detector's confidence.

Each part is the share of similarity that such a face keeps: how alike it is to other photos of the same
person, compared with a large, sharp, frontal face. So a part of 0.5 says that half is lost, whatever lost
it, and the parts may be multiplied.

The tables were measured with MobileFaceNet on Labeled Faces in the Wild: 250 faces of people with four
photos or more, made smaller or blurred, and the mean over them of the median similarity to the person's
other photos (0.607 untouched); for pose, 2,494 faces as they are, by how far the head is turned.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from image_search_service.core.types import FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, Landmarks

_Table = tuple[tuple[float, ...], tuple[float, ...]]
"""Measure and share kept; linear between the points, constant beyond them."""

_SIZE: Final[_Table] = (
    (12, 14, 16, 18, 23, 28, 34, 45, 56),
    (0.0, 0.17, 0.29, 0.42, 0.67, 0.84, 0.91, 0.96, 1.0),
)
"""Shorter side of the box in pixels; photos reduced to 0.2 … 0.8 of their size."""

_SHARPNESS: Final[_Table] = (
    (0.0, 0.0005, 0.0008, 0.0012, 0.0022, 0.003, 0.0045, 0.007, 0.012, 0.024, 0.08),
    (0.0, 0.08, 0.16, 0.23, 0.39, 0.5, 0.63, 0.76, 0.88, 0.96, 1.0),
)
"""Variance of the Laplacian ÷ variance of the chip; photos blurred by a Gaussian of σ = 0.7 … 4 pixels,
with faces 56 pixels wide. A face that was photographed small is as blurred as it was enlarged."""

_POSE: Final[_Table] = ((0.2, 0.35, 0.45, 0.6, 1.3), (1.0, 0.95, 0.9, 0.71, 0.0))
"""Nose's distance from the face's middle line ÷ distance of the eyes; beyond 0.6 there were too few faces
to measure, and a profile has its nose where there is no second eye to speak of."""

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
        return {name: round(value, 3) for name, value in asdict(self).items()}


def face_quality(detection: Detection, chip: Pixels) -> FaceQuality:
    """The quality of a face: ``detection`` in pixels of the full photo, ``chip`` as the engine aligned it."""
    return FaceQuality(
        size=_kept(min(detection.box.width, detection.box.height), _SIZE),
        sharpness=_kept(sharpness(chip), _SHARPNESS),
        pose=_kept(turn(detection.landmarks), _POSE),
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


def pixels_keeping(share: float) -> float:
    """How wide and high a face must be, in pixels, for its size to leave it this share, 0 to 1."""
    pixels, kept = _SIZE
    return float(np.interp(share, kept, pixels))


def _variance(values: FloatArray) -> float:
    flat: FloatArray = values.ravel() - values.mean()
    return float(flat @ flat) / flat.size


def _kept(measure: float, table: _Table) -> float:
    return float(np.interp(measure, *table))
