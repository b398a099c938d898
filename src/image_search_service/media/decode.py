"""Decodes a photo file to upright RGB pixels."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
import PIL
import pillow_heif
from PIL import AvifImagePlugin, ExifTags, Image, UnidentifiedImageError

from image_search_service import __version__
from image_search_service.core.errors import MediaError
from image_search_service.core.types import Pixels
from image_search_service.media import jxl, raw
from image_search_service.media.errors import DAMAGE, may_pass, media_errors
from image_search_service.media.exif import UPRIGHT, read_orientation, read_taken_at, taken_at
from image_search_service.media.formats import PILLOW_FORMATS
from image_search_service.media.heads import require_few_scans, require_modest_head
from image_search_service.media.memory import BYTES_OF_JXL, BYTES_OF_RAW, Allowance, bytes_per_pixel
from image_search_service.media.mending import (
    OddTiff,
    decode_odd_tiff,
    is_cut_off,
    mended,
    read_odd_tiff,
    require_most_rows,
)
from image_search_service.media.pixels import rgb, upright

# Photos are decoded many at a time, one thread each; a decoder with threads of its own would only get in
# the way. Done once, when this module is imported, and so by one thread.
pillow_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

DECODER = (
    f"image-search-service {__version__}, Pillow {PIL.__version__}, pillow-heif {pillow_heif.__version__}, "
    f"{jxl.decoder_name()}, {raw.decoder_name()}"
)
"""What decodes photos here. A content that one of another version could not read is tried again."""

_NO_PIXELS: Pixels = np.empty((0, 0, 3), dtype=np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedPhoto:
    """A decoded photo.

    pixels: ``(height, width, 3)`` uint8 RGB, upright, contiguous, read-only.
    width, height: of the upright photo, in pixels.
    format: ``JPEG``, ``PNG``, ``WEBP``, ``TIFF``, ``GIF``, ``HEIF``, ``AVIF`` or ``JXL`` by its content; or
        ``RAW``.
    taken_at: by the camera's clock: local time at that place, without a zone; None if not known.
    orientation: EXIF's, 1 to 8, as it was before the photo was brought upright; 1 for HEIF, which libheif
        brings upright itself.
    """

    pixels: Pixels
    width: int
    height: int
    format: str
    taken_at: datetime | None
    orientation: int

    def without_pixels(self) -> DecodedPhoto:
        """A copy without its pixels, for callers that keep the other fields of many photos."""
        return replace(self, pixels=_NO_PIXELS)


def decode_photo(path: Path, *, max_pixels: int) -> DecodedPhoto:
    """The photo in a file; of a file with several pictures the first.

    Raises MediaError, with a short reason, if the file is empty, no photo, truncated, damaged, unreadable,
    vanished, or has more than ``max_pixels`` pixels, or needs too much memory, by its header (then nothing is
    decoded). It is a MediaUnavailableError if another try may succeed although the content is the same.
    """
    with decoded_photo(path, max_pixels=max_pixels) as photo:
        return photo


@contextmanager
def decoded_photo(path: Path, *, max_pixels: int) -> Iterator[DecodedPhoto]:
    """The same, with its share of memory until the block ends: for many threads that work on a photo each."""
    with Allowance(max_pixels) as allowance:
        with media_errors(), path.open("rb") as file:
            photo = _decode_by_kind(file, path, allowance)
        yield photo


def _decode_by_kind(file: BinaryIO, path: Path, allowance: Allowance) -> DecodedPhoto:
    if os.fstat(file.fileno()).st_size == 0:
        raise MediaError("The file is empty.")
    require_modest_head(file)
    if jxl.is_jxl(file.read(12)):
        return _decode_jxl(file, allowance)
    file.seek(0)
    if raw.is_raw_name(path):
        return _decode_raw(file, allowance)
    return _decode(file, allowance)


def _decode_jxl(file: BinaryIO, allowance: Allowance) -> DecodedPhoto:
    file.seek(0)
    content = file.read()
    allowance.take(*jxl.size_of(content), BYTES_OF_JXL, len(content))
    image, exif = jxl.decode(content)
    pixels = rgb(image)
    height, width = pixels.shape[:2]
    moment = taken_at({**exif, **exif.get_ifd(ExifTags.IFD.Exif)})
    return DecodedPhoto(pixels, width, height, "JXL", moment, UPRIGHT)


def _decode_raw(file: BinaryIO, allowance: Allowance) -> DecodedPhoto:
    """The preview, turned as LibRaw says unless it says itself; without a large one the raw picture at half
    its size, or a small preview where LibRaw cannot develop that."""
    with closing(raw.RawPhoto(file)) as photo:
        preview = photo.preview()
        if preview is not None and max(raw.size_of_preview(preview)) >= raw.LARGE_ENOUGH:
            return _decode_preview(preview, photo, allowance)
        allowance.take(photo.width, photo.height, BYTES_OF_RAW, os.fstat(file.fileno()).st_size)
        try:
            pixels = photo.developed()
        except MediaError:
            if preview is None:
                raise
            return _decode_preview(preview, photo, allowance)
        height, width = pixels.shape[:2]
        return DecodedPhoto(pixels, width, height, "RAW", None, photo.orientation)


def _decode_preview(preview: bytes, photo: raw.RawPhoto, allowance: Allowance) -> DecodedPhoto:
    _raise_pillows_limit(allowance.max_pixels)
    decoded = _decode_image(io.BytesIO(preview), allowance)
    if decoded.orientation == UPRIGHT and photo.orientation != UPRIGHT:
        pixels = upright(decoded.pixels, photo.orientation)
        decoded = replace(decoded, pixels=pixels, width=pixels.shape[1], height=pixels.shape[0])
    return replace(decoded, format="RAW", orientation=photo.orientation)


def _decode(file: BinaryIO, allowance: Allowance) -> DecodedPhoto:
    """By Pillow; what it refuses is tried as viewers read it (``media/mending.py``)."""
    _raise_pillows_limit(allowance.max_pixels)
    try:
        return _decode_image(file, allowance)
    except DAMAGE as error:
        if may_pass(error):
            raise
        if isinstance(error, UnidentifiedImageError) and (tiff := read_odd_tiff(file)) is not None:
            return _decode_odd_tiff(file, tiff, allowance)
        copy = mended(file)
        if copy is None:
            raise
        try:
            return _decode_image(copy, allowance, is_mended=True)
        except DAMAGE:
            if is_cut_off(file):
                raise MediaError("The file is truncated: its end is missing.") from error
            raise error from None


def _decode_odd_tiff(file: BinaryIO, tiff: OddTiff, allowance: Allowance) -> DecodedPhoto:
    # as it is stored, in eight bits, and as Pillow holds it
    per_pixel = tiff.bits_per_pixel / 8 + tiff.channels + 4
    allowance.take(tiff.width, tiff.height, per_pixel, 2 * os.fstat(file.fileno()).st_size)
    pixels = upright(rgb(decode_odd_tiff(file)), tiff.orientation)
    height, width = pixels.shape[:2]
    moment = taken_at({ExifTags.Base.DateTime: tiff.taken_at})
    return DecodedPhoto(pixels, width, height, "TIFF", moment, tiff.orientation)


def _decode_image(file: BinaryIO, allowance: Allowance, *, is_mended: bool = False) -> DecodedPhoto:
    pixels, format_, orientation, moment = _load(file, allowance, is_mended=is_mended)
    # Pillow brings a TIFF upright itself while it loads it, and no other format.
    pixels = pixels if format_ == "TIFF" else upright(pixels, orientation)
    height, width = pixels.shape[:2]
    return DecodedPhoto(pixels, width, height, format_, moment, orientation)


def _load(
    file: BinaryIO, allowance: Allowance, *, is_mended: bool
) -> tuple[Pixels, str, int, datetime | None]:
    """Pixels, format, orientation and moment. Pillow's own picture is let go."""
    with Image.open(file, formats=PILLOW_FORMATS) as image:
        allowance.take(image.width, image.height, bytes_per_pixel(image), _size_of(file))
        format_ = "JPEG" if image.format == "MPO" else str(image.format)
        if format_ == "JPEG" and image.info.get("progressive"):
            require_few_scans(file)
        # To look for EXIF in a PNG, Pillow loads it, and reading EXIF forgives whatever that raises; so the
        # pixels come first. Only a TIFF has to be asked before, since loading it turns it.
        if format_ != "TIFF":
            image.load()
        orientation, moment = read_orientation(image), read_taken_at(image)
        image.load()
        if is_mended and format_ == "JPEG":
            require_most_rows(image)
        return rgb(image), format_, orientation, moment


