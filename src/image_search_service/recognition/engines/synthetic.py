"""The engine ``synthetic``: finds and recognises the people whom ``image_search_service.demo`` draws.

It behaves as a real engine does (boxes, landmarks, chips, unit vectors with same-person similarities that
scatter, relatives who resemble each other, bad pictures that are hard) but needs no model and a fraction
of the time, for the demo, for load tests and for tests. It finds nothing in photographs of real people.

A face is found by its scarf (see ``synthetic_code``): a dark frame of the right proportions on a light
ground whose cells pass a 32-bit checksum. The frame must be level, some 45 pixels wide, and not too dark.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import asdict

import cv2
import numpy as np
import numpy.typing as npt

from image_search_service.core.types import Box, EngineIdentity, FloatArray, Pixels
from image_search_service.recognition.engines import synthetic_code as marker
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.recognition.engines.calibration import Calibration, Record
from image_search_service.recognition.engines.synthetic_code import FaceCode
from image_search_service.recognition.engines.synthetic_vectors import (
    DIMENSION,
    face_vectors,
    stranger_vectors,
)
from image_search_service.recognition.thresholds import Thresholds

_Gray = npt.NDArray[np.uint8]
"""Luminance, ``(height, width)``."""

_VERSION = "synthetic 1"

_DARK = 105
"""Luminance below which a pixel counts as dark ink: between ink (about 30) and ground (about 230),
nearer to the ink, so that a picture may lose more than half of its light before it cannot be read."""
_MIN_FRAME = 40
_MIN_CONTRAST = 40.0
_RATIO = marker.FRAME_WIDTH / marker.FRAME_HEIGHT

CHIP_CELLS, CHIP_SCALE = 36, 4
CHIP_SIZE = CHIP_CELLS * CHIP_SCALE
_CHIP_LEFT, _CHIP_TOP = marker.FRAME_WIDTH / 2 - CHIP_CELLS / 2, marker.FRAME_HEIGHT + 1.5 - CHIP_CELLS
_CHIP_FRAMES = [
    Box(x - _CHIP_LEFT, y - _CHIP_TOP, marker.FRAME_WIDTH, marker.FRAME_HEIGHT).scaled(CHIP_SCALE)
    for x, y in ((0, 0), (0, -0.35), (0, 0.35), (-0.35, 0), (0.35, 0))
]


def _grid(columns: range, rows: range) -> tuple[FloatArray, FloatArray]:
    """Centres of cells, in cells, row by row."""
    x, y = np.meshgrid(np.array(columns) + 0.5, np.array(rows) + 0.5)
    return x.ravel().astype(np.float32), y.ravel().astype(np.float32)


_INNER = _grid(range(1, marker.FRAME_WIDTH - 1), range(1, marker.FRAME_HEIGHT - 1))
_LONG_DARK = _grid(range(marker.FRAME_WIDTH), range(0, marker.FRAME_HEIGHT, marker.FRAME_HEIGHT - 1))
_LONG_LIGHT = _grid(range(marker.FRAME_WIDTH), range(-1, marker.FRAME_HEIGHT + 1, marker.FRAME_HEIGHT + 1))
_SAMPLES = tuple(np.concatenate(parts) for parts in zip(_INNER, _LONG_DARK, _LONG_LIGHT, strict=True))
_N_INNER, _N_DARK = _INNER[0].size, _LONG_DARK[0].size


class SyntheticEngine(FaceEngine):
    """Reads drawn faces. Safe to call from several threads: it keeps no state."""

    identity = EngineIdentity("synthetic", hashlib.sha256(_VERSION.encode()).hexdigest(), DIMENSION)
    # The quantiles that ``Thresholds`` names, over the embeddings of three albums of 2,000 faces (seeds 1
    # to 3, strangers left out), families included: relatives are what makes them as high as they are.
    # tests/unit/faces/engines/test_synthetic.py computes them again.
    thresholds = Thresholds(same_person=0.493, assign=0.584, suggest=0.4, neighbour=0.574, baseline=0.012)
    # What cannot be read of a drawn face resembles nobody by itself, so that no rule is needed.
    calibration = Calibration(
        thresholds,
        records={
            "thresholds": Record(
                "pytest tests/unit/recognition/engines/test_synthetic.py",
                "three albums of 2,000 drawn faces",
                asdict(thresholds),
            )
        },
    )

    def _detect(self, image: Pixels) -> list[Detection]:
        gray = _gray(image)
        detections = (_find(gray, frame) for frame in _frames(gray))
        return [face for face in detections if face is not None]

    def _align(self, image: Pixels, detection: Detection) -> Pixels:
        """The square of 36 × 36 cells that holds face and scarf, 4 pixels a cell."""
        cell = detection.box.width / marker.FACE_WIDTH
        left = detection.box.x + (_CHIP_LEFT - marker.FACE_LEFT) * cell
        top = detection.box.y + (_CHIP_TOP - marker.FACE_TOP) * cell
        return _crop(image, left, top, CHIP_CELLS * cell)

    def _embed(self, chips: Sequence[Pixels]) -> FloatArray:
        codes = [_read_chip(chip) for chip in chips]
        vectors = stranger_vectors([zlib.crc32(chip.tobytes()) for chip in chips])
        known = [i for i, code in enumerate(codes) if code is not None]
        vectors[known] = face_vectors([code for code in codes if code is not None])
        return vectors


def _frames(gray: _Gray) -> list[Box]:
    """Dark connected areas that have a frame's proportions."""
    dark = cv2.threshold(gray, _DARK, 255, cv2.THRESH_BINARY_INV)[1]
    # Outlines of holes have a parent; they are the inner edges of areas whose outer edges are listed too.
    outlines, tree = cv2.findContours(dark, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    parents = tree[0, :, 3] if outlines else ()
    boxes = (
        cv2.boundingRect(outline) for outline, parent in zip(outlines, parents, strict=True) if parent < 0
    )
    return [Box(*map(float, box)) for box in boxes if _is_frame(box[2], box[3])]


def _is_frame(width: int, height: int) -> bool:
    return width >= _MIN_FRAME and abs(width / height / _RATIO - 1) < 0.2


def _find(gray: _Gray, frame: Box) -> Detection | None:
    """The face that wears ``frame``, if that is a code."""
    for attempt in (frame, *_nudged(frame)):
        code, contrast = _read(gray, attempt)
        if code is not None:
            return _detection(attempt, code, contrast)
        if contrast < _MIN_CONTRAST:
            return None
    return None


def _nudged(frame: Box) -> list[Box]:
    """Where a small frame may lie exactly: its height follows from its width, its edges are soft."""
    height = frame.width / _RATIO
    top = frame.y + (frame.height - height) / 2
    return [Box(frame.x, top + shift, frame.width, height) for shift in (0.0, -0.5, 0.5)]


def _read(gray: _Gray, frame: Box) -> tuple[FaceCode | None, float]:
    """The code in ``frame``, or None, and the contrast of its ink, 0 to 255."""
    x = frame.x + _SAMPLES[0] * (frame.width / marker.FRAME_WIDTH) - 0.5
    y = frame.y + _SAMPLES[1] * (frame.height / marker.FRAME_HEIGHT) - 0.5
    values = cv2.remap(gray, x[None], y[None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]
    return _decode(values.astype(np.float32))


def _decode(values: FloatArray) -> tuple[FaceCode | None, float]:
    """``values``: luminance of the inner cells, then of the frame's and the ground's long sides."""
    inner, dark, light = np.split(values, (_N_INNER, _N_INNER + _N_DARK))
    ink, ground = float(dark.mean()), float(light.mean())
    contrast = ground - ink
    if contrast < _MIN_CONTRAST:
        return None, contrast
    return marker.decode(inner < (ink + ground) / 2), contrast


def _detection(frame: Box, code: FaceCode, contrast: float) -> Detection:
    """Where the face is, given its scarf's frame."""
    # The width tells a cell's size better than the height does: a pixel more or less matters less.
    cell = frame.width / marker.FRAME_WIDTH
    top = frame.y + (frame.height - cell * marker.FRAME_HEIGHT) / 2
    box = Box(
        frame.x + marker.FACE_LEFT * cell,
        top + marker.FACE_TOP * cell,
        marker.FACE_WIDTH * cell,
        marker.FACE_HEIGHT * cell,
    )
    points = tuple((frame.x + x * cell, top + y * cell) for x, y in marker.landmarks(code.yaw, code.tilt))
    confidence = min(1.0, contrast / 150) * (1 - 0.02 * code.blur - 0.02 * abs(code.yaw))
    return Detection(box, points, round(confidence, 4))


def _crop(image: Pixels, left: float, top: float, side: float) -> Pixels:
    """A square of the image as a chip, with anti-aliasing; beyond the image's edge the edge is repeated."""
    height, width = image.shape[:2]
    shrink = max(1, int(side / CHIP_SIZE))
    x0, y0 = max(min(int(left), width - shrink), 0), max(min(int(top), height - shrink), 0)
    reach = side + 2 * shrink
    inside = image[y0 : max(y0 + shrink, int(top + reach)), x0 : max(x0 + shrink, int(left + reach))]
    if shrink > 1:  # bilinear sampling alone would skip pixels; whole multiples are averaged fast
        rows, columns = inside.shape[0] // shrink, inside.shape[1] // shrink
        inside = inside[: rows * shrink, : columns * shrink]
        inside = np.asarray(cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    step = side / CHIP_SIZE / shrink
    offset = [(at + side / CHIP_SIZE / 2) / shrink - 0.5 for at in (left - x0, top - y0)]
    chip = cv2.warpAffine(
        inside,
        np.array([[step, 0, offset[0]], [0, step, offset[1]]]),
        (CHIP_SIZE, CHIP_SIZE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(chip, dtype=np.uint8)


def _read_chip(chip: Pixels) -> FaceCode | None:
    """The code in a chip. That of a small face may lie some pixels beside its place."""
    if chip.shape != (CHIP_SIZE, CHIP_SIZE, 3):
        return None
    gray = _gray(chip)
    attempts = (_read(gray, frame)[0] for frame in _CHIP_FRAMES)
    return next((code for code in attempts if code is not None), None)


def _gray(image: Pixels) -> _Gray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
