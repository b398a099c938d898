"""Turns and scales a face to a chip of fixed size, by five landmarks, for every recogniser but dlib's."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from image_search_service.core.types import Pixels
from image_search_service.recognition.engines.base import Landmarks

Affine = npt.NDArray[np.float64]
"""``(2, 3)`` float64: source pixels to chip pixels."""

TEMPLATE_SIZE = 112
TEMPLATE: Landmarks = (
    (38.2946, 51.6963),
    (73.5318, 51.5014),
    (56.0252, 71.7366),
    (41.5493, 92.3655),
    (70.7299, 92.2041),
)
"""Where the five landmarks stand in a chip of 112 × 112. From ArcFace (InsightFace's ``arcface_dst``);
OpenCV's ``FaceRecognizerSF::alignCrop`` has the same numbers."""


def scaled_template(size: int) -> Landmarks:
    """ArcFace's template for a chip of another size."""
    factor = size / TEMPLATE_SIZE
    return tuple((x * factor, y * factor) for x, y in TEMPLATE)


def similarity_transform(landmarks: Landmarks, template: Landmarks) -> Affine:
    """The rotation, scaling and shift that brings five landmarks nearest to a template's.

    Least squares in closed form: with points as complex numbers the transform is ``z → a·z + b``. It is
    Umeyama's solution (IEEE PAMI 13(4), 1991) without the mirror image, which no face needs. The landmarks
    must not all be one point.
    """
    center, target_center = _middle(landmarks), _middle(template)
    points = [complex(x, y) - center for x, y in landmarks]
    target = [complex(x, y) - target_center for x, y in template]
    turned = sum(point.conjugate() * aim for point, aim in zip(points, target, strict=True))
    a = turned / sum(abs(point) ** 2 for point in points)
    b = target_center - a * center
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]])


def _middle(landmarks: Landmarks) -> complex:
    return sum(complex(x, y) for x, y in landmarks) / len(landmarks)


def align_face(
    image: Pixels, landmarks: Landmarks, size: int = TEMPLATE_SIZE, template: Landmarks = TEMPLATE
) -> Pixels:
    """The chip ``(size, size, 3)`` in which the landmarks lie on the template. Black beyond the photo."""
    matrix = similarity_transform(landmarks, template)
    factor = int(1 / math.hypot(matrix[0, 0], matrix[1, 0]))
    if factor >= 2:
        image, matrix = _reduced(image, matrix, size, factor)
    # cv2's types do not say that an uint8 image stays one.
    chip: Pixels = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return chip


def _reduced(image: Pixels, matrix: Affine, size: int, factor: int) -> tuple[Pixels, Affine]:
    """The part of ``image`` that the chip shows, ``factor`` times smaller, and the matrix for it.

    Bilinear sampling looks at four pixels only, so a large face would come out jagged; averaging first
    (INTER_AREA) keeps what every pixel says.
    """
    left, top, right, bottom = _visible(image, matrix, size, factor)
    if right <= left or bottom <= top:
        return image, matrix
    part = image[top:bottom, left:right]
    width, height = (right - left) // factor, (bottom - top) // factor
    small: Pixels = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    # The middle of the first pixel of `small` lies (factor − 1) / 2 pixels into `part`.
    rotation = matrix[:, :2]
    offset = np.array([left, top]) + (factor - 1) / 2
    return small, np.column_stack([rotation * factor, rotation @ offset + matrix[:, 2]])


def _visible(image: Pixels, matrix: Affine, size: int, factor: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what the chip shows of ``image``; sides are multiples of ``factor``."""
    back = cv2.invertAffineTransform(matrix)
    corners = np.array([(0, 0, 1), (size, 0, 1), (0, size, 1), (size, size, 1)]) @ back.T
    height, width = image.shape[:2]
    left, top = np.clip(np.floor(corners.min(axis=0)).astype(int) - factor, 0, (width, height))
    right, bottom = np.clip(np.ceil(corners.max(axis=0)).astype(int) + factor, 0, (width, height))
    right -= (right - left) % factor
    bottom -= (bottom - top) % factor
    return int(left), int(top), int(right), int(bottom)
