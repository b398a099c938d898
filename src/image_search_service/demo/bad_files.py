"""Files that look like pictures and are none: every real library has some. Each has its reason."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cache

from PIL import Image

from image_search_service.demo.darkroom import encode
from image_search_service.demo.scenes import draw_scene

_ENORMOUS = 24_000


def bad_files() -> Iterator[tuple[str, bytes, str]]:
    """Path below the library, content, and what is wrong with it."""
    jpeg = encode(draw_scene("garden", (640, 480), 0), "JPEG")
    yield "defekt/empty.jpg", b"", "empty file"
    yield "defekt/truncated.jpg", jpeg[: len(jpeg) * 2 // 5], "truncated JPEG"
    yield "defekt/letter.jpg", b"Liebe Oma,\nanbei die Bilder.\n", "text named .jpg"
    yield "defekt/damaged.png", _damaged_png(), "PNG with damaged data"
    yield "defekt/enormous.png", _enormous_png(), f"{_ENORMOUS**2 // 10**6} megapixels in a few kilobytes"


def _damaged_png() -> bytes:
    png = bytearray(encode(Image.effect_mandelbrot((64, 64), (-2.0, -1.5, 1.0, 1.5), 50), "PNG"))
    middle = len(png) // 2
    png[middle : middle + 40] = bytes(40)
    return bytes(png)


@cache  # packing takes as long as drawing five pictures
def _enormous_png() -> bytes:
    """A white square of one bit a pixel, packed row by row: only who decodes it needs the memory."""
    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * (_ENORMOUS // 8)
    data = b"".join(packer.compress(row) for _ in range(_ENORMOUS)) + packer.flush()
    header = struct.pack(">IIBBBBB", _ENORMOUS, _ENORMOUS, 1, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", data), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
