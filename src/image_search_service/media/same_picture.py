"""Finds a picture in another one: what an edit made of a photo, however it was cropped, turned or resized."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from image_search_service.core.types import Box, FloatArray, Pixels

SIDE = 320
"""Longer side, in pixels, at which pictures are compared; smaller ones are enlarged."""
FEATURES = 400
SAME_POINTS = 20
"""Least number of points that two pictures must have in common, in one arrangement. Each of 832 edits of 64
photos (crops, borders, mirrored, turned, half size, grey, brighter, JPEG of quality 40) has 54 or more in
common with its photo; of 2,016 pairs of other photos none has more than 6. Photos of one moment may reach
it."""
RATIO = 0.8
"""A point's best match counts if the second best is this much worse (Lowe 2004)."""
REPROJECTION = 4.0
"""Pixels of ``SIDE`` by which a point may lie beside its place."""
UNCHANGED = 4.0
"""Mean difference of brightness, of 255, up to which pictures of one size are one, encoded again."""
MOST_SQUEEZED = 2.0
"""How many times more a picture may be stretched in one direction than in the other."""


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a picture lies in another one.

    matrix: ``(2, 3)``, from a point in shares of the one, 0 to 1, to a point in shares of the other.
    """

    matrix: FloatArray

    def place(self, box: Box) -> Box:
        """Where a box of the one picture lies in the other, both in shares: its four corners' bounds."""
        xs, ys = (box.x, box.x + box.width), (box.y, box.y + box.height)
        corners = np.array([(x, y, 1.0) for x in xs for y in ys]) @ self.matrix.T
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return Box(float(left), float(top), float(right - left), float(bottom - top))


IDENTITY = Placement(np.array([[1, 0, 0], [0, 1, 0]], dtype=np.float32))


def find_placement(former: Path, present: Path) -> tuple[bool, Placement | None]:
    """Whether both files can be read, and where the former picture lies in the present one; None: nowhere."""
    try:
        first, second = former.read_bytes(), present.read_bytes()
    except OSError:
        return False, None
    if first == second:
        return True, IDENTITY
    a, b = _grey(first), _grey(second)
    if a is None or b is None:
        return False, None
    return True, placement_of(a, b)


def placement_of(former: Pixels, present: Pixels) -> Placement | None:
    """The same for two grey pictures ``(height, width)``."""
    if former.shape == present.shape:
        difference = np.abs(former.astype(np.int16) - present.astype(np.int16))
        if float(difference.mean()) <= UNCHANGED:
            return IDENTITY
    first = _Features(former)
    return first.placement(_Features(present)) or first.placement(_Features(present, mirrored=True))


def _grey(content: bytes) -> Pixels | None:
    import cv2

    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    return None if pixels is None else pixels.astype(np.uint8, copy=False)


class _Features:
    """A picture's distinct points, in shares of it, with their descriptions (RootSIFT)."""

    def __init__(self, pixels: Pixels, *, mirrored: bool = False) -> None:
        import cv2

        self.height, self.width = pixels.shape[:2]
        scale = SIDE / max(self.height, self.width)
        size = max(1, round(self.width * scale)), max(1, round(self.height * scale))
        scaled = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
        if mirrored:
            scaled = np.ascontiguousarray(scaled[:, ::-1])
        sift = cv2.SIFT.create(nfeatures=FEATURES, contrastThreshold=0.02)
        points, found = sift.detectAndCompute(scaled, None)
        self.size = size
        self.mirrored = mirrored
        self.points = np.array([point.pt for point in points], np.float32).reshape(-1, 2)
        described = np.empty((0, 128), np.float32) if found is None else np.asarray(found, np.float32)
        self.described = np.sqrt(described / (described.sum(axis=1, keepdims=True) + 1e-9))

    def placement(self, other: _Features) -> Placement | None:
        import cv2

        pairs = self._pairs(other)
        if len(pairs) < SAME_POINTS:
            return None
        source, target = self.points[pairs[:, 0]], other.points[pairs[:, 1]]
        matrix, inliers = cv2.estimateAffine2D(
            source, target, method=cv2.RANSAC, ransacReprojThreshold=REPROJECTION
        )
        if matrix is None:
            return None
        common = np.unique(np.round(target[inliers.ravel() == 1]), axis=0)
        return self._in_shares(other, matrix) if len(common) >= SAME_POINTS else None

    def _pairs(self, other: _Features) -> FloatArray:
        """Rows of points of both pictures that are alike and like no others."""
        if len(self.described) < 2 or len(other.described) < 2:
            return np.empty((0, 2), np.int64)
        likeness = self.described @ other.described.T
        best = likeness.argmax(axis=1)
        rows = np.arange(len(best))
        nearest = likeness[rows, best]
        likeness[rows, best] = -1
        second = likeness.max(axis=1)
        # of vectors of unit length: distance² = 2 − 2 × product
        clear = (1 - nearest) < RATIO**2 * (1 - second)
        return np.stack([rows[clear], best[clear]], axis=1)

    def _in_shares(self, other: _Features, matrix: FloatArray) -> Placement | None:
        whole = np.vstack([matrix, [0, 0, 1]])
        if other.mirrored:
            whole = np.array([[-1, 0, other.size[0]], [0, 1, 0], [0, 0, 1]]) @ whole
        sizes = np.linalg.svd(whole[:2, :2], compute_uv=False)
        if sizes[1] <= 0 or sizes[0] / sizes[1] > MOST_SQUEEZED:
            return None
        into = np.diag([1 / other.size[0], 1 / other.size[1], 1])
        return Placement((into @ whole @ np.diag([*self.size, 1]))[:2].astype(np.float32))
