"""The one interface of every face engine, as a template method.

Outside: ``detect``, ``align``, ``embed``, which check what a model gave. Inside: ``_detect``,
``_align``, ``_embed``, which an engine writes. An engine may be called from several threads at once.

The three steps are apart because a large photo is detected on a reduced copy and embedded from the
full one: ``detect(reduced)``, scale the detections, ``align(full, detection)``, then ``embed`` many chips
of many photos in one call.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from image_search_service.core.errors import DataIntegrityError
from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines.calibration import Calibration
from image_search_service.recognition.thresholds import Thresholds

Landmarks = tuple[tuple[float, float], ...]
"""Five points, in pixels: right eye, left eye, nose, right and left corner of the mouth,
as the person has them (so the right eye is the one on the left of the picture)."""


@dataclass(frozen=True, slots=True)
class Detection:
    """One face as a detector found it, in pixels of the picture it was given.

    confidence: the detector's own score, 0 to 1.
    """

    box: Box
    landmarks: Landmarks
    confidence: float

    def scaled(self, factor: float) -> Detection:
        """The same face in a picture ``factor`` times as large."""
        points = tuple((x * factor, y * factor) for x, y in self.landmarks)
        return Detection(self.box.scaled(factor), points, self.confidence)

    def moved(self, x: float, y: float) -> Detection:
        """The same face in a picture that begins ``x`` further left and ``y`` further up."""
        box = Box(self.box.x + x, self.box.y + y, self.box.width, self.box.height)
        return Detection(box, tuple((a + x, b + y) for a, b in self.landmarks), self.confidence)

    def in_part(self, area: tuple[float, float, float, float], *, width: int) -> Detection:
        """The same face in a picture of ``area`` alone (left, top, right, bottom) that is ``width`` wide."""
        left, top, right, _ = area
        box = Box(self.box.x - left, self.box.y - top, self.box.width, self.box.height)
        points = tuple((x - left, y - top) for x, y in self.landmarks)
        return Detection(box, points, self.confidence).scaled(width / (right - left))


class FaceEngine(ABC):
    """A detector and an embedder that belong together."""

    identity: EngineIdentity
    calibration: Calibration
    """The engine's own; whoever opens it for a library that has another puts that in its place."""

    @property
    def thresholds(self) -> Thresholds:
        return self.calibration.thresholds

    def detect(self, image: Pixels) -> list[Detection]:
        """Faces in ``image`` (RGB, upright), left to right, then top to bottom.

        What a detector gives that is no place in a picture (not a number, smaller than a pixel) is left out.
        """
        sound = [face for face in self._detect(image) if _is_sound(face)]
        return sorted(sound, key=lambda face: (face.box.x, face.box.y))

    def align(self, image: Pixels, detection: Detection) -> Pixels:
        """The face as the embedder wants to see it, a square RGB chip ``(s, s, 3)``."""
        return self._align(image, detection)

    def embed(self, chips: Sequence[Pixels]) -> FloatArray:
        """Embeddings of aligned chips, ``(n, d)`` float32, each row of unit length.

        Raises DataIntegrityError when the model gives another dimension, NaN or a zero vector.
        """
        return self.embed_with_lengths(chips)[0]

    def embed_with_lengths(self, chips: Sequence[Pixels]) -> tuple[FloatArray, FloatArray]:
        """The same, and ``(n,)`` float32: how long each row was before it was brought to unit length."""
        if not chips:
            return np.empty((0, self.identity.dimension), dtype=np.float32), np.empty(0, np.float32)
        raw = np.asarray(self._embed(chips), dtype=np.float32)
        if raw.shape != (len(chips), self.identity.dimension):
            raise DataIntegrityError(
                f"The model gave embeddings of shape {raw.shape}, "
                f"expected {(len(chips), self.identity.dimension)}."
            )
        length = np.linalg.norm(raw, axis=1, keepdims=True)
        if not np.all(np.isfinite(length)) or np.any(length == 0):
            raise DataIntegrityError("The model gave an embedding that is zero or not a number.")
        return raw / length, length[:, 0]

    def release(self) -> None:  # noqa: B027 - most engines have nothing to give back
        """After many photos were read at once: give back memory that a few are not worth."""

    @abstractmethod
    def _detect(self, image: Pixels) -> list[Detection]: ...

    @abstractmethod
    def _align(self, image: Pixels, detection: Detection) -> Pixels: ...

    @abstractmethod
    def _embed(self, chips: Sequence[Pixels]) -> FloatArray: ...


def _is_sound(face: Detection) -> bool:
    """Whether box and landmarks are finite and the landmarks are not all in one point."""
    box, points = face.box, face.landmarks
    finite = all(map(math.isfinite, (box.x, box.y, box.width, box.height, *(c for p in points for c in p))))
    if not finite or box.width < 1 or box.height < 1:
        return False
    return max(math.dist(points[0], point) for point in points) >= 1
