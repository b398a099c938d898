"""Reads cameras' raw files, by LibRaw through ``rawpy``: the preview that the camera made, or without a large
one the raw picture at half its size."""

from __future__ import annotations

import io
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

from image_search_service.core.errors import MediaError, MediaUnavailableError
from image_search_service.core.types import Pixels
from image_search_service.media.formats import RAW_SUFFIXES

LARGE_ENOUGH = 1_000
"""Longer side of a preview, in pixels, in which faces can be found."""
_ORIENTATION = {0: 1, 3: 3, 5: 8, 6: 6}
"""EXIF's orientation for each of LibRaw's turns."""


def decoder_name() -> str:
    """The decoder and its version, as part of what could not read a content."""
    try:
        return f"rawpy {version('rawpy')}"
    except PackageNotFoundError:
        return "no rawpy"


def is_raw_name(path: Path) -> bool:
    return path.suffix.lower() in RAW_SUFFIXES


class RawPhoto:
    """An open raw file. width, height: of the whole picture as it lies on the sensor. orientation: EXIF's."""

    def __init__(self, file: BinaryIO) -> None:
        """Raises MediaError."""
        self._library = _library()
        try:
            self._raw = self._library.imread(file)
        except self._library.LibRawError as error:
            raise MediaError("The file is no raw file that can be read, or is damaged.") from error
        sizes = self._raw.sizes
        self.width, self.height = int(sizes.width), int(sizes.height)
        self.orientation = _ORIENTATION.get(int(sizes.flip), 1)

    def preview(self) -> bytes | None:
        """The largest preview, as a JPEG file; None without one."""
        try:
            preview = self._raw.extract_thumb()
        except self._library.LibRawError:
            return None
        return bytes(preview.data) if preview.format == self._library.ThumbFormat.JPEG else None

    def developed(self) -> Pixels:
        """The raw picture at half its size, ``(height, width, 3)`` uint8, upright. Raises MediaError."""
        try:
            pixels: Pixels = self._raw.postprocess(half_size=True, use_camera_wb=True)
        except self._library.LibRawError as error:
            raise MediaError("The file is damaged.") from error
        return pixels

    def close(self) -> None:
        self._raw.close()


def size_of_preview(preview: bytes) -> tuple[int, int]:
    """Width and height of a JPEG file as stored, (0, 0) of what is none."""
    try:
        with Image.open(io.BytesIO(preview), formats=("JPEG",)) as image:
            return image.size
    except (OSError, ValueError, SyntaxError):
        return 0, 0


def _library() -> Any:
    try:
        import rawpy
    except ImportError as error:
        raise MediaUnavailableError(
            "Raw files need the package rawpy.", hint="pip install rawpy, where it has a wheel."
        ) from error
    return rawpy
