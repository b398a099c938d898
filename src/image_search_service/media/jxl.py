"""Reads JPEG XL, by libjxl through ``pylibjxl``. Where that has no wheel such files wait.

libjxl brings the picture upright itself.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from PIL import Image

from image_search_service.core.errors import MediaError, MediaUnavailableError
from image_search_service.media.memory import BYTES_OF_JXL, Allowance

PROBED = 2**16
"""Bytes that have the size; a long description before it may take more."""
LARGEST_FOR_XMP = 200_000_000
"""Pixels of a picture that is decoded for its XMP."""
_CODESTREAM = b"\xff\x0a"
_CONTAINER = b"\x00\x00\x00\x0cJXL \r\n\x87\n"


def decoder_name() -> str:
    """The decoder and its version, as part of what could not read a content."""
    try:
        return f"pylibjxl {version('pylibjxl')}"
    except PackageNotFoundError:
        return "no pylibjxl"


def is_jxl(head: bytes) -> bool:
    """Whether a file that begins with these 12 bytes is JPEG XL."""
    return head.startswith((_CODESTREAM, _CONTAINER))


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height of the upright picture; nothing is decoded. Raises MediaError."""
    probe = _library().probe
    try:
        info = probe(content[:PROBED])
    except (RuntimeError, ValueError):
        try:
            info = probe(content)
        except (RuntimeError, ValueError) as error:
            raise MediaError("The file is damaged.") from error
    return int(info["width"]), int(info["height"])


def decode(content: bytes) -> tuple[Image.Image, Image.Exif]:
    """The upright picture and its EXIF. Check ``size_of`` before. Raises MediaError."""
    try:
        pixels, metadata = _library().decode(content, metadata=True)
    except (RuntimeError, ValueError) as error:
        raise MediaError("The file is damaged, or its end is missing.") from error
    exif = Image.Exif()
    if metadata.get("exif"):
        exif.load(metadata["exif"])
    return _image(pixels), exif


def _image(pixels: np.ndarray[Any, np.dtype[Any]]) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(pixels))


def xmp_of(content: bytes) -> bytes | None:
    """The XMP of a file, None without. Where it is packed libjxl has to unpack it, which decodes the picture.
    Raises MediaError."""
    for kind, box in _boxes(content):
        if kind == b"xml ":
            return box
        if kind == b"brob" and box.startswith(b"xml "):
            return _packed_xmp(content)
    return None


def _packed_xmp(content: bytes) -> bytes | None:
    try:
        with Allowance(LARGEST_FOR_XMP) as allowance:
            allowance.take(*size_of(content), BYTES_OF_JXL, len(content))
            metadata = _library().decode(content, metadata=True)[1]
    except MediaUnavailableError:  # too large
        return None
    except (RuntimeError, ValueError) as error:
        raise MediaError("The file is damaged, or its end is missing.") from error
    packet = metadata.get("xmp")
    return bytes(packet) if packet else None


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of a container's boxes (ISO/IEC 18181-2)."""
    at = 0
    while content.startswith(_CONTAINER) and at + 8 <= len(content):
        size, kind = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, at + 8)
            head = 16
        end = len(content) if size == 0 else at + size
        if end < at + head:
            return
        yield kind, content[at + head : end]
        at = end


def _library() -> Any:
    try:
        import pylibjxl
    except ImportError as error:
        raise MediaUnavailableError(
            "JPEG XL needs the package pylibjxl.", hint="pip install pylibjxl, where it has a wheel."
        ) from error
    return pylibjxl
