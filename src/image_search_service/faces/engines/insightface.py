"""The engine ``insightface``: the packs of the package ``insightface`` (extra ``[insightface]``).

The package is free software; its weights are for non-commercial research only, so nothing is downloaded or
opened before the user has accepted that (``image-search models pull insightface --accept-licence``).
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from image_search_service.core.errors import ConflictError, InvalidInputError, UnavailableError
from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.faces.engines import calibrated
from image_search_service.faces.engines.alignment import align_face
from image_search_service.faces.engines.base import Detection, FaceEngine
from image_search_service.faces.engines.known_models import (
    DEFAULT_PACK,
    INSIGHTFACE_LICENCE,
    INSIGHTFACE_PACKS,
)
from image_search_service.faces.engines.model_store import ModelArchive, ModelStore, Watch, combined_checksum
from image_search_service.faces.engines.sessions import MAX_BATCH

SCORE_THRESHOLD = 0.5
"""``FaceAnalysis.prepare``'s default."""
DETECTION_SIZE = (640, 640)
"""The size that the packs' detectors are evaluated at; pictures are fitted into it."""

ACCEPTED = "LICENCE-ACCEPTED"
"""Name of the file in the models folder that says so."""


class InsightFaceEngine(FaceEngine):
    """SCRFD and ArcFace of one pack, as ``insightface.app.FaceAnalysis`` loads them.

    root: the folder that has ``models/<pack>``.
    """

    thresholds = calibrated.ARCFACE

    def __init__(self, root: Path, pack: str, files: Sequence[Path]) -> None:
        analysis = _analysis(root, pack)
        self._detector = analysis.models["detection"]
        self._recognizer = analysis.models["recognition"]
        dimension = self._recognizer.output_shape[-1]
        name = "insightface" if pack == DEFAULT_PACK else f"insightface:{pack}"
        self.identity = EngineIdentity(name, combined_checksum(*files), dimension)

    def _detect(self, image: Pixels) -> list[Detection]:
        boxes, points = self._detector.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return [_detection(box, five) for box, five in zip(boxes, points, strict=True)]

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        return align_face(image, detection.landmarks)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        bgr = [cv2.cvtColor(chip, cv2.COLOR_RGB2BGR) for chip in chips]
        parts = [self._recognizer.get_feat(bgr[i : i + MAX_BATCH]) for i in range(0, len(bgr), MAX_BATCH)]
        return np.concatenate(parts)


def open_pack(store: ModelStore, pack: str) -> InsightFaceEngine:
    """The engine with one of the known packs, which has been pulled before.

    Raises InvalidInputError (no such pack), UnavailableError (package or files missing), ConflictError
    (licence not accepted), DataIntegrityError (damaged file).
    """
    archive = known_pack(pack)
    _require_package()
    if not licence_accepted(store):
        raise _not_accepted(pack)
    files = [store.require(file, None) for file in archive.files]
    return InsightFaceEngine(store.folder / "insightface", pack, files)


def pull_pack(store: ModelStore, pack: str, watch: Watch, *, accept_licence: bool) -> list[Path]:
    """Download a pack, once its licence is accepted; remembers that it was.

    Raises InvalidInputError (no such pack), ConflictError (licence not accepted), UnavailableError.
    """
    archive = known_pack(pack)
    if accept_licence:
        marker = _marker(store)
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(f"{INSIGHTFACE_LICENCE.name}: {INSIGHTFACE_LICENCE.url}\n", encoding="utf-8")
    if not licence_accepted(store):
        raise _not_accepted(pack)
    return store.pull_archive(archive, watch)


def known_pack(pack: str) -> ModelArchive:
    """Raises InvalidInputError for a name that is not known."""
    if pack not in INSIGHTFACE_PACKS:
        raise InvalidInputError(
            f"There is no pack {pack!r}.", hint=f"The packs are {', '.join(INSIGHTFACE_PACKS)}."
        )
    return INSIGHTFACE_PACKS[pack]


def licence_accepted(store: ModelStore) -> bool:
    """Whether the user has accepted the terms of InsightFace's weights."""
    return _marker(store).is_file()


def installed() -> bool:
    """Whether the package ``insightface`` is there."""
    return importlib.util.find_spec("insightface") is not None


def _marker(store: ModelStore) -> Path:
    return store.folder / "insightface" / ACCEPTED


def _not_accepted(pack: str) -> ConflictError:
    wanted = "insightface" if pack == DEFAULT_PACK else f"insightface:{pack}"
    return ConflictError(
        f"InsightFace's weights are for {INSIGHTFACE_LICENCE.name}, and you have not accepted that.",
        hint=f"Read {INSIGHTFACE_LICENCE.url}; if it suits you: "
        f"image-search models pull {wanted} --accept-licence",
    )


def _require_package() -> None:
    if not installed():
        raise UnavailableError(
            "The package insightface is not installed.",
            hint="Install it: pip install 'image-search-service[insightface]'",
        )


def _analysis(root: Path, pack: str) -> Any:
    # It prints what it does; standard output belongs to our results.
    with contextlib.redirect_stdout(sys.stderr):
        from insightface.app import FaceAnalysis

        analysis = FaceAnalysis(
            name=pack,
            root=str(root),
            allowed_modules=["detection", "recognition"],
            providers=["CPUExecutionProvider"],
        )
        # A negative context is the processor; anything else is the number of a graphics card.
        analysis.prepare(ctx_id=-1, det_thresh=SCORE_THRESHOLD, det_size=DETECTION_SIZE)
    return analysis


def _detection(box: FloatArray, points: FloatArray) -> Detection:
    """``box``: left, top, right, bottom, score; ``points``: five times x and y, in our order."""
    left, top, right, bottom, score = map(float, box)
    landmarks = tuple((float(x), float(y)) for x, y in points)
    return Detection(Box(left, top, right - left, bottom - top), landmarks, min(max(score, 0.0), 1.0))
