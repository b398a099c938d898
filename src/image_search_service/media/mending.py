"""Reads what every viewer shows and Pillow refuses: files without their last bytes, long texts, odd TIFFs.

A file that lacks more than a little is still refused, rather than filled up with grey.
"""

from __future__ import annotations

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin

from image_search_service.core.errors import MediaError
from image_search_service.core.types import FloatArray, Pixels
from image_search_service.media.cut_off import (
    MISSING_SHARE,
    PNG_SIGNATURE,
    gif_filled_up,
    png_chunks,
    png_filled_up,
)

LARGEST = 2**28
"""Bytes of a file that is copied to be mended."""
LEAST_TAIL, LARGEST_TAIL = 64, 2**16
"""Bytes that may be missing at the end of a file: a 64th of it, within these bounds."""
LONGEST_TEXT = 2**24
"""Bytes of one text in a PNG, unpacked; longer ones are left out."""
ROWS = 16
"""Rows of a picture that are converted at once."""
_GREY = 128
"""What libjpeg fills missing parts with."""
_END_OF_JPEG = b"\xff\xd9"
_TEXTS = (b"iTXt", b"zTXt", b"tEXt")

# Editors keep their history in texts of some megabytes. Pillow's limit for all texts of a file stays.
PngImagePlugin.MAX_TEXT_CHUNK = LONGEST_TEXT


def mended(file: BinaryIO) -> BinaryIO | None:
    """A copy of the file in memory, mended; None for one that cannot be mended."""
    if os.fstat(file.fileno()).st_size > LARGEST:
        return None
    file.seek(0)
    content = file.read()
    if is_jpeg(content):
        return io.BytesIO(content + _END_OF_JPEG)
    if content.startswith(PNG_SIGNATURE):
        return io.BytesIO(png_filled_up(content, LARGEST) or _without_texts(content))
    if content.startswith(b"GIF8"):
        filled = gif_filled_up(content)
        return None if filled is None else io.BytesIO(filled)
    tail = min(max(LEAST_TAIL, len(content) // 64), LARGEST_TAIL)
    return io.BytesIO(content + bytes(tail))


def is_jpeg(content: bytes) -> bool:
    return content.startswith(b"\xff\xd8\xff")


def is_cut_off(file: BinaryIO) -> bool:
    """Whether a file says that it is longer than it is: the last box of a HEIC or AVIF, the length in a WebP,
    the place of a TIFF's first directory."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    head = file.read(16)
    if head.startswith(b"RIFF"):
        return 8 + int.from_bytes(head[4:8], "little") > size
    if head.startswith((b"II*\0", b"MM\0*")):
        return int.from_bytes(head[4:8], "little" if head.startswith(b"II") else "big") + 2 > size
    return _last_box_ends(file, size) > size


def _last_box_ends(file: BinaryIO, size: int) -> int:
    """Where the last box of a HEIC or AVIF ends, in bytes from the start; 0 for other files."""
    at = 0
    while at + 16 <= size:
        file.seek(at)
        length, kind, longer = struct.unpack(">I4sQ", file.read(16))
        if at == 0 and kind != b"ftyp":
            return 0
        if length == 1:
            length = longer
        if length < 8:  # 0: up to the end
            return 0
        at += length
    return at


def require_most_rows(image: Image.Image) -> None:
    """Raises MediaError for a mended JPEG of which more than ``MISSING_SHARE`` of the rows is missing."""
    pixels = np.asarray(image if image.mode in ("RGB", "L") else image.convert("RGB"))
    there = np.flatnonzero((pixels.reshape(len(pixels), -1) != _GREY).any(axis=1))
    rows = int(there[-1]) + 1 if len(there) else 0
    if rows < (1 - MISSING_SHARE) * len(pixels):
        raise MediaError("The file is truncated: its end is missing.")


def _without_texts(content: bytes) -> bytes:
    """A PNG without its texts."""
    kept = [chunk for kind, chunk in png_chunks(content) if kind not in _TEXTS]
    return b"".join([PNG_SIGNATURE, *kept])


@dataclass(frozen=True, slots=True)
class OddTiff:
    """What the first directory of a TIFF says. bits_per_pixel: of all channels. orientation: EXIF's, 1 to 8.
    xmp: None without."""

    width: int
    height: int
    channels: int
    bits_per_pixel: int
    orientation: int
    taken_at: str
    xmp: bytes | None


def read_odd_tiff(file: BinaryIO) -> OddTiff | None:
    """The head of a TIFF whose pixels Pillow has no mode for; None if it is no TIFF."""
    file.seek(0)
    head = file.read(8)
    if head[:4] not in (b"II*\0", b"MM\0*"):
        return None
    directory = TiffImagePlugin.ImageFileDirectory_v2(head)
    file.seek(directory.next)
    directory.load(file)
    tags = ExifTags.Base
    orientation = directory.get(tags.Orientation)
    xmp = directory.get(700)
    bits = directory.get(tags.BitsPerSample, (1,))
    channels = max(int(directory.get(tags.SamplesPerPixel, 1)), len(bits))
    return OddTiff(
        width=int(directory.get(tags.ImageWidth, 0)),
        height=int(directory.get(tags.ImageLength, 0)),
        channels=channels,
        bits_per_pixel=max(bits) * channels,
        orientation=orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1,
        taken_at=str(directory.get(tags.DateTime, "")),
        xmp=xmp if isinstance(xmp, bytes) else None,
    )


def decode_odd_tiff(file: BinaryIO) -> Image.Image:
    """Its first picture as stored, by OpenCV, which has all depths and numbers of channels.

    Check the size before: all of it is decoded. Raises MediaError.
    """
    import cv2

    file.seek(0)
    values = cv2.imdecode(_without_orientation(bytearray(file.read())), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise MediaError("The file is a TIFF of a kind that cannot be read, or is damaged.")
    pixels = _eight_bits(values)
    del values
    if pixels.ndim == 2:
        return Image.fromarray(pixels)
    if pixels.shape[2] == 4:
        return Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA))
    return Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))


def _without_orientation(content: bytearray) -> Pixels:
    """The TIFF's bytes with an orientation of 1: OpenCV turns some kinds of TIFF itself, and others not."""
    order = "<" if content.startswith(b"II") else ">"
    (start,) = struct.unpack_from(f"{order}I", content, 4)
    (entries,) = struct.unpack_from(f"{order}H", content, start)
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        if struct.unpack_from(f"{order}H", content, at)[0] == ExifTags.Base.Orientation:
            struct.pack_into(f"{order}HH", content, at + 8, 1, 0)
    return np.frombuffer(content, np.uint8)


def _eight_bits(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Pixels:
    """Floating point from 0 to 1, as programs write it, or stretched if it goes beyond; integers by their
    upper bits. Some rows at a time, since the numbers are large."""
    if values.dtype == np.uint8:
        return values.astype(np.uint8, copy=False)
    bands = [slice(top, top + ROWS) for top in range(0, len(values), ROWS)]
    pixels = np.empty(values.shape, np.uint8)
    if values.dtype.kind == "u":
        shift = np.uint64(8 * values.dtype.itemsize - 8)
        for band in bands:
            pixels[band] = values[band].astype(np.uint64) >> shift
        return pixels
    ranges = [(float(part.min()), float(part.max())) for part in (_finite(values[band]) for band in bands)]
    low, high = min([0.0, *(low for low, _ in ranges)]), max([1.0, *(high for _, high in ranges)])
    for band in bands:
        pixels[band] = (_finite(values[band]) - low) * (255.0 / (high - low))
    return pixels


def _finite(values: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> FloatArray:
    return np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
