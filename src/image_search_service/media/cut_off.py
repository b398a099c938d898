"""Fills up PNG and GIF files that lack their last rows, as viewers show them: rows that are there, then black
or the first colour.

PNG: https://www.w3.org/TR/png-3/, chunks and filters. GIF: https://www.w3.org/Graphics/GIF/spec-gif89a.txt.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

MISSING_SHARE: Final = 0.1
"""Share of a picture's rows, or of its pixels, that may be missing."""

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Values of a pixel by the PNG's type of colour."""
_MOST_PIXEL_BITS: Final = 12
"""The longest code of GIF's LZW; a code stands for a pixel at least."""
_LONGEST_BLOCK: Final = 255


def png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The kind of each chunk, and the chunk as it stands in the file; the last one may be cut off."""
    at = len(PNG_SIGNATURE)
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        yield kind, content[at:end]
        at = end


def png_filled_up(content: bytes, most: int) -> bytes | None:
    """A PNG whose missing rows are black; None if too many are, or none, or it is interlaced.

    most: bytes that its pixels may have.
    """
    chunks = list(png_chunks(content))
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) < 21:
        return None
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", chunks[0][1], 8)
    row = 1 + (width * depth * _CHANNELS.get(colour, 4) + 7) // 8
    if interlaced or row * height > most:
        return None
    rows = _unpacked([chunk for kind, chunk in chunks if kind == b"IDAT"], row * height)
    whole = len(rows) // row
    if whole == height or whole < (1 - MISSING_SHARE) * height:
        return None
    pixels = zlib.compress(rows[: whole * row].ljust(row * height, b"\0"), 1)
    before = [chunk for kind, chunk in chunks if kind not in (b"IDAT", b"IEND") and _is_whole(chunk)]
    return b"".join([PNG_SIGNATURE, *before, _chunk(b"IDAT", pixels), _chunk(b"IEND", b"")])


def _unpacked(chunks: list[bytes], most: int) -> bytes:
    """What the chunks' pixels unpack to, as far as they go."""
    inflater = zlib.decompressobj()
    rows = bytearray()
    for chunk in chunks:
        (length,) = struct.unpack_from(">I", chunk)
        try:
            rows += inflater.decompress(chunk[8 : 8 + length], max(1, most - len(rows)))
        except zlib.error:
            break
    return bytes(rows)


def _is_whole(chunk: bytes) -> bool:
    return len(chunk) >= 12 and len(chunk) == 12 + int.from_bytes(chunk[:4], "big")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def gif_filled_up(content: bytes) -> bytes | None:
    """A GIF whose first picture ends in pixels of the first colour, as many as may be missing; None if it is
    not cut off within that picture."""
    found = _first_picture(content)
    if found is None:
        return None
    pixels, at = found
    while at < len(content) and content[at]:
        at += 1 + content[at]
    if at < len(content):
        return None
    missing = int(MISSING_SHARE * pixels) * _MOST_PIXEL_BITS // 8
    block = bytes([_LONGEST_BLOCK]) + bytes(_LONGEST_BLOCK)
    return content + bytes(at - len(content)) + block * (missing // _LONGEST_BLOCK + 1) + b"\0;"


def _first_picture(content: bytes) -> tuple[int, int] | None:
    """Pixels of the first picture, and where the blocks of its pixels begin."""
    if len(content) < 13:
        return None
    at = 13 + _colours(content[10])
    while at + 10 < len(content):
        if content[at] == ord(","):
            width, height = struct.unpack_from("<HH", content, at + 5)
            return width * height, at + 11 + _colours(content[at + 9])
        if content[at] != ord("!"):
            return None
        at += 2
        while at < len(content) and content[at]:
            at += 1 + content[at]
        at += 1
    return None


def _colours(flags: int) -> int:
    """Bytes of the table of colours that follows."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0
