"""A second engine for drawn faces: other boxes, other embeddings, and it does not find the same faces."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection
from image_search_service.recognition.engines.synthetic import SyntheticEngine

DIMENSION = SyntheticEngine.identity.dimension + 16
CORNER = Detection(Box(1, 1, 30, 30), ((10, 10), (20, 10), (15, 16), (11, 22), (19, 22)), 0.6)
"""What it takes for a face in each photo that is large enough, and the first engine does not."""


class OtherEngine(SyntheticEngine):
    """Draws larger boxes, gives rotated embeddings of another dimension, and sees a face in each corner.

    blind_to: faces at these places (middle of the box in pixels of the photo that is read) are not found.
    """

    identity = EngineIdentity("synthetic", hashlib.sha256(b"another engine").hexdigest(), DIMENSION)

    def __init__(self, blind_to: Sequence[tuple[float, float]] = ()) -> None:
        self.blind_to = blind_to
        self.looked_at = 0
        random = np.random.default_rng(3).standard_normal((DIMENSION, SyntheticEngine.identity.dimension))
        self._turn = np.linalg.qr(random)[0].astype(np.float32)

    def _detect(self, image: Pixels) -> list[Detection]:
        self.looked_at += 1
        found = [_larger(face) for face in super()._detect(image) if not self._is_blind_to(face)]
        corner = [CORNER] if min(image.shape[:2]) > 300 else []
        return [*found, *corner]

    def _is_blind_to(self, face: Detection) -> bool:
        x, y = face.box.center
        return any(abs(x - at) < 2 and abs(y - down) < 2 for at, down in self.blind_to)

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return super()._align(image, _smaller(detection))

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        turned: FloatArray = super()._embed(chips) @ self._turn.T
        return turned


def _larger(face: Detection) -> Detection:
    box = face.box
    wide = Box(box.x - 0.1 * box.width, box.y - 0.2 * box.height, 1.2 * box.width, 1.3 * box.height)
    return Detection(wide, face.landmarks, face.confidence)


def _smaller(face: Detection) -> Detection:
    width, height = face.box.width / 1.2, face.box.height / 1.3
    box = Box(face.box.x + 0.1 * width, face.box.y + 0.2 * height, width, height)
    return Detection(box, face.landmarks, face.confidence)
