"""``insightface.app`` as versions 0.7 to 2.1 have it: ``FaceAnalysis`` with its detector and recogniser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime


class FaceAnalysis:
    """Loads ``root/models/name``: the file that begins with ``det`` is the detector."""

    def __init__(self, name: str, root: str, allowed_modules: list[str], **session: Any) -> None:
        folder = Path(root) / "models" / name
        print(f"find model: {folder}")
        recognizer = next(path for path in sorted(folder.glob("*.onnx")) if not path.name.startswith("det"))
        self.models: dict[str, Any] = {
            "detection": Detector(),
            "recognition": Recognizer(recognizer, session["providers"]),
        }
        assert set(self.models) == set(allowed_modules)

    def prepare(self, ctx_id: int, det_thresh: float, det_size: tuple[int, int]) -> None:
        assert ctx_id == -1
        assert len(det_size) == 2
        self.models["detection"].threshold = det_thresh


class Detector:
    """Sees one face in the middle of every picture that is not black."""

    threshold = 1.0

    def detect(self, bgr: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        height, width = bgr.shape[:2]
        if not bgr.any() or self.threshold > 0.5:
            return np.empty((0, 5), np.float32), np.empty((0, 5, 2), np.float32)
        box = np.array([[width / 4, height / 4, width * 3 / 4, height * 3 / 4, 0.9]], np.float32)
        face = np.array([(0.4, 0.4), (0.6, 0.4), (0.5, 0.5), (0.43, 0.6), (0.57, 0.6)], np.float32)
        return box, (face * np.array([width, height], np.float32))[None]


class Recognizer:
    """Runs a recogniser of any size on 112 × 112 chips in BGR, as ``ArcFaceONNX`` does."""

    def __init__(self, path: Path, providers: list[str]) -> None:
        self._session = onnxruntime.InferenceSession(str(path), providers=providers)
        self.output_shape = self._session.get_outputs()[0].shape

    def get_feat(self, chips: list[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        batch = np.stack(chips)[..., ::-1].transpose(0, 3, 1, 2)
        return np.asarray(self._session.run(None, {"picture": (batch.astype(np.float32) - 127.5) / 127.5})[0])
