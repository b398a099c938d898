"""Faces that cannot be told apart: too blurred, turned away, half hidden or cut off by the photo's edge.

A recogniser gives all of them much the same embedding, whoever they are (Deng et al. 2021, Harnessing
unrecognizable faces for improving face recognition), so that grouping would put them together. By which sign
they are known depends on the recogniser; ``benchmarks/recognizability.py`` compares the signs:

- ``blank``: the embedding is like that of a picture of nothing, plain grey or noise blurred beyond
  recognition, which is known for any recogniser without a photo;
- ``length``: the embedding is short before it is brought to unit length, as with recognisers whose loss lets
  the length grow with what there is to see (Meng et al., MagFace, CVPR 2021).

A face of which a fifth is outside of the photo is not recognisable for any engine.
"""

from __future__ import annotations

import numpy as np

from image_search_service.core.types import BoolArray, Box, FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, FaceEngine

LEAST_VISIBLE = 0.8
"""Share of a face's box that has to be inside of the photo."""

_SIDE = 128
_BLURS = (6, 10, 20)
"""Sigma, in pixels, of the blurs that leave nothing but soft spots of random noise."""
_FRONTAL = ((49.0, 56.0), (79.0, 56.0), (64.0, 74.0), (52.0, 90.0), (76.0, 90.0))


class RecognizabilityTest:
    """Says of an engine's faces which it can tell apart, by ``engine.calibration.recognizability``."""

    def __init__(self, engine: FaceEngine) -> None:
        self._rule = engine.calibration.recognizability
        needs_blank = self._rule is not None and self._rule.sign == "blank"
        empty: FloatArray = np.empty(0, np.float32)
        self._blank = blank_embedding(engine) if needs_blank else empty

    def passes(self, embeddings: FloatArray, lengths: FloatArray, visible: FloatArray) -> BoolArray:
        """(n,) bool. embeddings, lengths: see ``FaceEngine.embed_with_lengths``. visible: (n,) 0 to 1, see
        ``visible_share``."""
        inside = np.asarray(visible) >= LEAST_VISIBLE
        if self._rule is None:
            return inside
        return inside & self._rule.passes(embeddings, lengths, self._blank)


def blank_embedding(engine: FaceEngine) -> FloatArray:
    """What the engine sees in pictures of nothing: ``(d,)`` float32 of unit length, always the same."""
    frontal = Detection(Box(32, 24, 64, 80), _FRONTAL, 1.0)
    chips = [engine.align(picture, frontal) for picture in _pictures_of_nothing()]
    mean = engine.embed(chips).mean(axis=0)
    unit: FloatArray = mean / np.linalg.norm(mean)
    return unit


def _pictures_of_nothing() -> list[Pixels]:
    """Plain grey, and noise blurred beyond recognition."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(0).integers(0, 256, (_SIDE, _SIDE, 3)).astype(np.float32)
    soft = [gaussian_filter(noise, (blur, blur, 0), mode="wrap") for blur in _BLURS]
    return [
        np.full((_SIDE, _SIDE, 3), 128, np.uint8),
        *(np.round(picture).astype(np.uint8) for picture in soft),
    ]


def visible_share(box: Box, *, width: int, height: int) -> float:
    """How much of a face's box, 0 to 1, is inside of a photo of ``width`` × ``height`` pixels."""
    across = min(box.x + box.width, width) - max(box.x, 0.0)
    down = min(box.y + box.height, height) - max(box.y, 0.0)
    return max(across, 0.0) * max(down, 0.0) / (box.width * box.height)
