"""Turns what decoders give into upright RGB, some rows at a time: only the decoded picture and the result are
whole in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from PIL import Image

from image_search_service.core.types import Pixels

BAND: Final = 2**18
"""Pixels that are converted at once."""
SIXTEEN_BIT: Final = ("I;16", "I;16L", "I;16B", "I;16N")

_Values = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def rgb(image: Image.Image) -> Pixels:
    """``(h, w, 3)`` uint8, as it is stored. Transparent pixels become white."""
    low, high = _range(image) if image.mode in ("I", "F") else (0.0, 0.0)
    pixels = np.empty((image.height, image.width, 3), np.uint8)
    for top, band in _bands(image):
        pixels[top : top + band.height] = _stretched(band, low, high) if high > low else _converted(band)
    return pixels


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The picture as it is shown. orientation: EXIF's, 1 to 8 (CIPA DC-008, tag 0x0112)."""
    import cv2

    match orientation:
        case 2:
            turned = cv2.flip(pixels, 1)
        case 3:
            turned = cv2.rotate(pixels, cv2.ROTATE_180)
        case 4:
            turned = cv2.flip(pixels, 0)
        case 5:
            turned = cv2.transpose(pixels)
        case 6:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)
        case 7:
            turned = cv2.flip(cv2.transpose(pixels), -1)
        case 8:
            turned = cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE)
        case _:
            return pixels
    return turned.astype(np.uint8, copy=False)


def _bands(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    """The image in parts of whole rows, each with the number of its first row."""
    rows = max(1, BAND // image.width)
    for top in range(0, image.height, rows):
        yield top, image.crop((0, top, image.width, min(top + rows, image.height)))


def _converted(band: Image.Image) -> Pixels:
    if band.mode in SIXTEEN_BIT:
        return _grey(np.asarray(band) >> 8)
    if band.mode in ("I", "F"):  # all of one value
        return np.zeros((band.height, band.width, 3), np.uint8)
    if band.has_transparency_data:
        band = band.convert("RGBA")
        band = Image.alpha_composite(Image.new("RGBA", band.size, "white"), band)
    return np.asarray(band if band.mode == "RGB" else band.convert("RGB"))


def _range(image: Image.Image) -> tuple[float, float]:
    """The least and the greatest finite value of a grey picture."""
    ranges = []
    for _, band in _bands(image):
        values = _finite(band)
        ranges.append((float(values.min()), float(values.max())))
    return min(low for low, _ in ranges), max(high for _, high in ranges)


def _stretched(band: Image.Image, low: float, high: float) -> Pixels:
    """Grey values of unknown range, as scanners and instruments write them, as 0 to 255."""
    return _grey((_finite(band) - low) * (255.0 / (high - low)))


def _finite(band: Image.Image) -> _Values:
    return np.nan_to_num(np.asarray(band, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)


def _grey(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Pixels:
    return np.repeat(values.astype(np.uint8)[:, :, np.newaxis], 3, axis=2)
