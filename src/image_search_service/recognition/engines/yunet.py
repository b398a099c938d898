"""YuNet, the face detector of the engines ``opencv`` and ``onnx``, through ``cv2.FaceDetectorYN``."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Box, FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection
from image_search_service.recognition.engines.tilt import look_again

SCORE_THRESHOLD = 0.6
"""Below this it is no face: the value that OpenCV Zoo's ``yunet.py`` uses. ``FaceDetectorYN``'s own
default, 0.9, misses small and turned faces."""

_NMS_THRESHOLD, _TOP_K = 0.3, 5000
"""OpenCV's defaults: boxes that overlap by more are one face; at most so many boxes before that."""

_log_level_lock = threading.Lock()


@contextmanager
def without_target_warning() -> Iterator[None]:
    """Load an OpenCV network without the warning that targets are not supported.

    OpenCV 5.0 prints it for every network that it loads, though nobody asked for a target
    (opencv/opencv pull request 29457 removes it). What cannot be loaded raises all the same, and errors
    are still printed.
    """
    with _log_level_lock:
        logging = cv2.utils.logging
        level = logging.getLogLevel()
        logging.setLogLevel(min(level, logging.LOG_LEVEL_ERROR))
        try:
            yield
        finally:
            logging.setLogLevel(level)


class YuNet:
    """Safe to call from several threads: each has a detector of its own, since one keeps its picture's size.

    Sets OpenCV to one thread for the whole process: photos are read by one thread per core, and threads
    within threads only get into each other's way.

    Raises InvalidInputError if ``path`` is no YuNet.
    """

    def __init__(self, path: Path) -> None:
        cv2.setNumThreads(1)
        self._path = path
        self._local = threading.local()
        try:
            self.detect(np.zeros((32, 32, 3), np.uint8))
        except cv2.error as error:
            raise InvalidInputError(
                f"{path} is not a YuNet face detector: {_reason(error)}",
                hint="Drop --detector to use the downloaded one, or give "
                "face_detection_yunet_2023mar.onnx from OpenCV Zoo.",
            ) from error

    def detect(self, image: Pixels) -> list[Detection]:
        """Faces in an RGB picture, in its pixels, in no order; tilted heads are looked at twice."""
        return [look_again(image, face, self._find) for face in self._find(image)]

    def _find(self, image: Pixels) -> list[Detection]:
        height, width = image.shape[:2]
        detector = self._detector()
        detector.setInputSize((width, height))
        _, rows = detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return [] if rows is None else [_detection(row) for row in np.asarray(rows, np.float32)]

    def _detector(self) -> cv2.FaceDetectorYN:
        detector: cv2.FaceDetectorYN | None = getattr(self._local, "detector", None)
        if detector is None:
            with without_target_warning():
                detector = cv2.FaceDetectorYN.create(
                    str(self._path), "", (32, 32), SCORE_THRESHOLD, _NMS_THRESHOLD, _TOP_K
                )
            self._local.detector = detector
        return detector


def _detection(row: FloatArray) -> Detection:
    """``row``: x, y, width, height, five times x and y in our order of landmarks, score."""
    x, y, width, height, *points, score = map(float, row)
    landmarks = tuple(zip(points[::2], points[1::2], strict=True))
    return Detection(Box(x, y, width, height), landmarks, min(max(score, 0.0), 1.0))


def _reason(error: cv2.error) -> str:
    return str(error.err or error).strip().splitlines()[0]
