"""The engine ``opencv``: YuNet and SFace, both through OpenCV. The default where models can be had."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines import calibrated
from image_search_service.recognition.engines.alignment import TEMPLATE_SIZE, align_face
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.model_store import combined_checksum
from image_search_service.recognition.engines.network_pool import NetworkPool
from image_search_service.recognition.engines.yunet import YuNet, without_target_warning


class OpenCvEngine(FaceEngine):
    """Detects with YuNet, embeds with SFace (Zhong et al., IEEE TIP 30, 2021).

    Raises InvalidInputError if one of the files cannot be loaded.
    """

    calibration = calibrated.SFACE

    def __init__(self, detector: Path, recognizer: Path) -> None:
        self._detector = YuNet(detector)
        self._recognizer = SFace(recognizer)
        self.identity = EngineIdentity(
            "opencv", combined_checksum(detector, recognizer), self._recognizer.dimension
        )

    def _detect(self, image: Pixels) -> list[Detection]:
        return self._detector.detect(image)

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return align_face(image, detection.landmarks)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        return np.stack([self._recognizer.embed(chip) for chip in chips])

    def release(self) -> None:
        self._recognizer.release()


class SFace:
    """Safe to call from several threads: OpenCV's networks keep their state, so that each is lent to one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._networks = NetworkPool(self._load)
            self.dimension = self.embed(np.zeros((TEMPLATE_SIZE, TEMPLATE_SIZE, 3), np.uint8)).size
        except cv2.error as error:
            raise InvalidInputError(
                f"{path} is not an SFace recogniser: {error.err or error}",
                hint="Run `image-search models check`, then `image-search models pull opencv`.",
            ) from error

    def embed(self, chip: Pixels) -> FloatArray:
        """``(d,)`` float32, not normalised, of an aligned RGB chip."""
        with self._networks.borrowed() as network:
            feature = network.feature(cv2.cvtColor(chip, cv2.COLOR_RGB2BGR))
        return np.asarray(feature, np.float32).reshape(-1)

    def release(self) -> None:
        """Keep one network only."""
        self._networks.release()

    def _load(self) -> cv2.FaceRecognizerSF:
        with without_target_warning():
            return cv2.FaceRecognizerSF.create(str(self._path), "")