def _size_of(file: BinaryIO) -> int:
    place = file.tell()
    size = file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def _raise_pillows_limit(max_pixels: int) -> None:
    """Raise Pillow's own pixel limit, which holds for the whole process, to at least ``max_pixels``.

    Two threads may do this at once: each leaves the limit at least as high as it needs.
    """
    if Image.MAX_IMAGE_PIXELS is not None and max_pixels > Image.MAX_IMAGE_PIXELS:
        Image.MAX_IMAGE_PIXELS = max_pixels


def reduced(pixels: Pixels, long_side: int) -> tuple[Pixels, float]:
    """A copy whose longer side has at most ``long_side`` pixels, and its scale: 0 < factor ≤ 1.

    A photo that is small enough is returned as it is, with factor 1.0. Others are first reduced by a whole
    number, by averaging, which is fast; then, by less than a half, by interpolation. Averaging by a fraction
    takes three to six times as long.
    """
    import cv2

    height, width = pixels.shape[:2]
    factor = long_side / max(height, width)
    if factor >= 1:
        return pixels, 1.0
    size = max(1, round(width * factor)), max(1, round(height * factor))
    whole = int(1 / factor)
    if whole > 1 and min(height, width) >= whole:
        middle = width // whole, height // whole
        whole_pixels = pixels[: middle[1] * whole, : middle[0] * whole]
        pixels = cv2.resize(whole_pixels, middle, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False), factor
