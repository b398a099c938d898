"""Thumbnails and face crops: small JPEG files that can be made again when they are missing.

WebP's fastest method takes six times as long for files a third smaller: nearly as long as finding the faces.
``core/paths.py`` has their paths.
"""

from __future__ import annotations

from pathlib import Path

from image_search_service.core.errors import UnavailableError
from image_search_service.core.files import written_whole
from image_search_service.core.types import Box, Pixels
from image_search_service.media.decode import reduced

THUMBNAIL_SIDE = 320
"""Longer side of a thumbnail, in pixels; a smaller photo keeps its size."""
CROP_SIDE = 192
"""Longest side of a face crop, in pixels; a smaller face keeps its size."""
CROP_MARGIN = 0.3
"""Share of the box's longer side that is added on each side: it shows hair, ears and chin, rarely a
neighbour."""
JPEG_QUALITY = 80
PICTURE_QUALITY = 88
"""JPEG quality of pictures that fill a screen, 0 to 100."""


def write_thumbnail(pixels: Pixels, path: Path) -> None:
    """Write a thumbnail of the photo. Raises UnavailableError if the disk does not take it."""
    write_atomically(path, thumbnail(pixels))


def write_crop(pixels: Pixels, box: Box, path: Path) -> None:
    """Write a crop of the face in ``box``. Raises UnavailableError if the disk does not take it."""
    write_atomically(path, face_crop(pixels, box))


def thumbnail(pixels: Pixels) -> bytes:
    """The photo as JPEG, its longer side at most ``THUMBNAIL_SIDE``."""
    return _jpeg(reduced(pixels, THUMBNAIL_SIDE)[0])


def picture(pixels: Pixels, side: int) -> bytes:
    """The photo as JPEG for viewing, its longer side at most ``side`` pixels."""
    return _jpeg(reduced(pixels, side)[0], PICTURE_QUALITY)


def face_crop(pixels: Pixels, box: Box, side: int = CROP_SIDE) -> bytes:
    """The face with some margin as JPEG, a square where the photo is large enough for it."""
    left, top, right, bottom = crop_area(box, width=pixels.shape[1], height=pixels.shape[0])
    return _jpeg(reduced(pixels[top:bottom, left:right], side)[0])


def crop_area(box: Box, *, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in pixels, of a square around ``box``, cut off at the photo's edges.

    Never empty: for a box outside of the photo it is the nearest pixel.
    """
    half = max(box.width, box.height) * (0.5 + CROP_MARGIN)
    x, y = box.center
    left, right = _span(x, half, width)
    top, bottom = _span(y, half, height)
    return left, top, right, bottom


def _span(center: float, half: float, limit: int) -> tuple[int, int]:
    start = min(max(round(center - half), 0), limit - 1)
    return start, max(start + 1, min(round(center + half), limit))


def _jpeg(pixels: Pixels, quality: int = JPEG_QUALITY) -> bytes:
    import cv2

    _, content = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    return content.tobytes()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file or none; concurrent readers see the former one.

    It is not forced to the disk: after a power cut the file may be missing or empty, and is made again.
    Raises UnavailableError if the disk does not take it.
    """
    try:
        with written_whole(path, sync=False) as partial:
            partial.write_bytes(content)
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Make room or give access to the library's folder, then run the same command again.",
        ) from error
