"""The engine ``onnx``: YuNet and any ArcFace-style recogniser in an ONNX file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines import calibrated
from image_search_service.recognition.engines.alignment import TEMPLATE_SIZE, align_face, scaled_template
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.model_store import combined_checksum
from image_search_service.recognition.engines.sessions import MAX_BATCH, open_session
from image_search_service.recognition.engines.yunet import YuNet

_MAX_DIMENSION = 4096

_ORT_ERRORS = (
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
)
_HINT = (
    "A recogniser takes one picture, N × 3 × 112 × 112 float32, and gives one embedding, N × d; ArcFace's, "
    "InsightFace's and AuraFace's ONNX files are such models."
)


class OnnxEngine(FaceEngine):
    """Detects with YuNet, aligns to ArcFace's template, embeds with the file given.

    Raises InvalidInputError if one of the files is not what it should be.
    """

    def __init__(self, detector: Path, recognizer: Path) -> None:
        self._detector = YuNet(detector)
        self._recognizer = ArcFaceModel(recognizer)
        self._template = scaled_template(self._recognizer.size)
        self.identity = EngineIdentity(
            "onnx", combined_checksum(detector, recognizer), self._recognizer.dimension
        )
        self.calibration = calibrated.engine_calibration(self.identity)

    def _detect(self, image: Pixels) -> list[Detection]:
        return self._detector.detect(image)

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return align_face(image, detection.landmarks, self._recognizer.size, self._template)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        return self._recognizer.embed(chips)


class ArcFaceModel:
    """A recogniser read from an ONNX file. Safe to call from several threads.

    size: side of the chip in pixels. dimension: numbers in an embedding.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._session = self._open()
        self._input = self._only_input()
        self.size = self._chip_size()
        self._batched = not isinstance(self._input.shape[0], int) and self._takes_two()
        self.dimension = self._probe(1).shape[1]

    def embed(self, chips: Sequence[Pixels]) -> FloatArray:
        """``(n, d)`` float32, not normalised. One call for many chips if the file allows it."""
        step = MAX_BATCH if self._batched else 1
        parts = [self._run(chips[i : i + step]) for i in range(0, len(chips), step)]
        return np.concatenate(parts)

    def _open(self) -> onnxruntime.InferenceSession:
        try:
            return open_session(self._path)
        except _ORT_ERRORS as error:
            raise self._refused(_first_line(error)) from error

    def _only_input(self) -> Any:
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4:
            shapes = ", ".join(f"{input_.type} {input_.shape}" for input_ in inputs)
            raise self._refused(f"its input is {shapes}")
        return inputs[0]

    def _chip_size(self) -> int:
        _, channels, height, width = self._input.shape
        sides = {side for side in (height, width) if isinstance(side, int)} or {TEMPLATE_SIZE}
        if (isinstance(channels, int) and channels != 3) or len(sides) != 1:
            raise self._refused(f"its input is {self._input.shape}")
        return sides.pop()

    def _takes_two(self) -> bool:
        """Some files call their batch dynamic and have a fixed one inside: try."""
        try:
            return len(self._run(self._blank(2))) == 2
        except _ORT_ERRORS:
            return False

    def _probe(self, count: int) -> FloatArray:
        try:
            output = self._run(self._blank(count))
        except _ORT_ERRORS as error:
            raise self._refused(_first_line(error)) from error
        if output.ndim != 2 or output.shape[0] != count or not 2 <= output.shape[1] <= _MAX_DIMENSION:
            raise self._refused(f"its output is {output.shape}")
        return output

    def _blank(self, count: int) -> list[Pixels]:
        return [np.full((self.size, self.size, 3), 128, np.uint8)] * count

    def _run(self, chips: Sequence[Pixels]) -> FloatArray:
        # (x − 127.5) / 127.5, RGB, channels first: InsightFace's `ArcFaceONNX`.
        batch = np.stack(chips).transpose(0, 3, 1, 2).astype(np.float32)
        batch -= 127.5
        batch /= 127.5
        output = self._session.get_outputs()[0].name
        return np.asarray(self._session.run([output], {self._input.name: batch})[0], np.float32)

    def _refused(self, reason: str) -> InvalidInputError:
        return InvalidInputError(f"{self._path} is not an ArcFace-style recogniser: {reason}.", hint=_HINT)


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0].rstrip(".")
