"""The engine ``insightface``: the packs of the package ``insightface`` (extra ``[insightface]``)."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines import calibrated
from image_search_service.recognition.engines.alignment import align_face
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.insightface_packs import engine_name
from image_search_service.recognition.engines.model_store import combined_checksum
from image_search_service.recognition.engines.sessions import MAX_BATCH, PROVIDERS, session_options

SCORE_THRESHOLD = 0.5
"""``FaceAnalysis.prepare``'s default."""
DETECTION_SIZE = (640, 640)
"""The size that the packs' detectors are evaluated at; pictures are fitted into it."""


class InsightFaceEngine(FaceEngine):
    """SCRFD and ArcFace of one pack, as ``insightface.app.FaceAnalysis`` loads them.

    root: the folder that has ``models/<pack>``.
    """

    calibration = calibrated.ARCFACE

    def __init__(self, root: Path, pack: str, files: Sequence[Path]) -> None:
        analysis = _analysis(root, pack)
        self._detector = analysis.models["detection"]
        self._recognizer = analysis.models["recognition"]
        dimension = self._recognizer.output_shape[-1]
        self.identity = EngineIdentity(engine_name(pack), combined_checksum(*files), dimension)

    def _detect(self, image: Pixels) -> list[Detection]:
        boxes, points = self._detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return [_detection(box, five) for box, five in zip(boxes, points, strict=True)]

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return align_face(image, detection.landmarks)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        bgr = [cv2.cvtColor(chip, cv2.COLOR_RGB2BGR) for chip in chips]
        parts = [self._recognizer.get_feat(bgr[i : i + MAX_BATCH]) for i in range(0, len(bgr), MAX_BATCH)]
        return np.concatenate(parts)


def _analysis(root: Path, pack: str) -> Any:
    # It prints what it does; standard output belongs to our results.
    with contextlib.redirect_stdout(sys.stderr):
        from insightface.app import FaceAnalysis

        analysis = FaceAnalysis(
            name=pack,
            root=str(root),
            allowed_modules=["detection", "recognition"],
            providers=PROVIDERS,
            sess_options=session_options(),
        )
        # A negative context is the processor; anything else is the number of a graphics card.
        analysis.prepare(ctx_id=-1, det_thresh=SCORE_THRESHOLD, det_size=DETECTION_SIZE)
    return analysis


def _detection(box: FloatArray, points: FloatArray) -> Detection:
    """``box``: left, top, right, bottom, score; ``points``: five times x and y, in our order."""
    left, top, right, bottom, score = map(float, box)
    landmarks = tuple((float(x), float(y)) for x, y in points)
    return Detection(Box(left, top, right - left, bottom - top), landmarks, min(max(score, 0.0), 1.0))
