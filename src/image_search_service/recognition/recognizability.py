"""Faces that cannot be told apart: too blurred, turned away, half hidden or cut off by the photo's edge.

A recogniser gives all of them much the same embedding, whoever they are (Deng et al. 2021, Harnessing
unrecognizable faces for improving face recognition), so that grouping would put them together: of the faces
behind the person in 5,103 press photos, 686 went into such groups, the largest of 122. That embedding is
also what the recogniser gives for a picture of nothing, so it is known for any engine without a photo.

A face that resembles nothing as much as something worth suggesting is not recognisable, nor is one of which
a fifth is outside of the photo. Measured with MobileFaceNet, this leaves out 4 of the 5,103 faces in the
middle, and of those 686 faces all but 68.
"""

from __future__ import annotations

import numpy as np

from image_search_service.core.types import Box, FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.thresholds import Thresholds

LEAST_VISIBLE = 0.8
"""Share of a face's box that has to be inside of the photo."""

_SIDE = 128
_BLURS = (6, 10, 20)
"""Sigma, in pixels, of the blurs that leave nothing but soft spots of random noise."""
_FRONTAL = Detection(Box(32, 24, 64, 80), ((49, 56), (79, 56), (64, 74), (52, 90), (76, 90)), 1.0)


def blank_embedding(engine: FaceEngine) -> FloatArray:
    """What the engine sees in pictures of nothing: ``(d,)`` float32 of unit length, always the same."""
    chips = [engine.align(picture, _FRONTAL) for picture in _pictures_of_nothing()]
    mean = engine.embed(chips).mean(axis=0)
    unit: FloatArray = mean / np.linalg.norm(mean)
    return unit


def _pictures_of_nothing() -> list[Pixels]:
    """Plain grey, and noise blurred beyond recognition."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3)).astype(np.float32)
    soft = [gaussian_filter(noise, (blur, blur, 0), mode="wrap") for blur in _BLURS]
    return [np.full((_SIDE, _SIDE, 3), 128, np.uint8), *(np.round(one).astype(np.uint8) for one in soft)]


def visible_share(box: Box, *, width: int, height: int) -> float:
    """How much of a face's box, 0 to 1, is inside of a photo of ``width`` × ``height`` pixels."""
    across = min(box.x + box.width, width) - max(box.x, 0.0)
    down = min(box.y + box.height, height) - max(box.y, 0.0)
    return max(across, 0.0) * max(down, 0.0) / (box.width * box.height)


def is_recognizable(embedding: FloatArray, visible: float, blank: FloatArray, thresholds: Thresholds) -> bool:
    """Whether a face can be told from others.

    embedding, blank: ``(d,)`` of unit length; visible: 0 to 1, see ``visible_share``.
    """
    return visible >= LEAST_VISIBLE and float(embedding @ blank) < thresholds.suggest
